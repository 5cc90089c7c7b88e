import type { Classifier } from '../classifier/classifier.ts';
import { type Precision, precisions } from '../kernels/kernels.ts';
import type { ModelQuality, TestAnswer } from '../results/export.ts';
import { classifierFrom } from '../run/model-file.ts';
import { decodeTensors } from '../run/tensor-file.ts';

/** What an exported page carries beside its code, as JSON in an element of this id. Bytes are in base64. */
export const embeddedId = 'model';

export interface Embedded {
  /** of the nn that made the page */
  nn: string;
  /** a model file, to the byte */
  model: string;
  /** compiled for one thread: those of the model's precision, and of float64, in which a gradient is made */
  kernels: Partial<Record<Precision, string>>;
  /** (m, side · side · 3) pixels, and what nn answers for them */
  pictures: { pixels: string; answers: readonly TestAnswer[] };
  quality: ModelQuality | null;
}

/** The classifier in a page. @throws UserError (model) where it is not sound */
export function embeddedClassifier({ model }: Embedded): Classifier {
  const { metadata, tensors } = decodeTensors(bytesOf(model), 'the page');
  return classifierFrom(metadata['classifier'], tensors, { file: 'the page' });
}

/** Bytes from base64: a browser has no Buffer. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** The precisions whose kernels a page of such a model needs. */
export const kernelsWanted = (own: Precision): Precision[] =>
  (Object.keys(precisions) as Precision[]).filter((precision) => precision === own || precision === 'float64');
