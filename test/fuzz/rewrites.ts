import { createHash } from 'node:crypto';
import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import type { Random } from '../../src/random.ts';
import { mutatedJson, written } from './json-mutations.ts';
import { mutate, oneIn, pick } from './mutations.ts';

/** Changes that know a format: they reach what lies behind its checksums and lengths. */

type Header = Record<string, unknown> & { __metadata__?: Record<string, string> };

function splitTensors(bytes: Uint8Array): { header: Header; body: Uint8Array } {
  const end = 8 + Number(Buffer.from(bytes).readBigUInt64LE());
  return { header: JSON.parse(Buffer.from(bytes.subarray(8, end)).toString()) as Header, body: bytes.subarray(end) };
}

function joinTensors(header: string | Buffer, body: Uint8Array): Buffer {
  const text = Buffer.from(header);
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([start, text, body]);
}

/** A safetensors file with another header: of the format itself, or of the JSON that stands in its metadata.
 *  @param inner  the key of the metadata that holds JSON */
export function rewriteTensors(random: Random, bytes: Uint8Array, inner: string | undefined): Buffer {
  const { header, body } = splitTensors(bytes);
  const metadata = header.__metadata__;
  if (inner !== undefined && metadata?.[inner] !== undefined && !oneIn(random, 3)) {
    const text = mutatedJson(random, JSON.parse(metadata[inner]));
    return joinTensors(JSON.stringify({ ...header, __metadata__: { ...metadata, [inner]: text } }), body);
  }
  const change = random.integer(5);
  if (change === 0) return joinTensors(notUtf8(random, JSON.stringify(header)), body);
  if (change === 1) return joinTensors(written(withTensor(random, header)), body);
  if (change === 2) return joinTensors(JSON.stringify(header), specialNumbers(random, body));
  return joinTensors(mutatedJson(random, header), body);
}

/** The same file without the checksum in its metadata, which whoever reads it then does not ask for. */
export function withoutChecksum(bytes: Uint8Array): Buffer {
  const { header, body } = splitTensors(bytes);
  const { sha256: _, ...metadata } = header.__metadata__ ?? {};
  return joinTensors(JSON.stringify({ ...header, __metadata__: metadata }), body);
}

/** The same file in other words: entries in another order, spaces behind. Whoever reads one must read the other. */
export function sameTensors(random: Random, bytes: Uint8Array): Buffer {
  const { header, body } = splitTensors(bytes);
  const entries = Object.entries(header);
  const order = random.permutation(entries.length);
  const text = JSON.stringify(Object.fromEntries(Array.from(order, (i) => entries[i]!)));
  return joinTensors(text + ' '.repeat(random.integer(40)), body);
}

function notUtf8(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text);
  bytes[1 + random.integer(bytes.length - 2)] = pick(random, [0x80, 0xc0, 0xff, 0xed]);
  return bytes;
}

/** One tensor more, or one that lies elsewhere, has another type or another shape. */
function withTensor(random: Random, header: Header): Header {
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  if (names.length === 0) return header;
  const name = pick(random, names);
  const {
    dtype,
    shape,
    data_offsets: [start, end],
  } = header[name] as { dtype: string; shape: number[]; data_offsets: [number, number] };
  const shift = pick(random, [-8, -1, 1, 8, 2 ** 31, 2 ** 53]);
  const other = pick(random, [
    { dtype, shape, data_offsets: [start + shift, end + shift] },
    { dtype, shape, data_offsets: [start, end + shift] },
    { dtype: pick(random, ['F64', 'F32', 'U8', 'I32', 'I64', 'F16', 'BF16', 'BOOL']), shape, data_offsets: [start, end] },
    { dtype, shape: [...shape, pick(random, [0, 1, 2 ** 32, 2 ** 53 - 1])], data_offsets: [start, end] },
    { dtype, shape: shape.toReversed(), data_offsets: [start, end] },
    { dtype, shape: [2 ** 26, 2 ** 26, ...shape], data_offsets: [start, end] },
  ]);
  return { ...header, [oneIn(random, 3) ? `${name}.again` : name]: other };
}

/** NaN, infinities and huge numbers somewhere among the tensors' bytes. */
function specialNumbers(random: Random, body: Uint8Array): Uint8Array {
  const out = Buffer.from(body);
  if (out.length < 16) return out;
  const at = 8 * random.integer(Math.floor(out.length / 8) - 1);
  const value = pick(random, [Number.NaN, Number.POSITIVE_INFINITY, 1e38, -1e38, 1e308, -0, 5e-324]);
  if (oneIn(random, 2)) out.writeDoubleLE(value, at);
  else out.writeFloatLE(value, at);
  return out;
}

const zeros = '0'.repeat(64);

/** A checkpoint with the checksum that its bytes have. */
export function withDigest(bytes: Buffer): Buffer {
  const mark = '"sha256":"';
  const at = bytes.indexOf(mark) + mark.length;
  if (at < mark.length || at + zeros.length > bytes.length) return bytes;
  bytes.write(zeros, at, 'latin1');
  bytes.write(createHash('sha256').update(bytes).digest('hex'), at, 'latin1');
  return bytes;
}

interface Chunk {
  type: string;
  data: Buffer;
}

/** The chunks of a PNG file as far as they can be told apart. @returns null where a checksum is wrong, or bytes are left over */
export function pngChunks(bytes: Uint8Array): Chunk[] | null {
  const file = Buffer.from(bytes);
  const chunks: Chunk[] = [];
  for (let at = 8; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at);
    if (at + 12 + length > file.length) return null;
    const body = file.subarray(at + 4, at + 8 + length);
    if (crc32(body) !== file.readUInt32BE(at + 8 + length)) return null;
    chunks.push({ type: body.toString('latin1', 0, 4), data: body.subarray(4) });
    at += 12 + length;
  }
  return chunks;
}

/** Changes the chunks of a PNG, and gives each the checksum that it then has. */
export function rewritePng(random: Random, bytes: Uint8Array): Buffer {
  const chunks = pngChunks(bytes)!;
  const at = random.integer(chunks.length - 1);
  const { type, data } = chunks[at]!;
  const change = random.integer(4);
  if (change === 0) chunks.splice(at, 1);
  else if (change === 1) chunks.splice(random.integer(chunks.length), 0, { type, data });
  else if (change === 2)
    chunks[at] = { type: pick(random, ['IDAT', 'PLTE', 'tRNS', 'iCCP', 'eXIf', 'zTXt', 'IEND', 'acTL']), data };
  else chunks[at] = { type, data: mutate(random, data, []) };
  return Buffer.concat([bytes.subarray(0, 8), ...chunks.map(pngChunk)]);
}

function pngChunk({ type, data }: Chunk): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(data.length);
  numbers.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([numbers.subarray(0, 4), body, numbers.subarray(4)]);
}

/** Changes what is in a gzip file, and packs it again. */
export function rewriteGzip(change: (random: Random, bytes: Buffer) => Buffer): (random: Random, bytes: Uint8Array) => Buffer {
  return (random, bytes) => gzipSync(change(random, gunzipSync(bytes)), { level: 1 });
}

/** Changes a tar archive, and gives every header the checksum that it then has. */
export function rewriteTar(random: Random, bytes: Uint8Array): Buffer {
  const out = Buffer.from(bytes);
  const headers = [];
  for (let at = 0; at + 512 <= out.length; at += 512)
    if (out.toString('latin1', at + 257, at + 262) === 'ustar') headers.push(at);
  if (headers.length === 0) return mutate(random, out, []);
  const at = pick(random, headers);
  const field = pick(random, tarFields);
  const value = pick(random, [...tarValues, Buffer.alloc(12, random.integer(255))]);
  out.fill(0, at + field.at, at + field.at + field.length);
  out.set(value.subarray(0, field.length), at + field.at);
  out.fill(0x20, at + 148, at + 156);
  const sum = out.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  out.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  return out;
}

const tarFields = [
  { at: 0, length: 100 }, // name
  { at: 124, length: 12 }, // size
  { at: 156, length: 1 }, // type
  { at: 157, length: 100 }, // link
  { at: 257, length: 8 }, // magic
  { at: 345, length: 155 }, // prefix
];
const tarValues = [
  ...[
    '../../outside.png',
    '/etc/passwd',
    'cat/../dog/a.png',
    '',
    '0',
    '77777777777',
    '00000001000',
    '1',
    '2',
    '5',
    'x',
    'g',
    'L',
    'S',
    '-1',
    'cat/\u001b[2J.png',
  ],
  ...['00000000000\0', '9'.repeat(12), ' 1000 '],
].map((text) => Buffer.from(text));

/** Changes a ZIP archive, and makes every file of its directory have the checksum that its stored bytes have. */
export function rewriteZip(random: Random, bytes: Uint8Array): Buffer {
  const out = Buffer.from(bytes);
  const places = [];
  for (let at = out.indexOf('PK\x01\x02'); at >= 0; at = out.indexOf('PK\x01\x02', at + 4)) places.push(at);
  if (places.length === 0) return mutate(random, out, []);
  const value = pick(random, [0, 1, 2, 8, 9, 14, 0xff, 0xffff, 0x7fffffff, 0xffffffff, random.integer(out.length)]);
  const end = out.lastIndexOf('PK\x05\x06');
  if (end >= 0 && end + 22 <= out.length && oneIn(random, 5)) {
    const [offset, width] = pick(random, zipEndFields);
    out.writeUIntLE(value % 2 ** (8 * width), end + offset, width);
    return out;
  }
  const at = pick(random, places);
  const name = { at: at + 46, length: out.readUInt16LE(at + 28) };
  if (oneIn(random, 3)) {
    const text = pick(random, [
      '../../outside.png',
      '/etc/passwd.png',
      'C:\\x.png',
      'cat\\..\\..\\x.png',
      'cat/../../y.png',
      'cat/\0.png',
      'cat/',
    ]);
    out.fill(0x61, name.at, name.at + name.length);
    out.write(text.slice(0, name.length), name.at, 'latin1');
    return out;
  }
  const [offset, width] = pick(random, zipFields);
  if (width === 2) out.writeUInt16LE(value & 0xffff, at + offset);
  else out.writeUInt32LE(value, at + offset);
  return out;
}

/** The same of the archive's end: disks, numbers of entries, size and place of the directory, length of the comment. */
const zipEndFields = [
  [4, 2],
  [6, 2],
  [8, 2],
  [10, 2],
  [12, 4],
  [16, 4],
  [20, 2],
] as const;

/** Where numbers stand in an entry of the directory, and how wide they are. @see APPNOTE.TXT of PKWARE, 4.3.12 */
const zipFields: [offset: number, width: 2 | 4][] = [
  [4, 2],
  [6, 2],
  [8, 2],
  [10, 2],
  [16, 4],
  [20, 4],
  [24, 4],
  [28, 2],
  [30, 2],
  [32, 2],
  [38, 4],
  [42, 4],
];
