import { readv } from 'node:fs';
import { DataError, systemReason, type UserError } from '../../errors.ts';
import { limitYoungGeneration, type StoredPixels } from '../pixels.ts';
import { fillNow, type RowFile, shortFile } from './file.ts';

/** Bytes that one call reads at most: enough that the disk is busy, few enough that several calls share the work. */
const callBytes = 2 ** 21;
/** Bytes between two rows that are read and thrown away rather than skipped: a call of its own takes longer. */
const gapBytes = 2 ** 16;
/** Where such bytes go: several calls at once may overwrite each other's. */
const bin = new Uint8Array(gapBytes);
/** Buffers that one call may fill (IOV_MAX). */
const callBuffers = 1024;
/** Calls under way: more than libuv has threads. Each has a thousand small objects, which are made no earlier than they are needed: those of
 *  a whole window would outlive V8's collections of young objects, and lie about by the dozen megabytes. */
const callsAtOnce = 8;

/** Reads rows into the places 0, 1, 2, … of `out`, [rows.length, n_x]. Those that lie near each other are read together.
 *  @throws UserError (data) where the file can't be read */
export async function readRows(file: RowFile, rows: Int32Array, out: Uint8Array): Promise<void> {
  const calls = planCalls(rows, file.features).values();
  const readOn = async () => {
    for (const call of calls) {
      await readInto(file, file.pixelsAt + rows[call.first]! * file.features, buffersOf(call, rows, file.features, out));
    }
  };
  // none writes into `out` any more when this ends, however it ends
  const ends = await Promise.allSettled(Array.from({ length: callsAtOnce }, readOn));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** The same, one row after the other, before anything else happens. */
export function readRowsNow(file: RowFile, rows: Int32Array, out: Uint8Array): void {
  const { features, pixelsAt } = file;
  for (const [i, row] of rows.entries())
    fillNow(file, out.subarray(i * features, (i + 1) * features), pixelsAt + row * features, guarded);
}

function guarded<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): UserError {
  return new DataError(`${path}: can't be read: ${systemReason(error)}`, { cause: error });
}

/** Places first … end − 1 of the rows that are asked for, read together. */
interface Call {
  first: number;
  end: number;
}

/** Neighbours are read together: from a row on, as far as the next rows are near and come later in the file. */
function planCalls(rows: Int32Array, features: number): Call[] {
  const most = Math.max(1, Math.floor(callBytes / features));
  const gap = Math.floor(gapBytes / features);
  const calls: Call[] = [];
  let call: Call | undefined;
  let buffers = 0;
  let next = 0; // the row after those that the call reads
  for (let i = 0; i < rows.length; ) {
    const row = rows[i]!;
    const run = runLength(rows, i, most);
    const skipped = row - next;
    const joins =
      call !== undefined && skipped >= 0 && skipped <= gap && row + run - rows[call.first]! <= most && buffers + 2 <= callBuffers;
    if (!joins) {
      calls.push((call = { first: i, end: i }));
      buffers = 0;
    }
    buffers += joins && skipped > 0 ? 2 : 1;
    call!.end = i + run;
    next = row + run;
    i += run;
  }
  return calls;
}

/** Where the bytes of a call go; those of rows that nobody asked for go to the bin. */
function buffersOf({ first, end }: Call, rows: Int32Array, features: number, out: Uint8Array): Uint8Array[] {
  const buffers: Uint8Array[] = [];
  let next = rows[first]!;
  for (let i = first; i < end; ) {
    const skipped = rows[i]! - next;
    if (skipped > 0) buffers.push(bin.subarray(0, skipped * features));
    const run = runLength(rows, i, end - i);
    buffers.push(out.subarray(i * features, (i + run) * features));
    next = rows[i]! + run;
    i += run;
  }
  return buffers;
}

/** How many rows from the i-th on follow each other in the file, `most` at most. */
function runLength(rows: Int32Array, i: number, most: number): number {
  let length = 1;
  while (length < most && i + length < rows.length && rows[i + length] === rows[i]! + length) length++;
  return length;
}

function readInto({ path, descriptor }: RowFile, position: number, buffers: Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = (at: number, left: Uint8Array[]) => {
      readv(descriptor, left, at, (error, read) => {
        if (error) return reject(unreadable(path, error));
        if (read === 0) return reject(shortFile(path));
        const rest = without(left, read);
        if (rest.length === 0) resolve();
        else go(at + read, rest);
      });
    };
    go(position, buffers);
  });
}

/** The buffers that are still to be filled when some bytes have been. */
function without(buffers: Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  const first = buffers.findIndex((buffer) => {
    if (buffer.length > left) return true;
    left -= buffer.length;
    return false;
  });
  return first < 0 ? [] : [buffers[first]!.subarray(left), ...buffers.slice(first + 1)];
}

/** The pixels in a file, or of some of its pictures, left where they are.
 *  @param rows  of the file, null for all
 *  @param budgetBytes  bytes of memory that reading may take at a time */
export function pixelsInFile(file: RowFile, rows: Int32Array | null, budgetBytes: number): StoredPixels {
  const inFile = (wanted: Int32Array) => (rows === null ? wanted : wanted.map((row) => rows[row]!));
  return {
    count: rows?.length ?? file.count,
    features: file.features,
    budgetBytes,
    read: (wanted, out) => {
      limitYoungGeneration();
      return readRows(file, inFile(wanted), out);
    },
    readNow: (wanted, out) => readRowsNow(file, inFile(wanted), out),
    select: (wanted) => pixelsInFile(file, inFile(wanted), budgetBytes),
  };
}
