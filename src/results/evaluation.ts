import { z } from 'zod';
import { count, interval, metrics, partName } from './metrics.ts';

const predictionRow = z
  .object({
    file: z.string().describe("the picture's name in its source"),
    truth: z.string().describe('the label that it has'),
    label: z.string().describe('the label that it was given'),
    p: z.number().describe('of the positive class'),
    confidence: z.number().describe('of the label that was given'),
    correct: z.boolean().describe('whether the two labels are the same'),
    path: z
      .string()
      .nullable()
      .describe('as `nn predict` names it, so that it can be opened from here; null where it is no file'),
  })
  .describe('the answer for one labelled picture');
export type PredictionRow = z.infer<typeof predictionRow>;

/** What of the pictures that a model is evaluated on it was trained on. */
const unseen = z.object({
  trainedOn: count.nullable().describe('how many, by content; null where that is not known: a model without its run'),
  nearCopies: count.nullable().describe('others that are near copies of such a picture; null where they were not looked for'),
  unseen: metrics.nullable().describe('the metrics of all that are neither; null where there are none, or that is not known'),
});
export type Unseen = z.infer<typeof unseen>;

/** The object of `nn evaluate --json`: the metrics of one part, or of another source. */
export const evaluation = z.object({
  ...metrics.shape,
  ...unseen.partial().shape,
  abstaining: z
    .object({
      confidence: z.number().describe('from which it answers'),
      answered: count.describe('pictures that it answers'),
      accuracy: z.number().nullable().describe('of those; null where there are none'),
      accuracyInterval: interval.nullable().describe('95%, Wilson'),
    })
    .optional()
    .describe('what `nn predict --abstain` would do; absent for a model without a bound, or with another threshold than its own'),
  rows: z.array(predictionRow).optional().describe('with --predictions'),
  worst: z.array(predictionRow).optional().describe('with --worst: the most confident errors, worst first'),
});
export type Evaluation = z.infer<typeof evaluation>;

/** A line of `nn predict --json`; `p` and what follows from it are null where the picture could not be read. */
export const prediction = z.object({
  file: z.string().describe('as it was named'),
  label: z
    .string()
    .nullable()
    .describe('the class that it was given, or unsure with --abstain; null, as what follows, where it could not be read'),
  p: z.number().nullable().describe('of the positive class'),
  confidence: z.number().nullable().describe('of the label'),
  threshold: z.number().describe('p above it is positive'),
  model: z.string().describe('the model file'),
  error: z.string().nullable().describe('why it could not be read'),
});
export type Prediction = z.infer<typeof prediction>;

/** A row of a run's predictions.csv, as JSON: what the model answers for a picture of a part. */
export const storedPrediction = z.object({
  hash: z.string().min(1).describe('of its content, as in split.csv'),
  part: partName,
  p: z.number().min(0).max(1).describe('of the positive class'),
});
export type StoredPrediction = z.infer<typeof storedPrediction>;
