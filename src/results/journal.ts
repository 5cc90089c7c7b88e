import { z } from 'zod';
import { accuracy, count, seconds } from './metrics.ts';

const layerNorms = z
  .object({
    examples: count.describe("of the step's batch: what the rest was measured on"),
    gradientNorm: z.number().describe('‖dW‖'),
    updateNorm: z.number().describe('‖ΔW‖'),
    weightNorm: z.number().describe('‖W‖'),
    activationMean: z.number().describe("of the layer's outputs over the batch: logits for the output layer"),
    activationSize: z.number().describe("√ of the mean square of the layer's outputs"),
    zeros: z.number().describe('the share of outputs that are 0: units of ReLU that are off, or dropped'),
  })
  .describe('what one step did in a layer');
export type LayerNorms = z.infer<typeof layerNorms>;

/** What an epoch did. Epochs count from 1. */
const epochLine = z.object({
  epoch: count.describe('from 1'),
  cost: z.number().describe("the mean over the epoch's batches, each before its own update and as trained, without L2"),
  l2Cost: z.number().describe('(λ/2m) Σ‖W‖², the mean over the batches'),
  train: z.object({ accuracy }).describe('of the same passes; of mixed pictures the label of the larger share counts'),
  dev: z
    .object({ cost: z.number().describe('unweighted, without L2'), accuracy })
    .nullable()
    .describe("in inference mode after the epoch's updates; null where this epoch was not evaluated"),
  learningRate: z.number().describe("the first layer's at the epoch's last step, after the schedule"),
  seconds: seconds.describe('since the start'),
  layers: z.array(layerNorms).nullable().describe("of the epoch's last step; null where this epoch was not evaluated"),
});
export type EpochLine = z.infer<typeof epochLine>;

/** Of an epoch what a learning curve shows. */
export const curvePoint = epochLine.pick({ epoch: true, cost: true, train: true, dev: true });
export type CurvePoint = z.infer<typeof curvePoint>;

const divergence = z.object({
  epoch: count.describe('from 1'),
  step: count.describe('from 1, over all epochs'),
  layer: count.describe('1 for the first'),
  tensor: z.string().describe('such as W1'),
  learningRate: z.number().describe('at which it broke'),
  proposedRate: z
    .union([z.number(), z.array(z.number())])
    .nullable()
    .describe('for all layers, or one a layer where they differ; null where it broke before any step, so that none is to blame'),
  what: z.string().describe('what went wrong'),
  examples: z.array(z.string()).describe("names of the pictures in the bad step's batch"),
});
export type Divergence = z.infer<typeof divergence>;

const fold = count.optional().describe('which fold of cross-validation, from 1; absent in the final training');

/** The line of an epoch. Layers in that of 0.1.0 do not say on how many examples they were measured. */
export const journalEpoch = z.object({
  fold,
  ...epochLine.shape,
  layers: z
    .array(layerNorms.partial({ examples: true }))
    .nullable()
    .describe('likewise'),
});
export type JournalEpoch = z.infer<typeof journalEpoch>;

/** A line of journal.jsonl. */
export const journalLine = z.union([
  journalEpoch,
  z.object({ fold, diverged: divergence.describe('where and how the training broke') }),
]);
export type JournalLine = z.infer<typeof journalLine>;
