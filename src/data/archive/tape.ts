import type { FileHandle } from 'node:fs/promises';

/** Bytes of an archive, one after the other. */
export interface Tape {
  /** the next bytes; fewer at the end */
  read(length: number): Promise<Buffer>;
  /** @throws Error where it ends before */
  skip(length: number): Promise<void>;
  /** of the next byte */
  position(): number;
}

const cutOff = () => new Error('it is cut off');

/** @throws Error where it ends before */
export async function readWholly(tape: Tape, length: number): Promise<Buffer> {
  const bytes = await tape.read(length);
  if (bytes.length < length) throw cutOff();
  return bytes;
}

/** Bytes that are read together: headers of small files lie near each other. */
const windowBytes = 2 ** 16;

/** A file as it lies on the disk: what is skipped is not read.
 *  @param onRead  told whenever bytes have come */
export function fileTape(file: FileHandle, size: number, onRead: () => void): Tape {
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

/** Bytes from a place in a file. @throws Error where it ends before */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw cutOff();
    done += bytesRead;
  }
  return bytes;
}

/** What can only be read from its start, as a file that is packed.
 *  @param onRead  told whenever bytes have come */
export function streamTape(stream: AsyncIterable<Buffer>, onRead: () => void): Tape {
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
