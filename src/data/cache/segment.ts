import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { contentHash } from '../content-hash.ts';
import { readAt, writeAt } from '../disk.ts';

/**
 * A file of decoded pictures, written once and never changed: rows of equal length, then a table, then a trailer, so that
 * ten thousand pictures are one file. All numbers little-endian.
 *
 *     row      rowBytes of pixels
 *     entry    validator 16 | content hash 16 | checksum of the row 4 | number of the row 4, or `noRow`
 *     trailer  magic 8 | rowBytes 4 | rows 4 | entries 4 | checksum of table and of the trailer so far 4 | created, ms 8
 */
export interface Segment {
  path: string;
  handle: FileHandle;
  rowBytes: number;
  entries: readonly SegmentEntry[];
  /** when it was begun, in ms since 1970: of two rows for one picture the later counts */
  created: number;
}

export interface SegmentEntry {
  /** 32 hex digits that tell a picture without reading it; undefined where nothing does */
  validator: string | undefined;
  /** hash of the picture's file */
  content: string;
  /** undefined for an entry that only ties a validator to a content whose row stands elsewhere */
  row: number | undefined;
  checksum: number;
}

export const segmentExtension = '.rows';
export const partialExtension = '.partial';

const magic = Buffer.from('nnrows\x01\n', 'latin1');
const entryBytes = 40;
const trailerBytes = 32;
const noRow = 0xffffffff;
const noValidator = '0'.repeat(32);

/** Opens a segment and reads its table.
 *  @returns undefined where the file is not a whole segment of such rows
 *  @throws Error of the system where it can't be read: it may be whole all the same */
export async function openSegment(path: string, rowBytes: number): Promise<Segment | undefined> {
  const handle = await open(path, 'r');
  let table: Awaited<ReturnType<typeof readTable>>;
  try {
    table = await readTable(handle, rowBytes);
    return table && { path, handle, rowBytes, ...table };
  } finally {
    if (table === undefined) await handle.close();
  }
}

async function readTable(handle: FileHandle, rowBytes: number): Promise<Pick<Segment, 'entries' | 'created'> | undefined> {
  const { size } = await handle.stat();
  if (size < trailerBytes) return undefined;
  const trailer = await readAt(handle, size - trailerBytes, trailerBytes);
  const [width, rows, count] = [8, 12, 16].map((at) => trailer.readUInt32LE(at)) as [number, number, number];
  const isWhole = width === rowBytes && size === rows * rowBytes + count * entryBytes + trailerBytes;
  if (!isWhole || !trailer.subarray(0, 8).equals(magic)) return undefined;
  const table = await readAt(handle, rows * rowBytes, count * entryBytes);
  if (tableChecksum(table, trailer) !== trailer.readUInt32LE(20)) return undefined;
  const entries = Array.from({ length: count }, (_, i) => entryAt(table, i * entryBytes));
  return { entries, created: trailer.readDoubleLE(24) };
}

function tableChecksum(table: Uint8Array, trailer: Buffer): number {
  return crc32(trailer.subarray(24), crc32(trailer.subarray(0, 20), crc32(table)));
}

function entryAt(table: Buffer, at: number): SegmentEntry {
  const validator = table.toString('hex', at, at + 16);
  const row = table.readUInt32LE(at + 36);
  return {
    validator: validator === noValidator ? undefined : validator,
    content: table.toString('hex', at + 16, at + 32),
    checksum: table.readUInt32LE(at + 32),
    row: row === noRow ? undefined : row,
  };
}

/** @returns the pixels of a row, undefined where it can't be read or is damaged */
export async function readRow(
  { handle, rowBytes }: Pick<Segment, 'handle' | 'rowBytes'>,
  entry: SegmentEntry,
): Promise<Uint8Array | undefined> {
  try {
    const pixels = await readAt(handle, entry.row! * rowBytes, rowBytes);
    return rowChecksum(entry.content, pixels) === entry.checksum ? pixels : undefined;
  } catch {
    return undefined; // a disk that fails is to the reader what damage is: the picture is decoded again
  }
}

/** Of the pixels and whose they are: a row that stands in another's place is damage too. */
function rowChecksum(content: string, pixels: Uint8Array): number {
  return crc32(pixels, crc32(Buffer.from(content, 'hex')));
}

/** A segment that grows: its rows can be read at once, other processes see it when it is sealed. */
export interface SegmentWriter {
  readonly bytes: number;
  /** @param pixels  undefined for an entry without a row */
  add(validator: string | undefined, content: string, pixels: Uint8Array | undefined): Promise<SegmentEntry>;
  read(entry: SegmentEntry): Promise<Uint8Array | undefined>;
  /** gives it its place among the others: `folder/<prefix>-<hash>.rows` */
  seal(prefix: string): Promise<Segment>;
  /** closes and removes it */
  discard(): Promise<void>;
}

/** Pixels are gathered to this many bytes before they are written. */
const bufferBytes = 1 << 20;

/** @throws Error of the system, as all functions of the writer do, where the folder can't be written */
export async function createSegment(folder: string, rowBytes: number): Promise<SegmentWriter> {
  const aside = join(folder, `${randomUUID()}${partialExtension}`);
  const handle = await open(aside, 'wx+', 0o600);
  const created = Date.now();
  const entries: SegmentEntry[] = [];
  let rows = 0;
  let pending: Uint8Array[] = []; // the last rows, which the file does not have yet
  let lastWrite: Promise<unknown> = Promise.resolve();
  const firstPending = () => rows - pending.length;
  const flush = () => {
    lastWrite = lastWrite.then(async () => {
      const [batch, at] = [pending, firstPending() * rowBytes];
      await writeAt(handle, Buffer.concat(batch), at);
      pending = pending.slice(batch.length);
    });
    return lastWrite;
  };
  return {
    get bytes() {
      return rows * rowBytes + entries.length * entryBytes + trailerBytes;
    },
    async add(validator, content, pixels) {
      const checksum = pixels === undefined ? 0 : rowChecksum(content, pixels);
      const entry = { validator, content, checksum, row: pixels === undefined ? undefined : rows };
      entries.push(entry);
      if (pixels !== undefined) {
        rows++;
        pending.push(pixels);
        if (pending.length * rowBytes >= bufferBytes) await flush();
      }
      return entry;
    },
    async read(entry) {
      return pending[entry.row! - firstPending()] ?? readRow({ handle, rowBytes }, entry);
    },
    async seal(prefix) {
      await flush();
      const table = Buffer.concat(entries.map(encodeEntry));
      const trailer = encodeTrailer({ rowBytes, rows, table, created });
      await writeAt(handle, Buffer.concat([table, trailer]), rows * rowBytes);
      const path = join(folder, `${prefix}-${contentHash(table)}${segmentExtension}`);
      await rename(aside, path);
      return { path, handle, rowBytes, entries, created };
    },
    async discard() {
      await handle.close().catch(() => {}); // a write that failed was reported by its own promise
      await rm(aside, { force: true });
    },
  };
}

function encodeEntry({ validator, content, checksum, row }: SegmentEntry): Buffer {
  const bytes = Buffer.alloc(entryBytes);
  bytes.write(validator ?? noValidator, 0, 'hex');
  bytes.write(content, 16, 'hex');
  bytes.writeUInt32LE(checksum, 32);
  bytes.writeUInt32LE(row ?? noRow, 36);
  return bytes;
}

function encodeTrailer(one: { rowBytes: number; rows: number; table: Buffer; created: number }): Buffer {
  const trailer = Buffer.alloc(trailerBytes);
  magic.copy(trailer);
  trailer.writeUInt32LE(one.rowBytes, 8);
  trailer.writeUInt32LE(one.rows, 12);
  trailer.writeUInt32LE(one.table.length / entryBytes, 16);
  trailer.writeDoubleLE(one.created, 24);
  trailer.writeUInt32LE(tableChecksum(one.table, trailer), 20);
  return trailer;
}
