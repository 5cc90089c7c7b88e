import { z } from 'zod';
import { accuracy, classes, count, interval } from './metrics.ts';
import { modelDescription } from './model.ts';

export const testAnswer = z.object({
  p: z.number().min(0).max(1).describe('of the positive class'),
  logit: z.number().describe('p = σ(logit)'),
  label: z.string().describe('the class that p means at the threshold of the model'),
});
export type TestAnswer = z.infer<typeof testAnswer>;

export const modelQuality = z
  .object({
    part: z.enum(['test', 'dev']).describe('of the data that it was measured on'),
    pictures: count.describe('of that part'),
    accuracy,
    accuracyInterval: interval.describe('95%, Wilson'),
    trainedOn: z
      .object({ total: count.describe('pictures'), positive: count.describe('of them of the positive class') })
      .describe('what it was trained on'),
  })
  .describe('how good it is on pictures that it was not trained on');
export type ModelQuality = z.infer<typeof modelQuality>;

const precision = z.enum(['float32', 'float64']);
export const exportFormat = z.string().describe('of the exported file');

const op = z.object({
  kind: z.string().describe('such as linear, conv, batchNorm, activation'),
  layer: count.describe('of those with weights, 1 for the first'),
  input: z.array(count).readonly().describe('of an example: rows, columns, channels, or how many numbers'),
  output: z.array(count).readonly().describe('the same of what it gives'),
  tensors: z.array(z.string()).readonly().describe('names of its tensors'),
  description: z.string().nullable().describe('in a word or two; null for what goes without saying'),
  partner: z.int().nullable().describe('of an end of a residual block, where the other is, counted from it; null of others'),
});

/** What an exported file says beside its numbers and pixels. The fields of a model file stand in it too. */
export const exportDescription = z.looseObject({
  format: z.literal('cat-nn export').describe('what tells it from other files'),
  version: z.literal(1).describe('of what stands here'),
  nn: z.string().describe('the version of nn that wrote it'),
  ...modelDescription.pick({
    network: true,
    precision: true,
    preprocessing: true,
    normalize: true,
    classes: true,
    threshold: true,
    loss: true,
    temperature: true,
    averageMirrored: true,
  }).shape,
  numbers: precision.describe('of the numbers in the file; `precision` is that of the model'),
  resizeKernel: z.string().describe('by which nn makes pictures smaller or larger'),
  ops: z.array(op).readonly().describe('the operations, in their order'),
  quality: modelQuality.nullable().describe('null where it is not known'),
  answers: z.array(testAnswer).readonly().describe('of nn for the test pictures, in their order'),
  largest: z.number().nonnegative().describe('the largest number that any layer gave for them: what rounding is relative to'),
});
export type ExportDescription = z.infer<typeof exportDescription>;

/** The object of `nn export --json`. */
export const exported = z.object({
  out: z.string().describe('the file that was written'),
  format: exportFormat,
  model: z.string().describe('the model file'),
  bytes: count.describe('of the exported file'),
  precision: precision.describe('of the numbers in it'),
  classes,
  pictures: count.describe('that it carries, with their answers'),
  quality: modelQuality.nullable().describe('null where no summary.json beside the model tells it'),
});
export type Exported = z.infer<typeof exported>;

const checkedExport = z.object({
  pictures: count.describe('that were asked for: those that the file carries'),
  largestDifferenceP: z.number().describe('between an answer of the file and that of nn'),
  largestDifferenceLogit: z.number().describe('the same of the logits'),
  otherLabels: count.describe('pictures that get another class, and are not at the threshold, where rounding decides'),
  tolerance: z.number().describe('the largest difference of logits that is rounding'),
  agrees: z.boolean().describe('whether no class is another, and no logit differs by more'),
});
export type CheckedExport = z.infer<typeof checkedExport>;

/** The object of `nn export --check --json`. */
export const exportCheck = z.object({
  file: z.string().describe('that was checked'),
  format: exportFormat,
  ...checkedExport.shape,
});
export type ExportCheck = z.infer<typeof exportCheck>;
