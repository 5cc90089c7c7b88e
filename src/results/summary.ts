import { z } from 'zod';
import {
  abstention,
  bestEpoch,
  classes,
  count,
  epochs,
  interval,
  ofParts,
  parameters,
  seconds,
  set,
  storedMetrics,
  warnings,
} from './metrics.ts';

export const verdict = z
  .enum(['high bias', 'high variance', 'high bias and high variance', 'neither'])
  .describe('whether the error on train is too far from the target, or that on other pictures from that on train');
export type Verdict = z.infer<typeof verdict>;

/** The two that a verdict is made of. */
export const side = z.enum(['avoidableBias', 'variance']);
export type Side = z.infer<typeof side>;

export const stopped = z.enum(['finished', 'early', 'time', 'interrupted']).describe('why the training ended');
export type Stopped = z.infer<typeof stopped>;

export const remedy = z.object({
  title: z.string().describe('what to try'),
  why: z.string().describe('what speaks for it'),
  set,
  timesAsLong: z.number().nonnegative().nullable().describe('a training with it, in trainings as this one; null without changes'),
  affordable: z
    .object({ set, timesAsLong: z.number().nonnegative().describe('with both changes') })
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
  worseThanGuessing: z.boolean().describe('whether the cost on train is above that'),
  learntLater: z
    .boolean()
    .describe('whether epochs after the one that is kept learnt the training pictures: the bias is what early stopping left'),
  targetError: z.number().describe('the error that is thought possible'),
  comparedWith: z.enum(['dev', 'test']).describe('the part that the error on train is held against'),
  remedies: z.array(remedy).describe('what to try, the most promising first'),
});
export type Diagnosis = z.infer<typeof diagnosis>;
export type Answers = NonNullable<Diagnosis['answers']>;

/** As it stands in files: that of 0.1.0 has less. */
const storedDiagnosis = diagnosis
  .extend({
    remedies: z.array(remedy.partial({ timesAsLong: true, affordable: true })).describe('what to try, the most promising first'),
  })
  .partial({ answers: true, imbalance: true, guessing: true, worseThanGuessing: true, learntLater: true });
export type StoredDiagnosis = z.infer<typeof storedDiagnosis>;

const spread = z
  .object({
    mean: z.number().describe('of the folds'),
    spread: z.number().describe('their standard deviation'),
    values: z.array(z.number()).describe('one a fold'),
  })
  .describe('over the folds');

export const examples = ofParts(
  z.object({ total: count.describe('pictures'), positive: count.describe('of them of the positive class') }),
).describe('how many there are');

/** The object of `nn train --json` and of summary.json. */
export const trainSummary = z.object({
  run: z.string().describe('the folder of the run'),
  model: z.string().describe('the model file'),
  seed: count.describe('of all that is drawn at random'),
  seconds: seconds.describe('of training, in all sessions'),
  epochs,
  bestEpoch,
  stopped,
  parameters,
  threshold: z.number().optional().describe('p above it is positive'),
  temperature: z.number().optional().describe('T, fitted on dev: p = σ(z / T); absent where the model is not calibrated'),
  abstention: abstention.nullable().optional().describe('of `nn predict --abstain`; null in a run of an older version'),
  examples,
  metrics: ofParts(storedMetrics.nullable()).describe('of the saved model, by the path of `nn evaluate`; null without that part'),
  folds: z
    .object({
      count: count.describe('folds'),
      accuracy: spread,
      cost: spread,
      bestEpochs: z.array(count).optional().describe('of each fold, the epoch whose weights were kept'),
    })
    .optional()
    .describe("cross-validation on the training pictures: what each fold's training made of the pictures it did not see"),
  diagnosis: storedDiagnosis.nullable().describe('null without dev and test'),
  warnings,
  report: z.string().nullable().optional().describe('the report, from the run; null where none was wanted'),
});
export type TrainSummary = z.infer<typeof trainSummary>;

/** What a training would do: the object of `nn train --dry-run --json`. */
export const trainPlan = z.object({
  config: z.string().describe('the file'),
  examples,
  classes,
  layers: z
    .array(
      z.object({
        name: z.string().describe('its number, and which is the output'),
        shape: z.tuple([count, count]).readonly().describe('(n_l, n_(l−1))'),
        activation: z.string().describe('with batch norm and dropout, if any'),
        init: z.string().describe('how its first weights are drawn'),
        parameters,
      }),
    )
    .describe('of the network, from the first'),
  parameters,
  learningRates: z.array(z.number()).describe('one a layer'),
  batch: count.describe('examples a step'),
  epochs: count.describe('to train'),
  stages: z
    .array(z.object({ side: count.describe('of its images, in pixels'), lastEpoch: count.describe('up to which, from 1') }))
    .describe('of training.progressive: epochs with smaller images; empty where all are whole'),
  form: z
    .object({ form: z.string().describe('direct or dual'), why: z.string().describe('why that one') })
    .describe('of the first layer'),
  memoryBytes: z.number().describe('that training takes'),
  memory: z
    .array(z.object({ what: z.string().describe('what takes it'), bytes: z.number().describe('how much') }))
    .describe('what it is made of'),
  estimatedSeconds: seconds.describe('seconds that training will take, about'),
  warnings,
});
export type TrainPlan = z.infer<typeof trainPlan>;

const breakKind = z.enum(['rose', 'died', 'overflowed']);
/** How a training breaks: its cost rises far above its start, a hidden layer gives 0 for every picture, or numbers overflow. */
export type Break = z.infer<typeof breakKind>;

/** What a learning-rate range test found: the object of `nn train --find-rate --json`. */
export const foundRate = z.object({
  rates: z.array(z.number()).describe('of the range test, ascending'),
  costs: z.array(z.number()).describe('at each of them'),
  smoothed: z.array(z.number()).describe('the costs with less of the noise of batches; the same where there is none'),
  diverged: z.number().nullable().describe('the rate at which the range test broke'),
  broke: breakKind.nullable().describe('how it broke'),
  steps: count.describe('of each short training'),
  trials: z
    .array(
      z.object({
        rate: z.number().describe('the learning rate'),
        cost: z.number().nullable().describe('the highest of its last costs; null where it broke off'),
        broke: breakKind.nullable().describe('how it broke off'),
      }),
    )
    .describe('short trainings at one rate each'),
  proposed: z.number().nullable().describe('null where no rate brought the cost down calmly'),
  set: z.string().nullable().describe('what takes the proposal over, as for --set'),
});
export type FoundRate = z.infer<typeof foundRate>;
