import type { FileHandle } from 'node:fs/promises';
import { DataError } from '../../errors.ts';
import { cutOff, readAt } from '../disk.ts';

/** A file in a tar archive, as its headers have it. */
export interface TarFile {
  path: string;
  bytes: number;
  /** where its content begins */
  position: number;
  /** why it has none that can be read */
  problem: string | undefined;
}

/** All that is no folder, in order. Who wants a content takes it from the reader before the next file is asked for.
 *  @param archive   how errors call it
 *  @param onFolder  told each folder on the way
 *  @see POSIX.1-2017, pax; GNU tar 1.35, Basic Tar Format
 *  @throws Error with what is wrong */
export async function* tarFiles(
  reader: SequentialReader,
  archive: string,
  onFolder?: (path: string) => void,
): AsyncGenerator<TarFile> {
  const always: Attributes = new Map();
  let once: Attributes = new Map();
  for (;;) {
    const block = await readExactly(reader, blockBytes);
    if (isZero(block)) return requireEnd(reader, archive);
    const header = parseHeader(block);
    const attributes = await attributesIn(header, reader);
    if (attributes !== null) {
      for (const [key, value] of attributes) (header.type === 'g' ? always : once).set(key, value);
      continue;
    }
    if (header.type === sparseType) await skipMap(block, reader);
    const file = fileOf(header, new Map([...always, ...once]), reader.position());
    once = new Map();
    if (isFolder(header.type, file.path)) onFolder?.(file.path);
    else yield file;
    await reader.skip(file.position + file.bytes + padding(file.bytes) - reader.position());
  }
}

const blockBytes = 512;
const padding = (bytes: number) => (blockBytes - (bytes % blockBytes)) % blockBytes;

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

/** Two blocks of zeros end an archive; zeros may follow. @throws Error where that is not so: files behind it would be lost */
async function requireEnd(reader: SequentialReader, archive: string): Promise<void> {
  if (!isZero(await readExactly(reader, blockBytes))) throw new Error('a block of zeros in its midst');
  for (let rest = await reader.read(2 ** 16); rest.length > 0; rest = await reader.read(2 ** 16)) {
    if (isZero(rest)) continue;
    throw new DataError(`${archive}: expected nothing behind the end of the archive, found more, as where two are put together`, {
      hint: 'tar --ignore-zeros -xf unpacks all of it: then name the folder.',
    });
  }
}

interface Header {
  name: string;
  type: string;
  bytes: number;
}

function parseHeader(block: Buffer): Header {
  if (numberIn(block, 148, 8) !== checksum(block)) throw new Error('a header whose checksum is another');
  const [name, prefix] = [textIn(block, 0, 100), textIn(block, 257, 6) === 'ustar' ? textIn(block, 345, 155) : ''];
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    type: String.fromCharCode(block[156]!),
    bytes: numberIn(block, 124, 12),
  };
}

/** The sum of all bytes, those of the checksum itself taken for spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < blockBytes; at++) if (at < 148 || at >= 156) sum += block[at]!;
  return sum;
}

function textIn(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

/** Octal digits, or the number itself where its first bit is set (GNU). */
function numberIn(block: Buffer, at: number, length: number): number {
  if (block[at]! & 0x80) {
    const value = block.subarray(at + 1, at + length).reduce((sum, byte) => sum * 256 + byte, block[at]! & 0x7f);
    if (!Number.isSafeInteger(value)) throw new Error('a number that is too large, or below 0');
    return value;
  }
  const digits = textIn(block, at, length).replaceAll(' ', '');
  if (/[^0-7]/.test(digits)) throw new Error(`${digits} in the place of a number`);
  return Number.parseInt(digits || '0', 8);
}

/** What extended headers say of the files behind them, by their keys. */
type Attributes = Map<string, string>;

/** Of a header that is one of a file no more than in name: what it says. null for others. */
async function attributesIn({ type, bytes }: Header, reader: SequentialReader): Promise<Attributes | null> {
  const parse = extendedHeaders[type];
  if (parse === undefined) return null;
  if (bytes > mostExtended) throw new Error(`an extended header of ${bytes} bytes`);
  const content = await readExactly(reader, bytes);
  await reader.skip(padding(bytes));
  return parse(content);
}

const mostExtended = 8 * 2 ** 20;

const extendedHeaders: Record<string, (content: Buffer) => Attributes> = {
  x: parsePax,
  X: parsePax,
  g: parsePax,
  L: (content) => new Map([['path', textIn(content, 0, content.length)]]),
  K: () => new Map(), // where a link leads
};

/** Records of `length key=value\n`, the length being that of the record in bytes. */
function parsePax(content: Buffer): Attributes {
  const attributes: Attributes = new Map();
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(' ', at);
    const length = Number(content.toString('latin1', at, space));
    const [, key, value] = /^([^=]+)=(.*)\n$/s.exec(content.toString('utf8', space + 1, at + length)) ?? [];
    if (space < 0 || !(length > space + 1 - at && length <= content.length - at) || key === undefined)
      throw new Error('an extended header that is none');
    attributes.set(key, value!);
    at += length;
  }
  return attributes;
}

function fileOf({ name, type, bytes }: Header, attributes: Attributes, position: number): TarFile {
  const size = attributes.get('size');
  if (size !== undefined && !(/^\d+$/.test(size) && Number.isSafeInteger(Number(size)))) throw new Error(`a size of ${size}`);
  const isSparse = type === sparseType || [...attributes.keys()].some((key) => key.startsWith('GNU.sparse.'));
  return {
    path: attributes.get('GNU.sparse.name') ?? attributes.get('path') ?? name,
    bytes: withoutContent.has(type) ? 0 : Number(size ?? bytes),
    position,
    problem: isSparse ? sparseProblem : problems[type],
  };
}

/** Links, devices, folders and pipes: a size that they state is not that of a content behind them. */
const withoutContent = new Set(['1', '2', '3', '4', '5', '6']);

/** Of GNU tar: a file whose longer runs of zeros are left out. Other programs call such a file GNUSparseFile.N/…, and its name an attribute. */
const sparseType = 'S';
const sparseProblem =
  'stored without its zeros (a sparse file), which nn does not put back: make the archive without --sparse (-S), or unpack it';

const problems: Record<string, string> = {
  1: 'a link, which is not followed',
  2: 'a link, which is not followed',
  3: 'a device',
  4: 'a device',
  6: 'a pipe',
  M: 'the rest of a file that begins in another archive',
};

/** Folders, their listings and the label of an archive; a path that ends in a slash means a folder too. */
const isFolder = (type: string, path: string) => '5DV'.includes(type) || path.endsWith('/');

/** The map of a sparse file goes on behind its header. @param block  its header */
async function skipMap(block: Buffer, reader: SequentialReader): Promise<void> {
  let goesOn = block[482] !== 0;
  while (goesOn) goesOn = (await readExactly(reader, blockBytes))[504] !== 0;
}

/** Bytes of an archive, one after the other. */
export interface SequentialReader {
  /** the next bytes; fewer at the end */
  read(length: number): Promise<Buffer>;
  /** @throws Error where it ends before */
  skip(length: number): Promise<void>;
  /** of the next byte */
  position(): number;
}

/** @throws Error where it ends before */
export async function readExactly(reader: SequentialReader, length: number): Promise<Buffer> {
  const bytes = await reader.read(length);
  if (bytes.length < length) throw cutOff();
  return bytes;
}

/** Bytes that are read together: headers of small files lie near each other. */
const windowBytes = 2 ** 16;

/** A file as it lies on the disk: what is skipped is not read.
 *  @param onRead  told whenever bytes have come */
export function fileReader(file: FileHandle, size: number, onRead: () => void): SequentialReader {
  let at = 0;
  let window: Buffer = Buffer.alloc(0);
  let windowAt = 0;
  return {
    position: () => at,
    async read(length) {
      if (at < windowAt || at + length > windowAt + window.length) {
        window = await readAt(file, at, Math.min(Math.max(length, windowBytes), size - at));
        windowAt = at;
        onRead();
      }
      const bytes = window.subarray(at - windowAt, at - windowAt + length);
      at += bytes.length;
      return bytes;
    },
    async skip(length) {
      if (length > size - at) throw cutOff();
      at += length;
    },
  };
}

/** What can only be read from its start, as a file that is packed.
 *  @param onRead  told whenever bytes have come */
export function streamReader(stream: AsyncIterable<Buffer>, onRead: () => void): SequentialReader {
  const chunks = stream[Symbol.asyncIterator]();
  let chunk: Buffer = Buffer.alloc(0); // what is left of the last one
  let at = 0;
  /** Hands on the next bytes in pieces. @returns how many there were */
  async function take(length: number, give: (piece: Buffer) => void): Promise<number> {
    let taken = 0;
    while (taken < length) {
      if (chunk.length === 0) {
        const { value, done } = await chunks.next();
        if (done) break;
        chunk = value;
        onRead();
        continue;
      }
      const piece = chunk.subarray(0, length - taken);
      give(piece);
      taken += piece.length;
      chunk = chunk.subarray(piece.length);
    }
    at += taken;
    return taken;
  }
  return {
    position: () => at,
    async read(length) {
      const pieces: Buffer[] = [];
      await take(length, (piece) => pieces.push(piece));
      return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    },
    async skip(length) {
      if ((await take(length, () => {})) < length) throw cutOff();
    },
  };
}
