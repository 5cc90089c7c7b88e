import { z } from 'zod';
import { count, interval, ofParts, seconds, storedMetrics } from './metrics.ts';

export const verdict = z.enum(['high bias', 'high variance', 'high bias and high variance', 'neither']);
export type Verdict = z.infer<typeof verdict>;

/** The two that a verdict is made of. */
export const side = z.enum(['avoidableBias', 'variance']);
export type Side = z.infer<typeof side>;

export const stopped = z.enum(['finished', 'early', 'time', 'interrupted']).describe('why the training ended');
export type Stopped = z.infer<typeof stopped>;

const set = z.array(z.string()).describe('PATH=VALUE, as for --set');

export const remedy = z.object({
  title: z.string(),
  why: z.string(),
  set,
  timesAsLong: z.number().nonnegative().nullable().describe('a training with it, in trainings as this one; null without changes'),
  affordable: z
    .object({ set, timesAsLong: z.number().nonnegative() })
    .nullable()
    .describe('of one that takes very much longer: what else makes it as many steps in less time'),
});
export type Remedy = z.infer<typeof remedy>;

export const imbalance = z
  .object({
    positive: z.boolean().describe('whether the smaller class is the positive one'),
    share: z.number().describe('of the training pictures that are of it'),
    error: z.number().describe('of it that are wrong, on train'),
  })
  .describe('classes so unequal that accuracy hides how the smaller one fares');
export type Imbalance = z.infer<typeof imbalance>;

const bias = z.object({
  verdict,
  avoidableBias: z.number().describe('train error − targetError'),
  variance: z.number().describe('dev error − train error'),
  intervals: z.object({ avoidableBias: interval, variance: interval }).describe('95%, of both'),
  unsure: z.array(side).describe('those whose interval holds both sides of their threshold: the verdict could be chance'),
  certain: z.boolean().describe('whether there are none'),
  enough: count.nullable().describe('times as many pictures that would leave none unsure; null where 100 times would not'),
});
export type Bias = z.infer<typeof bias>;

export const diagnosis = z.object({
  ...bias.shape,
  collapsed: z.boolean().describe('every training picture gets the same answer'),
  answers: z
    .enum(['larger class', 'smaller class'])
    .nullable()
    .describe('which answer that is; null where pictures are told apart'),
  imbalance: imbalance.nullable(),
  guessing: z.number().describe('the cost on train of a network that sees nothing'),
  worseThanGuessing: z.boolean(),
  targetError: z.number().describe('the error that is thought possible'),
  comparedWith: z.enum(['dev', 'test']),
  remedies: z.array(remedy),
});
export type Diagnosis = z.infer<typeof diagnosis>;
export type Answers = NonNullable<Diagnosis['answers']>;

/** As it stands in files: that of 0.1.0 has less. */
const storedDiagnosis = diagnosis
  .extend({ remedies: z.array(remedy.partial({ timesAsLong: true, affordable: true })) })
  .partial({ answers: true, imbalance: true, guessing: true, worseThanGuessing: true });
export type StoredDiagnosis = z.infer<typeof storedDiagnosis>;

const spread = z.object({ mean: z.number(), spread: z.number().describe('standard deviation'), values: z.array(z.number()) });

export const examples = ofParts(z.object({ total: count, positive: count }));

/** The object of `nn train --json` and of summary.json. */
export const trainSummary = z.object({
  run: z.string().describe('the folder of the run'),
  model: z.string().describe('the model file'),
  seed: count,
  seconds: seconds.describe('of training, in all sessions'),
  epochs: count.describe('trained'),
  bestEpoch: count.describe('the one whose weights are kept'),
  stopped,
  parameters: count.describe('numbers that training moves'),
  threshold: z.number().optional().describe('p above it is positive'),
  examples,
  metrics: ofParts(storedMetrics.nullable()),
  folds: z
    .object({ count, accuracy: spread, cost: spread, bestEpochs: z.array(count).optional() })
    .optional()
    .describe("cross-validation on the training pictures: what each fold's training made of the pictures it did not see"),
  diagnosis: storedDiagnosis.nullable().describe('null without dev and test'),
  warnings: z.array(z.string()),
  report: z.string().nullable().optional().describe('the report, from the run; null where none was wanted'),
});
export type TrainSummary = z.infer<typeof trainSummary>;

/** What a training would do: the object of `nn train --dry-run --json`. */
export const trainPlan = z.object({
  config: z.string(),
  examples,
  classes: z.object({ positive: z.string(), negative: z.string() }),
  layers: z.array(
    z.object({
      name: z.string(),
      shape: z.tuple([count, count]).readonly().describe('(n_l, n_(l−1))'),
      activation: z.string(),
      init: z.string(),
      parameters: count,
    }),
  ),
  parameters: count,
  learningRates: z.array(z.number()).describe('one a layer'),
  batch: count.describe('examples a step'),
  epochs: count,
  form: z.object({ form: z.string(), why: z.string() }).describe('of the first layer'),
  memoryBytes: z.number(),
  memory: z.array(z.object({ what: z.string(), bytes: z.number() })).describe('what it is made of'),
  estimatedSeconds: seconds,
  warnings: z.array(z.string()),
});
export type TrainPlan = z.infer<typeof trainPlan>;

const breakKind = z.enum(['rose', 'died', 'overflowed']);
/** How a training breaks: its cost rises far above its start, a hidden layer gives 0 for every picture, or numbers overflow. */
export type Break = z.infer<typeof breakKind>;

/** What a learning-rate range test found: the object of `nn train --find-rate --json`. */
export const foundRate = z.object({
  rates: z.array(z.number()),
  costs: z.array(z.number()),
  smoothed: z.array(z.number()).describe('the costs with less of the noise of batches; the same where there is none'),
  diverged: z.number().nullable().describe('the rate at which the range test broke'),
  broke: breakKind.nullable().describe('how it broke'),
  steps: count.describe('of each short training'),
  trials: z
    .array(z.object({ rate: z.number(), cost: z.number().nullable(), broke: breakKind.nullable() }))
    .describe('short trainings at one rate each, the highest of their last costs; null where that broke off, and how'),
  proposed: z.number().nullable().describe('null where no rate brought the cost down calmly'),
  set: z.string().nullable().describe('what takes the proposal over, as for --set'),
});
export type FoundRate = z.infer<typeof foundRate>;
