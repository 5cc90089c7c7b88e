import { access, open } from 'node:fs/promises';

/** What the system's calls leave to whoever makes them: short writes, opened files, names that a power cut takes back. */

/** What takes bytes at a place, as a `FileHandle` does. */
export interface PlaceWriter {
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
}

/** Writes all of some bytes. @param position  in the file */
export async function writeAt(file: PlaceWriter, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}

/** The first bytes of a file, which tell its kind; fewer where it is shorter. @throws Error of the system */
export async function firstBytes(path: string, length: number): Promise<Buffer> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** So that names given in a folder outlive a power cut. Where a system can't flush folders the files are there all the same. */
export async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // it can't open folders, and needs none of it
  const handle = await open(folder, 'r').catch(() => undefined); // a folder that may be written but not read
  await handle?.sync().catch(() => {}); // some file systems refuse
  await handle?.close();
}
