import { openPacked, requirePreprocessing } from '../packed/file.ts';
import { readRows } from '../packed/rows.ts';
import type { Source } from '../source.ts';

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
