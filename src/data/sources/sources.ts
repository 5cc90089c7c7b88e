import { extname } from 'node:path';
import { UserError } from '../../errors.ts';
import type { Difficulty } from '../drawn/draw.ts';
import { packedExtension } from '../packed/format.ts';
import type { Source } from '../source.ts';
import { isFolder } from './files.ts';
import type { Hdf5Options } from './hdf5.ts';

/** What a source of each type is opened with. Paths are absolute or relative to the working directory. */
export interface SourceOptions {
  folder: { path: string };
  csv: { path: string };
  hdf5: Hdf5Options;
  drawn: { count: number; seed: number; difficulty: Difficulty };
  packed: { path: string };
}

export type SourceType = keyof SourceOptions;
export type SourceChoice = { [T in SourceType]: { type: T } & SourceOptions[T] }[SourceType];

interface SourceEntry<T extends SourceType> {
  summary: string;
  /** extensions by which a path on the command line is taken for this type */
  extensions: readonly string[];
  open(options: SourceOptions[T]): Promise<Source>;
}

/** Every kind of source. Each is loaded when it is first opened: HDF5 and CSV bring libraries of their own. */
export const sources: { [T in SourceType]: SourceEntry<T> } = {
  folder: {
    summary: 'one sub-folder per class, pictures at any depth',
    extensions: [],
    open: async (options) => (await import('./folder.ts')).openFolder(options),
  },
  csv: {
    summary: 'a table with the columns path and label',
    extensions: ['.csv'],
    open: async (options) => (await import('./csv.ts')).openCsv(options),
  },
  hdf5: {
    summary: "one HDF5 file of pictures and labels, such as each of the course's two",
    extensions: ['.h5', '.hdf5'],
    open: async (options) => (await import('./hdf5.ts')).openHdf5(options),
  },
  drawn: {
    summary: 'pictures that nn draws itself: cats, and other things',
    extensions: [],
    open: async (options) => (await import('./drawn.ts')).openDrawn(options),
  },
  packed: {
    summary: 'pictures that nn data pack wrote',
    extensions: [packedExtension],
    open: async (options) => (await import('./packed.ts')).openPackedSource(options),
  },
};

/** Opens a source. @throws UserError (data) where it can't be read or is not of its type */
export function openSource({ type, ...options }: SourceChoice): Promise<Source> {
  // the table's type pairs each entry with its own options; TypeScript cannot see that through a variable key
  return (sources[type] as SourceEntry<SourceType>).open(options as SourceOptions[SourceType]);
}

/** The source that a path on the command line means: by its extension, or a folder.
 *  @throws UserError (data) where it is neither */
export async function sourceAtPath(path: string): Promise<SourceChoice> {
  if (await isFolder(path)) return { type: 'folder', path };
  const extension = extname(path).toLowerCase();
  const type = (Object.keys(sources) as SourceType[]).find((key) => sources[key].extensions.includes(extension));
  if (type !== undefined) return { type, path } as SourceChoice;
  const known = Object.values(sources).flatMap((entry) => entry.extensions);
  throw new UserError(
    'data',
    `${path}: expected a folder with one sub-folder per class, or a file ending in ${known.join(', ')}; found neither`,
  );
}
