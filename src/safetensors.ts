import { isRecord } from './checks.ts';
import { shown, UserError } from './errors.ts';

/**
 * The header of the safetensors format: 8 bytes with the header's length (little-endian), the header as JSON, then the
 * tensors' bytes, packed in the order of their offsets without holes or overlap. `__metadata__` maps text to text.
 */

/** Types of numbers, and the bytes of one. */
export type TensorTypes = Readonly<Record<string, number>>;

export interface TensorEntry {
  name: string;
  type: string;
  shape: readonly number[];
  /** where its bytes begin and end, counted from the end of the header */
  start: number;
  end: number;
}

export interface TensorHeader {
  metadata: Record<string, string>;
  /** in the order of their bytes */
  tensors: TensorEntry[];
}

/** Says what is wrong with a file, in a sentence that names it. */
export type Refuse = (text: string) => never;

/** Bytes before the header: its length. */
export const lengthBytes = 8;
const maximumHeaderBytes = 100_000_000; // the format's own bound
const metadataKey = '__metadata__';

/** The start of a file: length and header, padded with spaces so that the tensors start at a multiple of 8.
 *  @param room  bytes that the start is to take, where it must have a length known before it is written
 *  @throws RangeError where there is not so much room */
export function encodeHeader({ metadata, tensors }: TensorHeader, room?: number): Uint8Array {
  const header: Record<string, unknown> = Object.create(null); // so that a tensor may be called __proto__
  header[metadataKey] = metadata;
  for (const { name, type, shape, start, end } of tensors) {
    if (name === metadataKey) throw new Error(`a tensor can't be called ${metadataKey}`);
    header[name] = { dtype: type, shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = room ?? lengthBytes + Math.ceil(text.length / 8) * 8;
  if (lengthBytes + text.length > bytes) throw new RangeError(`a header of ${text.length} bytes in a room of ${bytes}`);
  const out = new Uint8Array(bytes).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(bytes - lengthBytes), true);
  out.set(text, lengthBytes);
  return out;
}

/** The length of the header that a file claims, checked against the file's.
 *  @param start  the first bytes of the file
 *  @param fileBytes  of the whole file */
export function headerBytesOf(start: Uint8Array, fileBytes: number, refuse: Refuse): number {
  if (fileBytes < lengthBytes) return refuse(`expected a safetensors file, found ${fileBytes} bytes`);
  const stated = new DataView(start.buffer, start.byteOffset, start.byteLength).getBigUint64(0, true);
  const room = Math.min(fileBytes - lengthBytes, maximumHeaderBytes);
  const other = stated > BigInt(room) ? kindOf(start) : undefined;
  if (other !== undefined) return refuse(`expected a safetensors file, found ${other}`);
  if (stated > BigInt(room))
    return refuse(`expected a safetensors file, whose header has at most ${room} bytes, found one that claims ${stated}`);
  return Number(stated);
}

/** What files begin with that are named by mistake, in hexadecimal. */
const beginnings: readonly (readonly [RegExp, string])[] = [
  [/^ffd8ff/, 'a JPEG picture'],
  [/^89504e47/, 'a PNG picture'],
  [/^(47494638|424d|52494646|49492a00|4d4d002a|.{8}66747970)/, 'a picture'],
  [/^89484446/, 'an HDF5 file'],
  [/^504b0304/, 'a ZIP archive, as PyTorch and Keras save models too'],
  [/^1f8b/, 'a compressed file'],
  [/^(09|0a|0d|20)*(5b|7b)/, 'JSON'],
  [/^(09|0a|0d|[2-7].){8}$/, 'a text'],
];

function kindOf(start: Uint8Array): string | undefined {
  const hex = Array.from(start.subarray(0, lengthBytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return beginnings.find(([pattern]) => pattern.test(hex))?.[1];
}

/** Reads a header, every claim of it checked before it is believed.
 *  @param bytes      of the header alone
 *  @param bodyBytes  that follow it in the file
 *  @param types      that are known */
export function parseHeader(bytes: Uint8Array, bodyBytes: number, types: TensorTypes, refuse: Refuse): TensorHeader {
  const { [metadataKey]: metadata = {}, ...entries } = parseObject(bytes, refuse);
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    return refuse('expected __metadata__ to map text to text');
  }
  const { format } = metadata;
  const called = format === undefined ? '' : ` in a file that calls itself ${shown(format)}`;
  const tensors = Object.entries(entries).map(([name, entry]) => checkEntry(name, entry, { bodyBytes, types, called, refuse }));
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  let expected = 0;
  for (const { name, start, end } of tensors) {
    if (start !== expected)
      refuse(`${name}: expected its bytes to start at ${expected}, found ${start}: tensors overlap or leave a hole`);
    expected = end;
  }
  if (expected !== bodyBytes) refuse(`expected ${expected} bytes of tensors, found ${bodyBytes}`);
  return { metadata: metadata as Record<string, string>, tensors };
}

function parseObject(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
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
    if (twice !== undefined) refuse(`expected each key once, found ${shown(twice)} twice`);
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

function checkEntry(
  name: string,
  entry: unknown,
  { bodyBytes: room, types, called, refuse }: { bodyBytes: number; types: TensorTypes; called: string; refuse: Refuse },
): TensorEntry {
  if (!isRecord(entry)) return refuse(`${name}: expected a tensor, found ${shown(entry)}`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(types, dtype)) {
    return refuse(`${name}: expected a type of ${Object.keys(types).join(', ')}, found ${shown(dtype)}${called}`);
  }
  if (!isCounts(shape)) return refuse(`${name}: expected a shape of whole numbers, found ${shown(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2)
    return refuse(`${name}: expected data_offsets [start, end], found ${shown(offsets)}`);
  const [start, end] = offsets as [number, number];
  if (end < start || end > room) return refuse(`${name}: expected bytes within 0 to ${room}, found ${start} to ${end}`);
  let length = types[dtype]!;
  for (const n of shape) {
    length *= n;
    if (!Number.isSafeInteger(length))
      return refuse(`${name}: expected a shape that fits into the file, found (${shape.join(', ')})`);
  }
  if (length !== end - start) return refuse(`${name}: expected ${length} bytes for its shape, found ${end - start}`);
  return { name, type: dtype, shape, start, end };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
