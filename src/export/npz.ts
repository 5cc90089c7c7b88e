import { unzipSync, zipSync } from 'fflate';
import { channels } from '../data/image.ts';
import { UserError } from '../errors.ts';
import { tensorsOf } from '../run/model-file.ts';
import type { Tensor } from '../run/tensor-file.ts';
import { byteText } from '../text.ts';
import { checkCarried } from './carried.ts';
import { damaged, describe, parseJson, readDescription } from './description.ts';
import type { ExportFormat } from './export-format.ts';
import { decodeNpy, encodeNpy, type NpyArray } from './npy.ts';

/** ZIP has larger ones in another form, which not all programs read. */
const mostBytes = 2 ** 31 - 1;
/** Of the arrays that are no tensors. */
const beside = { description: 'description', pictures: 'pictures', p: 'p', logit: 'logit' } as const;
const ending = '.npy';

/** An archive of NumPy: the tensors under their names, and beside them pictures (m, side, side, 3), p (m), logit (m) and `description`, the
 *  bytes of a text in JSON. It is not compressed: weights hardly get smaller. */
export const npz: ExportFormat = {
  summary: 'the arrays of NumPy, in the shapes that they have in the course',
  extension: '.npz',
  recognizes: (start) => ['P', 'K', '\u0003', '\u0004'].every((sign, i) => start[i] === sign.charCodeAt(0)),

  async write(model) {
    const { pixels, answers } = model.pictures;
    const side = model.classifier.preprocessing.imageSize;
    const text = Buffer.from(JSON.stringify(describe(model)));
    const column = (of: 'p' | 'logit') => ({ shape: [answers.length], data: Float64Array.from(answers, (answer) => answer[of]) });
    const arrays: Record<string, NpyArray> = {
      ...tensorsOf(model.classifier),
      [beside.pictures]: { shape: [answers.length, side, side, channels], data: pixels },
      [beside.p]: column('p'),
      [beside.logit]: column('logit'),
      [beside.description]: { shape: [text.length], data: text },
    };
    const bytes = Object.values(arrays).reduce((sum, { data }) => sum + data.byteLength, 0);
    if (bytes > mostBytes)
      throw new UserError('usage', `--format npz: expected a model of at most ${byteText(mostBytes)}, found ${byteText(bytes)}`);
    const files = Object.entries(arrays).map(([name, array]) => [`${name}${ending}`, encodeNpy(array)]);
    // the same model gives the same bytes at any time
    return zipSync(Object.fromEntries(files), { level: 0, mtime: new Date(1980, 0, 1) });
  },

  async check(bytes, file) {
    const arrays = arraysIn(bytes, file);
    const { description: text, pictures, p: _, logit: __, ...rest } = arrays;
    if (!(text?.data instanceof Uint8Array && pictures?.data instanceof Uint8Array))
      throw damaged(file, `expected ${beside.description} and ${beside.pictures} of bytes, found none`);
    const description = await readDescription(parseJson(text.data, file), file);
    return checkCarried({ description, tensors: rest as Record<string, Tensor>, pixels: pictures.data }, file);
  },
};

/** @throws UserError (model) where it is no archive of arrays */
function arraysIn(bytes: Uint8Array, file: string): Record<string, NpyArray> {
  try {
    let total = 0;
    const filter = ({ originalSize }: { originalSize: number }) => {
      total += originalSize;
      if (total > mostBytes) throw new Error(`more than ${byteText(mostBytes)} in it`);
      return true;
    };
    const files = Object.entries(unzipSync(bytes, { filter })).filter(([name]) => name.endsWith(ending));
    return Object.fromEntries(files.map(([name, content]) => [name.slice(0, -ending.length), decodeNpy(content)]));
  } catch (error) {
    throw damaged(file, `expected an archive of NumPy, found one that is damaged: ${(error as Error).message}`, error);
  }
}
