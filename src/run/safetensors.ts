import { UserError } from '../errors.ts';

/**
 * The safetensors format: 8 bytes with the header's length (little-endian), the header as JSON, then the tensors'
 * bytes, packed in the order of their offsets without holes or overlap. `__metadata__` maps text to text.
 */

const arrayTypes = { F64: Float64Array, F32: Float32Array, U8: Uint8Array, I32: Int32Array } as const;
export type TensorType = keyof typeof arrayTypes;
export type TensorArray = Float64Array | Float32Array | Uint8Array | Int32Array;

export interface Tensor {
  shape: readonly number[];
  data: TensorArray;
}

export interface TensorFile {
  metadata: Record<string, string>;
  tensors: Record<string, Tensor>;
}

const maximumHeaderBytes = 100_000_000; // the format's own bound
const lengthBytes = 8;
const metadataKey = '__metadata__';

/** The bytes of a file; the header is padded with spaces so that the tensors start at a multiple of 8. */
export function encodeTensors({ metadata, tensors }: TensorFile): Uint8Array {
  const header: Record<string, unknown> = Object.create(null); // so that a tensor may be called __proto__
  header[metadataKey] = metadata;
  let end = 0;
  // widest first, so that every tensor lies at a multiple of its element's size
  const entries = Object.entries(tensors).sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  for (const [name, { shape, data }] of entries) {
    if (name === metadataKey) throw new Error(`a tensor can't be called ${metadataKey}`);
    header[name] = { dtype: typeOf(data), shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const out = new Uint8Array(lengthBytes + headerBytes + end).fill(0x20, lengthBytes, lengthBytes + headerBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(headerBytes), true);
  out.set(text, lengthBytes);
  let at = lengthBytes + headerBytes;
  for (const [, { data }] of entries) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return out;
}

function typeOf(data: TensorArray): TensorType {
  return (Object.keys(arrayTypes) as TensorType[]).find((type) => data instanceof arrayTypes[type])!;
}

/** Reads a file, every claim of it checked before it is believed.
 *  @param file  for messages
 *  @throws UserError (model) with what is wrong with it */
export function decodeTensors(bytes: Uint8Array, file: string): TensorFile {
  const refuse = (text: string): never => {
    throw new UserError('model', `${file}: ${text}`, { hint: 'The file is damaged or not a safetensors file.' });
  };
  if (bytes.length < lengthBytes) refuse(`expected a safetensors file, found ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stated = view.getBigUint64(0, true);
  const room = Math.min(bytes.length - lengthBytes, maximumHeaderBytes);
  if (stated > BigInt(room)) refuse(`expected a header of at most ${room} bytes, found one that claims ${stated}`);
  const headerBytes = Number(stated);
  const header = parseHeader(bytes.subarray(lengthBytes, lengthBytes + headerBytes), refuse);
  const body = bytes.subarray(lengthBytes + headerBytes);
  const { [metadataKey]: metadata = {}, ...entries } = header;
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    refuse('expected __metadata__ to map text to text');
  }
  return { metadata: metadata as Record<string, string>, tensors: readTensors(entries, body, refuse) };
}

type Refuse = (text: string) => never;

function parseHeader(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('expected a header in UTF-8');
  }
  if (!text.startsWith('{')) refuse('expected a header that starts with {');
  try {
    const header: unknown = JSON.parse(text);
    if (!isRecord(header)) return refuse('expected a header that is an object');
    const twice = repeatedKey(text);
    if (twice !== undefined) refuse(`expected each key once, found ${JSON.stringify(twice)} twice`);
    return header;
  } catch (error) {
    if (error instanceof UserError) throw error;
    return refuse(`expected a header in JSON, found: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A key that stands twice in one object of a JSON text: JSON.parse would keep the last and say nothing. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '{') open.push(new Set());
    else if (text[i] === '}') open.pop();
    if (text[i] !== '"') continue;
    const start = i;
    while (text[++i] !== '"') if (text[i] === '\\') i++;
    const end = i + 1;
    while (isSpace(text[i + 1])) i++;
    if (text[i + 1] !== ':') continue;
    const key = JSON.parse(text.slice(start, end)) as string;
    if (open.at(-1)!.has(key)) return key;
    open.at(-1)!.add(key);
  }
  return undefined;
}

const isSpace = (letter: string | undefined) => letter !== undefined && ' \t\r\n'.includes(letter);

function readTensors(entries: Record<string, unknown>, body: Uint8Array, refuse: Refuse): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = Object.create(null);
  const spans: { name: string; start: number; end: number }[] = [];
  for (const [name, entry] of Object.entries(entries)) {
    const { type, shape, start, end } = checkEntry(name, entry, body.length, refuse);
    spans.push({ name, start, end });
    const copy = new Uint8Array(body.subarray(start, end)); // a buffer of its own starts aligned
    tensors[name] = { shape, data: new arrayTypes[type](copy.buffer, 0, copy.byteLength / arrayTypes[type].BYTES_PER_ELEMENT) };
  }
  let expected = 0;
  for (const { name, start, end } of spans.sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== expected)
      refuse(`${name}: expected its bytes to start at ${expected}, found ${start}: tensors overlap or leave a hole`);
    expected = end;
  }
  if (expected !== body.length) refuse(`expected ${expected} bytes of tensors, found ${body.length}`);
  return tensors;
}

function checkEntry(name: string, entry: unknown, room: number, refuse: Refuse) {
  if (!isRecord(entry)) return refuse(`${name}: expected a tensor, found ${JSON.stringify(entry)}`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(arrayTypes, dtype)) {
    return refuse(`${name}: expected a type of ${Object.keys(arrayTypes).join(', ')}, found ${JSON.stringify(dtype)}`);
  }
  const type = dtype as TensorType;
  if (!isCounts(shape)) return refuse(`${name}: expected a shape of whole numbers, found ${JSON.stringify(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2)
    return refuse(`${name}: expected data_offsets [start, end], found ${JSON.stringify(offsets)}`);
  const [start, end] = offsets as [number, number];
  if (end < start || end > room) return refuse(`${name}: expected bytes within 0 to ${room}, found ${start} to ${end}`);
  let length: number = arrayTypes[type].BYTES_PER_ELEMENT;
  for (const n of shape) {
    length *= n;
    if (!Number.isSafeInteger(length))
      return refuse(`${name}: expected a shape that fits into the file, found (${shape.join(', ')})`);
  }
  if (length !== end - start) return refuse(`${name}: expected ${length} bytes for its shape, found ${end - start}`);
  return { type, shape, start, end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
