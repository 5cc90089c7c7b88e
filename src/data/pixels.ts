import { setFlagsFromString } from 'node:v8';

/** Pixels of pictures, [m, n_x], picture after picture: in memory, or where they stay until they are asked for. */
export type Pixels = Uint8Array | StoredPixels;

/** Pixels that are read when they are needed. */
export interface StoredPixels {
  /** m */
  count: number;
  /** n_x */
  features: number;
  /** bytes of memory that reading may take at a time */
  budgetBytes: number;
  /** Reads pictures into the places 0, 1, 2, … of `out`, [rows.length, n_x]. */
  read(rows: Int32Array, out: Uint8Array): Promise<void>;
  /** The same at once: for a few pictures. */
  readNow(rows: Int32Array, out: Uint8Array): void;
  /** Some of them, as pixels of their own. */
  select(rows: Int32Array): StoredPixels;
}

export function isStored(pixels: Pixels): pixels is StoredPixels {
  return !(pixels instanceof Uint8Array);
}

/** m */
export function imageCount(pixels: Pixels, features: number): number {
  return isStored(pixels) ? pixels.count : pixels.length / features;
}

/** A few pictures, [rows.length, n_x]. */
export function fewImages(pixels: Pixels, rows: Int32Array, features: number): Uint8Array {
  const out = new Uint8Array(rows.length * features);
  if (isStored(pixels)) pixels.readNow(rows, out);
  else for (const [i, row] of rows.entries()) out.set(pixels.subarray(row * features, (row + 1) * features), i * features);
  return out;
}

/** Pixels that follow each other. */
export interface PixelBlock {
  /** of the first picture */
  first: number;
  count: number;
  /** [count, n_x]; good until the next block is asked for */
  bytes: Uint8Array;
}

/** What is read at a time where pictures are taken in order: enough that the disk reads at its speed. */
const blockBytes = 2 ** 23;

/** Pictures of a block, at most. */
export function blockLength({ features, budgetBytes }: StoredPixels): number {
  return Math.max(1, Math.floor(Math.min(blockBytes, budgetBytes / 2) / features));
}

/** All pixels in order; while a block is worked on, the next one is read. Those in memory are one block. */
export async function* pixelBlocks(pixels: Pixels, features: number): AsyncGenerator<PixelBlock> {
  if (!isStored(pixels)) {
    yield { first: 0, count: pixels.length / features, bytes: pixels };
    return;
  }
  const length = blockLength(pixels);
  const buffers = [0, 1].map(() => takeBuffer(Math.min(length, pixels.count) * features));
  const starts = Array.from({ length: Math.ceil(pixels.count / length) }, (_, i) => i * length);
  try {
    yield* readAhead(starts, async (first, turn) => {
      const count = Math.min(length, pixels.count - first);
      const bytes = buffers[turn]!.subarray(0, count * features);
      await pixels.read(
        Int32Array.from({ length: count }, (_, i) => first + i),
        bytes,
      );
      return { first, count, bytes };
    });
  } finally {
    for (const buffer of buffers) giveBuffer(buffer);
  }
}

/** The buffers of the last blocks that were read. Left to the collector, those of several passes over the pictures would pile up. */
const spareBuffers: Uint8Array[] = [];

function takeBuffer(bytes: number): Uint8Array {
  const i = spareBuffers.findIndex(({ length }) => length >= bytes);
  return i < 0 ? new Uint8Array(bytes) : spareBuffers.splice(i, 1)[0]!;
}

/** The two largest are kept. */
function giveBuffer(buffer: Uint8Array): void {
  spareBuffers.push(buffer);
  spareBuffers.sort((a, b) => b.length - a.length).splice(2);
}

/** All pixels, in memory. */
export async function allPixels(pixels: Pixels, features: number): Promise<Uint8Array> {
  if (!isStored(pixels)) return pixels;
  const out = new Uint8Array(pixels.count * features);
  for await (const { first, bytes } of pixelBlocks(pixels, features)) out.set(bytes, first * features);
  return out;
}

/** Reads one thing after the other, the next one while whoever listens works on the last. It ends when nothing is being read
 *  any more, however it ends: the buffers may then be given back.
 *  @param read  told which of two buffers is free */
export async function* readAhead<Place, Value>(
  places: Iterable<Place>,
  read: (place: Place, turn: 0 | 1) => Promise<Value>,
): AsyncGenerator<Value> {
  const left = places[Symbol.iterator]();
  let turn: 0 | 1 = 0;
  const start = (): Promise<Value> | undefined => {
    const { done, value } = left.next();
    if (done) return undefined;
    const reading = read(value, turn);
    turn = turn === 0 ? 1 : 0;
    reading.catch(() => {}); // it is awaited in its turn; until then a failure is not "unhandled"
    return reading;
  };
  let reading = start();
  try {
    while (reading !== undefined) {
      const value: Value = await reading;
      reading = start();
      yield value;
    }
  } finally {
    await reading?.catch(() => {});
  }
}

/** Keeps V8's room for young objects as it is. It grows with all that ever outlived a collection, up to 48 MB, and is not given back:
 *  where millions of pictures pass by, it would grow for nothing. bin/nn.js begins so; but with each thread that starts V8 takes
 *  its own rule again, so whoever reads on and on says it again. */
export function limitYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Lets it grow: where pictures are held in memory, 30 MB more are little, and code that makes many objects is quicker with them. */
export function growYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
