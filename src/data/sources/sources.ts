import { stat } from 'node:fs/promises';
import { DataError, systemReason } from '../../errors.ts';
import { contentHash } from '../content-hash.ts';
import { type Difficulty, drawImage, renderImage, syntheticLabel } from '../drawn/draw.ts';
import { isImageName } from '../image-formats.ts';
import { openPacked, requirePreprocessing } from '../packed/file.ts';
import { packedExtension } from '../packed/format.ts';
import { readRows } from '../packed/rows.ts';
import type { Source } from '../source.ts';
import type { ArchiveOptions } from './archive.ts';
import type { Cifar10Options } from './cifar10.ts';
import { isFolder } from './files.ts';
import type { Hdf5Options } from './hdf5.ts';

/** What a source of each type is opened with. Paths are absolute or relative to the working directory. */
export interface SourceOptions {
  folder: { path: string };
  csv: { path: string };
  hdf5: Hdf5Options;
  archive: ArchiveOptions;
  cifar10: Cifar10Options;
  drawn: { count: number; seed: number; difficulty: Difficulty };
  packed: { path: string };
}

export type SourceType = keyof SourceOptions;
export type SourceChoice = { [T in SourceType]: { type: T } & SourceOptions[T] }[SourceType];

interface SourceEntry<T extends SourceType> {
  summary: string;
  /** how a path on the command line ends that is taken for this type */
  endings: readonly string[];
  open(options: SourceOptions[T], onProgress?: OpeningProgress): Promise<Source>;
}

/** Every kind of source. Each is loaded when it is first opened: HDF5 and CSV bring libraries of their own. */
export const sources: { [T in SourceType]: SourceEntry<T> } = {
  folder: {
    summary: 'one sub-folder per class, pictures at any depth',
    endings: [],
    open: async (options) => (await import('./folder.ts')).openFolder(options),
  },
  csv: {
    summary: 'a table with the columns path and label',
    endings: ['.csv', '.tsv'],
    open: async (options) => (await import('./csv.ts')).openCsv(options),
  },
  hdf5: {
    summary: "one HDF5 file of pictures and labels, such as each of the course's two",
    endings: ['.h5', '.hdf5'],
    open: async (options) => (await import('./hdf5.ts')).openHdf5(options),
  },
  archive: {
    summary: 'a ZIP or tar archive of one folder per class',
    endings: ['.zip', '.tar', '.tar.gz', '.tgz'],
    open: async (options, onProgress) =>
      (await import('./archive.ts')).openArchive(options, onProgress && percentOf(`the list of ${options.path}`, onProgress)),
  },
  cifar10: {
    summary: 'CIFAR-10, one of its ten classes against the others',
    endings: ['cifar-10-binary.tar.gz', 'cifar-10-batches-bin'],
    open: async (options, onProgress) =>
      (await import('./cifar10.ts')).openCifar10(options, onProgress && percentOf(`the list of ${options.path}`, onProgress)),
  },
  drawn: {
    summary: 'pictures that nn draws itself: cats, and other things',
    endings: [],
    open: async (options) => (await import('./sources.ts')).openSynthetic(options),
  },
  packed: {
    summary: 'pictures that nn data pack wrote',
    endings: [packedExtension],
    open: async (options) => (await import('./sources.ts')).openPackedSource(options),
  },
};

/** Told what is being read, and how much of it: also what takes its time before there are pictures. What it throws ends the opening. */
export type OpeningProgress = (title: string, done: number, total: number) => void;

/** Opens a source. @throws UserError (data) where it can't be read or is not of its type */
export function openSource({ type, ...options }: SourceChoice, onProgress?: OpeningProgress): Promise<Source> {
  // the table's type pairs each entry with its own options; TypeScript cannot see that through a variable key
  return (sources[type] as SourceEntry<SourceType>).open(options as SourceOptions[SourceType], onProgress);
}

/** Of bytes, which nobody wants to read by the billion. */
function percentOf(title: string, onProgress: OpeningProgress): (done: number, total: number) => void {
  return (done, total) => onProgress(title, Math.floor((100 * done) / total), 100);
}

/** The source that a path on the command line means: by its ending, the longest that fits, or a folder.
 *  @param positive  the class that is to count as 1, for a source that makes two classes of many
 *  @throws UserError (data) where it is neither */
export async function sourceAtPath(path: string, positive?: string): Promise<SourceChoice> {
  const type = typeByName(path);
  if (type === 'cifar10') return { type, path, positive };
  if (await isFolder(path)) return { type: 'folder', path };
  if (type !== undefined) return { type, path } as SourceChoice;
  const known = endings.map(({ ending }) => ending).join(', ');
  const wanted = `a folder with one sub-folder per class, or a file ending in ${known}`;
  const reason = await stat(path).then(() => undefined, systemReason);
  if (reason !== undefined)
    throw new DataError(`${path}: expected pictures, found: ${reason}`, { hint: `What is wanted is ${wanted}.` });
  throw new DataError(`${path}: expected ${wanted}; found neither`, { hint: hintFor(path) });
}

const endings = (Object.keys(sources) as SourceType[]).flatMap((type) =>
  sources[type].endings.map((ending) => ({ type, ending })),
);

/** The type that a name ends like, the longest ending that fits; undefined for a folder, or what is none. */
export function typeByName(path: string): SourceType | undefined {
  const name = path.toLowerCase().replace(/[/\\]+$/, '');
  const fitting = endings.filter(({ ending }) => name.endsWith(ending));
  return fitting.sort((a, b) => b.ending.length - a.ending.length)[0]?.type;
}

function hintFor(path: string): string | undefined {
  if (/\.json$/i.test(path)) return `Is it a config? --config ${path}`;
  return isImageName(path) ? `For single pictures: nn predict ${path}` : undefined;
}

/** Pictures that the project draws itself, made as they are asked for. */
export async function openSynthetic(options: { count: number; seed: number; difficulty: Difficulty }): Promise<Source> {
  const classes = ['cat', 'noncat'];
  const { seed, difficulty } = options;
  const draw = (index: number) => drawImage({ seed, index, difficulty });
  return {
    title: `drawn pictures (${difficulty}, seed ${seed})`,
    count: options.count,
    classes,
    name: (index) => `drawn-${seed}-${index}`,
    classOf: (index) => classes.indexOf(syntheticLabel({ seed, index, difficulty })),
    read: async (index, preprocessing) => {
      const image = draw(index);
      return { pixels: await renderImage(image, preprocessing), hash: contentHash(Buffer.from(image.svg)) };
    },
    original: async (index) => ({ file: Buffer.from(draw(index).svg) }),
    decoding: {
      kind: 'drawn',
      validator: async () => undefined, // what is drawn is the version's of nn: only the drawing tells
      decode: (_, index, preprocessing) => renderImage(draw(index), preprocessing),
    },
    isIndependent: true,
    notes: [],
  };
}

/** Pictures that `nn data pack` wrote: pixels as the network sees them, made once.
 *  @throws UserError (data) where the file is not whole and sound */
export async function openPackedSource({ path }: { path: string }): Promise<Source> {
  const file = openPacked(path);
  const { description, count, classes, classOf, names, hashes, features } = file;
  const { preprocessing } = description;
  const pixelsOf = async (index: number) => {
    const pixels = new Uint8Array(features);
    await readRows(file, Int32Array.of(index), pixels);
    return pixels;
  };
  return {
    title: path,
    count,
    classes,
    ...(description.classes.names && { positive: description.classes.positive }),
    name: (i) => names.slice(i, i + 1)[0]!,
    classOf: (i) => classOf[i]!,
    read: async (i, wanted) => {
      requirePreprocessing(file, wanted);
      return { pixels: await pixelsOf(i), hash: hashes.slice(i, i + 1)[0]! };
    },
    original: async (i) => ({ pixels: await pixelsOf(i), width: preprocessing.imageSize, height: preprocessing.imageSize }),
    packed: file,
    notes: [],
  };
}
