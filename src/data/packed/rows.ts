import { readSync, readv } from 'node:fs';
import { systemReason, UserError } from '../../errors.ts';
import { type RowFile, shortFile } from './file.ts';

/** Bytes that one call reads at most: enough that the disk is busy, few enough that several calls share the work. */
const callBytes = 2 ** 21;
/** Bytes between two rows that are read and thrown away rather than skipped: a call of its own takes longer. */
const gapBytes = 2 ** 16;
/** Where such bytes go: several calls at once may overwrite each other's. */
const bin = new Uint8Array(gapBytes);
/** Buffers that one call may fill (IOV_MAX). */
const callBuffers = 1024;

/** Reads rows into the places 0, 1, 2, … of `out`, [rows.length, n_x]. Those that lie near each other are read together.
 *  @throws UserError (data) where the file can't be read */
export async function readRows(file: RowFile, rows: Int32Array, out: Uint8Array): Promise<void> {
  const calls = planCalls(rows, file.features, out);
  await Promise.all(calls.map(({ row, buffers }) => readInto(file, file.pixelsAt + row * file.features, buffers)));
}

/** The same, one row after the other, before anything else happens. */
export function readRowsNow({ path, descriptor, pixelsAt, features }: RowFile, rows: Int32Array, out: Uint8Array): void {
  for (const [i, row] of rows.entries()) {
    for (let done = 0; done < features; ) {
      const read = readSome(path, () =>
        readSync(descriptor, out, i * features + done, features - done, pixelsAt + row * features + done),
      );
      if (read === 0) throw shortFile(path);
      done += read;
    }
  }
}

function readSome(path: string, read: () => number): number {
  try {
    return read();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): UserError {
  return new UserError('data', `${path}: can't be read: ${systemReason(error)}`, { cause: error });
}

interface Call {
  /** the first row that it reads */
  row: number;
  /** where it and the bytes after it go; those of rows that nobody asked for go to the bin */
  buffers: Uint8Array[];
}

/** Neighbours are read together: from a row on, as far as the next rows are near and come later in the file. */
function planCalls(rows: Int32Array, features: number, out: Uint8Array): Call[] {
  const most = Math.max(1, Math.floor(callBytes / features));
  const gap = Math.floor(gapBytes / features);
  const calls: Call[] = [];
  let call: Call | undefined;
  let next = 0; // the row after those that the call reads
  for (let i = 0; i < rows.length; ) {
    const row = rows[i]!;
    const run = runLength(rows, i, most);
    const skipped = row - next;
    const joins =
      call !== undefined &&
      skipped >= 0 &&
      skipped <= gap &&
      row + run - call.row <= most &&
      call.buffers.length + 2 <= callBuffers;
    if (!joins) calls.push((call = { row, buffers: [] }));
    else if (skipped > 0) call!.buffers.push(bin.subarray(0, skipped * features));
    call!.buffers.push(out.subarray(i * features, (i + run) * features));
    next = row + run;
    i += run;
  }
  return calls;
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
