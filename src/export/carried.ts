import { logits } from '../classifier/classifier.ts';
import { kernelsFor } from '../kernels/select.ts';
import type { CheckedExport, ExportDescription } from '../results/export.ts';
import { classifierFrom } from '../run/model-file.ts';
import type { Tensor } from '../run/tensor-file.ts';
import { damaged } from './description.ts';
import { answersOf, compareAnswers } from './test-pictures.ts';

/** What a file that holds numbers alone was found to carry. */
export interface Carried {
  description: ExportDescription;
  tensors: Readonly<Record<string, Tensor>>;
  /** (m, side · side · 3) */
  pixels: Uint8Array;
}

/** Makes a classifier of the numbers of a file, asks it for the pictures that the file carries, and compares.
 *  @throws UserError (model) where they are not sound */
export function checkCarried({ description, tensors, pixels }: Carried, file: string): CheckedExport {
  const classifier = classifierFrom(JSON.stringify(description), tensors, { file });
  requirePixels(pixels, description, file);
  const found = answersOf(classifier, logits(classifier, kernelsFor(classifier.precision), pixels));
  return compareAnswers(description, found);
}

/** @throws UserError (model) where there are not as many pictures as answers */
export function requirePixels(pixels: Uint8Array, { network, answers }: ExportDescription, file: string): void {
  const expected = answers.length * network.inputs;
  if (pixels.length !== expected || expected === 0)
    throw damaged(file, `expected ${expected} bytes of test pictures, found ${pixels.length}`);
}
