import type { ExampleSet } from './examples.ts';
import type { Preprocessing } from './image.ts';
import { type Loaded, type LoadOptions, loadExamples, readPictures, storedExamples } from './load.ts';
import { hashBytes } from './packed/format.ts';
import { pixelsInFile } from './packed/pixels.ts';
import { type Scratch, writeRows } from './scratch.ts';
import type { Source } from './source.ts';
import { hexTexts, selectTexts } from './texts.ts';
import { letYoungRoomGrow } from './young-objects.ts';

/** MiB of pixels that pictures may take in memory, unless a config says otherwise. */
export const defaultMemory = 1024;

/** Whether pictures are brought into memory or read as they are wanted. No result depends on it.
 *  @param memory  of pixels, in MiB
 *  @returns bytes that reading them may take at a time; null where they all fit */
export function roomFor(sources: readonly Source[], { imageSize }: Preprocessing, memory: number): number | null {
  const bytes = memory * 2 ** 20;
  const features = imageSize ** 2 * 3;
  return sources.reduce((sum, { count }) => sum + count * features, 0) <= bytes ? null : bytes;
}

export interface OpenOptions extends LoadOptions {
  /** of `roomFor` */
  room: number | null;
  /** where pixels are kept that memory should not hold */
  scratch: Scratch;
}

/** Reads all pictures of a source into memory, or leaves them on the disk: packed ones where they are, others in a file of
 *  this process.
 *  @throws UserError as loadExamples does; (data) where that file can't be written */
export async function openExamples(source: Source, { room, scratch, ...options }: OpenOptions): Promise<Loaded<ExampleSet>> {
  if (room === null) {
    const loaded = await loadExamples(source, options);
    letYoungRoomGrow();
    return loaded;
  }
  if (source.packed) return storedExamples(source.packed, { ...options, room });
  return spreadOut(source, options, { room, scratch });
}

/** Decodes all pictures, one after the other, into rows of a file. In memory are their labels and hashes: 17 bytes each.
 *  @throws UserError as readPictures does */
async function spreadOut(
  source: Source,
  options: LoadOptions,
  { room, scratch }: Pick<OpenOptions, 'scratch'> & { room: number },
): Promise<Loaded<ExampleSet>> {
  const features = options.preprocessing.imageSize ** 2 * 3;
  const file = await scratch.open(source.count * features);
  const rows = writeRows(file);
  const hashes = Buffer.alloc(source.count * hashBytes);
  const kept = new Int32Array(source.count);
  let count = 0;
  const take: Parameters<typeof readPictures>[2] = ({ pixels, hash }, index) => {
    hashes.write(hash, count * hashBytes, 'hex');
    kept[count++] = index;
    return rows.add(pixels);
  };
  const { labels, ...rest } = await readPictures(source, options, take).finally(rows.settle);
  await rows.flush();
  const slice = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => source.name(first + i));
  const all = { length: source.count, slice };
  return {
    examples: {
      features,
      pixels: pixelsInFile({ ...file, pixelsAt: 0, count, features }, null, room),
      labels,
      names: count === source.count ? all : selectTexts(all, kept.slice(0, count)),
      hashes: hexTexts(count, (first, end) => hashes.subarray(first * hashBytes, end * hashBytes)),
    },
    ...rest,
  };
}
