import { z } from 'zod';
import { accuracy, bestEpoch, count, epochs, interval, seconds, set } from './metrics.ts';

/** One training of a search: these fields, for so many epochs. */
const trialJob = z.object({
  trial: count.describe("from 0; with the search's seed it says what is drawn"),
  rung: count.describe('of successive halving, from 0'),
  epochs,
});
export type TrialJob = z.infer<typeof trialJob>;

const trialScore = z
  .object({ cost: z.number().describe('unweighted, without L2'), accuracy, accuracyInterval: interval, bestEpoch })
  .describe('on dev; with folds, on the pictures of all folds together');
export type TrialScore = z.infer<typeof trialScore>;

/** A line of a search's trials.jsonl. */
export const trialResult = z.object({
  ...trialJob.shape,
  set,
  score: trialScore.nullable().describe('null where training failed'),
  error: z.string().nullable().describe('why it failed, such as a divergence'),
  seconds,
});
export type TrialResult = z.infer<typeof trialResult>;

/** A trial in the ranking, best first. */
const rankedTrial = z.object({
  rank: count.describe('from 1'),
  trial: trialJob.shape.trial,
  epochs,
  cost: z.number().nullable().describe('of dev, as the two that follow'),
  accuracy: accuracy.nullable(),
  accuracyInterval: interval.nullable(),
  bestEpoch: bestEpoch.nullable(),
  seconds,
  error: z.string().nullable().describe('why training failed'),
  set,
});
export type RankedTrial = z.infer<typeof rankedTrial>;

/** The config as it was before anything was varied, trained as a trial to its end. */
const untunedTrial = rankedTrial.omit({ rank: true, trial: true, set: true });

/** What stands in ranking.json. */
export const ranking = z.array(rankedTrial).describe('best first');

/** The object of `nn tune --json`. */
export const tuneSummary = z.object({
  output: z.string().describe('the folder of the search'),
  best: z.string().nullable().describe('the config of the best trial, ready for `nn train`'),
  strategy: z.string().describe('of the search'),
  metric: z.string().describe('of dev, by which trials are ranked'),
  trials: count.describe('in the ranking'),
  earlier: count.describe('trainings that were there before this call'),
  seconds,
  ranking,
  untuned: untunedTrial
    .nullable()
    .describe(
      'the config that was not tuned, trained to its end and judged on dev as the trials; null where --report never asked for it',
    ),
});
export type TuneSummary = z.infer<typeof tuneSummary>;
