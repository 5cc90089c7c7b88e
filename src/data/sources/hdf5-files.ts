import { resolve } from 'node:path';

/** Files that sources were opened for. */
const given = new Set<string>();
const [createFlag, missing] = [0o100, 44]; // O_CREAT and ENOENT, as the library's C library has them
const guarded = new WeakSet<object>();

/** Of the library's calls to the system, those that open files. */
interface LibraryFiles {
  open(path: string, flags: number, ...rest: unknown[]): unknown;
  ErrnoError: new (code: number) => Error;
}

/** An HDF5 file may say that its data lies in others: by links, external storage, virtual data sets. The library opens none
 *  but the one that is given, those that were given before, and what it creates for itself. */
export function openNothingBut(path: string, library: { FS: unknown }): void {
  given.add(resolve(path));
  const files = library.FS as LibraryFiles;
  if (guarded.has(files)) return;
  guarded.add(files);
  const { open } = files;
  files.open = function (name, flags, ...rest) {
    if (!given.has(resolve(name)) && (flags & createFlag) === 0) throw new files.ErrnoError(missing);
    return open.call(this, name, flags, ...rest);
  };
}
