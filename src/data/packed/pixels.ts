import type { StoredPixels } from '../pixels.ts';
import { keepYoungRoom } from '../young-objects.ts';
import type { RowFile } from './file.ts';
import { readRows, readRowsNow } from './rows.ts';

/** The pixels in a file, or of some of its pictures, left where they are.
 *  @param rows  of the file, null for all
 *  @param room  bytes of memory that reading may take at a time */
export function pixelsInFile(file: RowFile, rows: Int32Array | null, room: number): StoredPixels {
  const inFile = (wanted: Int32Array) => (rows === null ? wanted : wanted.map((row) => rows[row]!));
  return {
    count: rows?.length ?? file.count,
    features: file.features,
    room,
    read: (wanted, out) => {
      keepYoungRoom();
      return readRows(file, inFile(wanted), out);
    },
    readNow: (wanted, out) => readRowsNow(file, inFile(wanted), out),
    select: (wanted) => pixelsInFile(file, inFile(wanted), room),
  };
}
