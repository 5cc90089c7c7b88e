import { UserError } from '../errors.ts';
import type { Precision } from '../kernels/kernels.ts';
import { opsOf } from '../nn/build.ts';
import type { Shape } from '../nn/op.ts';
import type { ExportDescription } from '../results/export.ts';
import type { ExportedModel } from './exported-model.ts';

/** What tells an exported file from others of its kind. */
export const exportMark = 'cat-nn export';

/** All that an exported file says beside its numbers and pixels: what the metadata of a model file has, the operations in their order, and the answers.
 *  @param numbers  of which kind those in the file are */
export function describe(
  { classifier, pictures, version, resizeKernel, quality }: ExportedModel,
  numbers: Precision = classifier.precision,
): ExportDescription {
  const { parameters: _, scaling: __, ...rest } = classifier;
  return {
    format: exportMark,
    version: 1,
    nn: version,
    ...rest,
    numbers,
    resizeKernel,
    ops: opsOf(classifier.network).map(({ kind, layer, input, output, tensors, partner, description }) => ({
      kind,
      layer: layer + 1,
      input: sizes(input),
      output: sizes(output),
      tensors: tensors.map(({ name }) => name),
      description,
      partner: partner ?? null,
    })),
    quality,
    answers: pictures.answers,
    largest: pictures.largest,
  };
}

function sizes(shape: Shape): number[] {
  return 'features' in shape ? [shape.features] : [shape.height, shape.width, shape.channels];
}

/** @throws UserError (model) where it is no JSON */
export function parseJson(bytes: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw damaged(file, 'expected JSON, found what is none', error);
  }
}

/** Checks a description that was read from a file.
 *  @throws UserError (model) where it is none of nn's, or not sound */
export async function readDescription(value: unknown, file: string): Promise<ExportDescription> {
  const { exportDescription } = await import('../results/export.ts');
  const { success, data, error } = exportDescription.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw damaged(
    file,
    `expected what nn export wrote, found no sound value in ${issue!.path.join('.') || 'its description'}`,
    error,
  );
}

export function damaged(file: string, text: string, cause?: unknown): UserError {
  return new UserError('model', `${file}: ${text}`, { hint: 'Export the model again: nn export --out FILE', cause });
}
