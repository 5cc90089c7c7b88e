import { availableParallelism } from 'node:os';
import { UserError } from '../errors.ts';
import { contentHash } from './content-hash.ts';
import type { EncodedImage, Preprocessing } from './image.ts';
import { DamagedFile } from './image-errors.ts';
import type { PackedFile } from './packed/file.ts';

/** A collection of labelled pictures that is read one by one: nothing of it is kept in memory but names. */
export interface Source {
  /** how errors and reports call it */
  title: string;
  count: number;
  /** the names of the classes, sorted by UTF-16 code units; how many there are is for `orderClasses` to judge */
  classes: readonly string[];
  /** of more than two: the one that was named to stand against the others when the source was made */
  positive?: string;
  name(index: number): string;
  /** an index into `classes` */
  classOf(index: number): number;
  /** @throws UserError (data) with the reason, where this one picture can't be read */
  read(index: number, preprocessing: Preprocessing): Promise<SourceImage>;
  /** the picture as the source holds it, for `nn data inspect`; `contentHash` of it is the hash that `read` gives.
   *  @throws UserError (data) with the reason, where this one picture can't be read */
  original(index: number): Promise<EncodedImage>;
  /** where the pictures lie as pixels already: they can be read in blocks, or stay where they are */
  packed?: PackedFile;
  /** true where each picture was made on its own: however alike two are, neither is a copy */
  isIndependent?: true;
  /** what was passed over, for a warning; empty where nothing was */
  notes: readonly string[];
  /** for the cache of decoded pictures; absent where originals are pixels already */
  decoding?: Decoding;
}

/** The hash that `read` gives, without decoding. A packed file has those of what it was made of.
 *  @throws UserError (data) with the reason, where this one picture can't be read */
export async function hashOf({ packed, original }: Source, index: number): Promise<string> {
  if (packed) return (await packed.hashes.slice(index, index + 1))[0]!;
  const found = await original(index);
  return contentHash('file' in found ? found.file : found.pixels);
}

/** Some pictures of a source, in the order of the indices, as a source of their own. */
export function pieceOf(source: Source, indices: Int32Array): Source {
  const { packed: _, decoding: __, ...rest } = source;
  const at = (index: number) => indices[index]!;
  return {
    ...rest,
    count: indices.length,
    name: (index) => source.name(at(index)),
    classOf: (index) => source.classOf(at(index)),
    read: (index, preprocessing) => source.read(at(index), preprocessing),
    original: (index) => source.original(at(index)),
  };
}

/** How the files that are a source's originals become pixels, and how one is told again. */
export interface Decoding {
  /** originals of one kind and one content have the same pixels */
  kind: 'file' | 'drawn';
  /** what tells that a picture is the one seen before without reading it, such as path, size and time of its file;
   *  undefined where that can't be told */
  validator(index: number): Promise<string | undefined>;
  /** @throws UserError (data) with the reason */
  decode(file: Uint8Array, index: number, preprocessing: Preprocessing): Promise<Uint8Array>;
}

export interface SourceImage {
  /** imageSize · imageSize · 3 bytes */
  pixels: Uint8Array;
  /** of the picture as the source holds it */
  hash: string;
}

/** How many pictures are under way at once: more than there are threads to decode on (bin/nn.js), since results are taken in
 *  order and a slow picture at the front would leave the cores idle. Those that wait hold the bytes of their files alone. */
export function decodesAtOnce(): number {
  return 4 * availableParallelism() + 8;
}

/** Applies an asynchronous function to items, at most `atOnce` at a time, and gives the results in order. */
export async function* mapInOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  atOnce: number,
  apply: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = apply(item);
      result.catch(() => {}); // it is awaited in its turn; until then a failure is not "unhandled"
      pending.push(result);
      if (pending.length >= atOnce) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
}

/** Reads images of a source, several at a time.
 *  @returns each with its index, or why it can't be read, in the order of the indices */
export function readInOrder(source: Source, indices: Iterable<number>, preprocessing: Preprocessing) {
  return mapInOrder(indices, decodesAtOnce(), async (index) => ({
    index,
    outcome: await attempt(source.read(index, preprocessing)),
  }));
}

/** first … end − 1, made as they are asked for: an array of millions would be memory. */
export function* range(first: number, end: number): Generator<number> {
  for (let i = first; i < end; i++) yield i;
}

export type Attempt<T> = { value: T } | Unread;

/** Why a picture can't be read. */
export interface Unread {
  reason: string;
  /** else it may be sound, and be read by whoever has the right, the decoder or the memory */
  isDamaged: boolean;
}

/** A picture that can't be read is a result here; any other failure stays one. */
export async function attempt<T>(read: Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await read };
  } catch (error) {
    if (error instanceof UserError && error.kind === 'data')
      return { reason: error.message, isDamaged: error instanceof DamagedFile };
    throw error;
  }
}
