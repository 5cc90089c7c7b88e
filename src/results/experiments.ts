import { z } from 'zod';
import { bestEpoch, count, epochs, interval, seconds, set } from './metrics.ts';

/** One training of `nn diagnose`: the config with some changes, trained on some pictures with one seed, and judged on others. */
const experiment = z.object({
  set: set.describe('what is changed, PATH=VALUE as for --set; none for the config as it is'),
  seed: count.describe('of the first weights and all else that the training draws; the division does not depend on it'),
  share: z.number().positive().max(1).describe('of the training part'),
  division: count.describe('of train and dev: 0 is that of the config'),
  readsTest: z.boolean().describe('whether it is judged on test as well, as the last trainings alone are'),
});
export type Experiment = z.infer<typeof experiment>;

const answers = z
  .object({
    p: z.string().describe('of each picture, 16 bits from 0 to 65535 for 0 to 1, the lower byte first, as base64'),
    right: z.string().describe('whether each answer is right, a bit each, the lowest first, as base64'),
  })
  .describe('for the pictures in the order of split.csv');
export type StoredAnswers = z.infer<typeof answers>;

/** A line of experiments.jsonl. */
export const experimentResult = z.object({
  ...experiment.shape,
  judged: answers.nullable().describe('on the pictures of train and dev that it was judged by; null where training failed'),
  test: answers
    .extend({ labels: z.string().describe('1 for the positive class, a bit each, as `right`') })
    .nullable()
    .describe('on test; null where it was not read'),
  trainError: z.number().nullable().describe('the share of its training pictures that is wrong, the mean over folds'),
  epochs: epochs.describe('epochs trained, in all folds together'),
  bestEpoch: bestEpoch.nullable(),
  error: z.string().nullable().describe('why it failed, such as a divergence'),
  seconds: seconds.describe('that the training takes alone'),
  sharedSeconds: z
    .number()
    .nonnegative()
    .default(0)
    .describe('of those, for what trainings of one worker make once: inner products of their pictures'),
});
export type ExperimentResult = z.infer<typeof experimentResult>;

const share = z.number().describe('0 to 1');
const gainFields = {
  gain: z.number().describe('accuracy with the changes − accuracy without, over all seeds'),
  interval: interval.nullable().describe('95%, for other pictures and other seeds; null from fewer than three seeds'),
  p: z.number().nullable().describe('two-sided; null without an interval'),
  seeds: count.describe('that both were trained with'),
};
const gain = z.object(gainFields);
export type MeasuredGain = z.infer<typeof gain>;

const measured = z.object({ accuracy: share, interval: interval.nullable().describe('95%; null from fewer than three seeds') });
const effect = z.enum(['helps', 'hurts', 'could be chance', 'too few seeds']);

const remedy = z.object({
  id: z.string().describe('never renamed'),
  title: z.string(),
  why: z.string().describe('what it does, in words for a beginner'),
  set,
  ...gainFields,
  corrected: z.number().nullable().describe('p, corrected for the number of remedies (Holm; for the combination Bonferroni)'),
  effect: effect.describe('by the corrected p, at 5%'),
  accuracy: share,
  trainError: z.number().nullable().describe('the mean over seeds'),
  timesAsLong: z.number().nullable().describe('seconds of a training, beside the config as it is; null where none was measured'),
  diverged: count.describe('trainings that did, of all seeds'),
});
export type TriedRemedy = z.infer<typeof remedy>;

const verdictCodes = [
  'learning rate too high',
  'label noise',
  'network too small',
  'trained too little',
  'overfits',
  'too little data',
  'nothing helps',
  'not enough time',
] as const;
const verdict = z.enum(verdictCodes);
export type MeasuredVerdict = z.infer<typeof verdict>;

const foretold = z.object({
  times: z.number().describe('as many pictures'),
  pictures: count,
  accuracy: share,
  interval: interval.describe('95%'),
});

const curve = z.object({
  points: z.array(
    z.object({
      pictures: count.describe('that were trained on'),
      accuracy: share.describe('the mean over seeds'),
      accuracies: z.array(z.number()).describe('one a seed'),
    }),
  ),
  says: z.boolean().describe('whether the curve says anything of more pictures'),
  reason: z
    .enum(['too few', 'no power law', 'foretold wrong', 'too wide'])
    .nullable()
    .describe('why it says nothing; null where it does'),
  foretold: z.array(foretold).describe('what more pictures would give'),
  asymptote: z
    .object({ accuracy: share, interval: interval.describe('95%') })
    .nullable()
    .describe('what it tends to, whatever the number'),
  heldOut: z
    .object({
      foretold: share.describe('the accuracy of the whole by the smaller shares'),
      interval: interval.describe('95%'),
      observed: share,
      within: z.boolean().describe('whether the interval holds it, with the noise of the trainings'),
    })
    .nullable()
    .describe('the curve of the smaller shares held against the whole'),
  prices: z.array(
    z.object({
      accuracy: share,
      answer: z.enum(['pictures', 'out of reach', 'unknown']),
      more: count.nullable().describe('pictures that it takes besides those that there are'),
      interval: z
        .tuple([count, count.nullable()])
        .nullable()
        .describe('95% of that number; an upper end of null is beyond a thousand times the pictures'),
    }),
  ),
});
export type MeasuredCurve = z.infer<typeof curve>;

const meter = z.object({
  count: count.describe('other divisions of train and dev'),
  present: share.describe('the accuracy of the present one, of one training with the same seed'),
  accuracies: z.array(z.number()).describe('of the others'),
  below: count.describe('others that come to less'),
  equal: count.describe('others that come to the same'),
  mean: share,
  spread: z.number().describe('standard deviation of the others'),
  spreadByChance: z.number().describe('that so few pictures alone would make'),
  range: interval.describe('95% of one more division'),
  verdict: z.enum(['typical', 'lucky', 'unlucky']),
});
export type MeasuredMeter = z.infer<typeof meter>;

const suspects = z.object({
  judged: count.describe('pictures that two or more networks answered which did not train on them'),
  share: z.number().describe('of labels that are wrong, as estimated'),
  p: z.number().describe('of as clear a surplus of confident errors where no label is wrong'),
  error: z.number().describe('share of labels that the networks contradict together'),
  expected: z.number().describe('pictures like those listed, were all labels right'),
  list: z
    .array(
      z.object({
        name: z.string().describe('of the picture'),
        row: count.describe('of split.csv, from 0'),
        part: z.enum(['train', 'dev']),
        label: z.string(),
        says: z.string().describe('what every network says'),
        confidence: z.number().describe('their common p of that'),
        chance: z.number().describe('the probability that the label is at fault, and not the networks'),
      }),
    )
    .describe('pictures that every network gets wrong with confidence, the most suspect first'),
});
export type MeasuredSuspects = z.infer<typeof suspects>;

/** The object of `nn diagnose --json`, and of diagnosis.json. */
export const measuredDiagnosis = z.object({
  output: z.string().describe('the folder of the diagnosis'),
  config: z.string().describe('what was diagnosed'),
  seconds: seconds.describe('of this session'),
  trainings: count.describe('that there are'),
  earlier: count.describe('of them, those of earlier sessions'),
  minutes: z.number().nullable().describe('the limit; null where counts decided'),
  evaluatedOn: z.object({
    part: z.enum(['dev', 'folds']),
    folds: count.nullable(),
    pictures: count,
    train: count.describe('pictures of the training part'),
    metric: z.enum(['accuracy', 'balanced accuracy']).describe('balanced where one class is below a quarter of train'),
    largerClass: share.describe('the accuracy of always answering the class that is larger in train'),
  }),
  verdict: z.object({
    code: verdict,
    also: z.array(verdict).describe('what holds as well'),
    bias: z.number().nullable().describe('error on train − diagnosis.targetError, the mean over seeds; null where all diverged'),
    variance: z.number().nullable().describe('error on what judges − error on train; null where all diverged'),
  }),
  baseline: z.object({
    ...measured.shape,
    trainError: z.number().nullable().describe('null where all diverged'),
    seeds: count,
    diverged: count,
    seconds: z.number().nullable().describe('of one training'),
  }),
  remedies: z.array(remedy).describe('what was tried, the largest gain first'),
  leftOut: z.array(z.object({ id: z.string(), title: z.string(), reason: z.string() })).describe('what could not be tried'),
  proposal: z
    .object({
      id: z.string(),
      title: z.string(),
      parts: z.array(z.string()).describe('ids of the remedies that it is made of'),
      set,
      config: z.string().describe('a file, ready for nn train'),
      chosenBy: gain.describe('on the pictures that chose it: optimistic'),
      again: gain.nullable().describe('by fresh seeds, on the half of the pictures that did not choose'),
      test: z
        .object({ ...gainFields, pictures: count, before: measured, after: measured })
        .nullable()
        .describe('by fresh seeds on test, which was read once; null without a test part, or without time'),
    })
    .nullable()
    .describe('the config with what helps beyond chance; null where nothing does: test is then not read'),
  curve: curve.nullable(),
  meter: meter.nullable(),
  suspects: suspects.nullable(),
  undone: z.array(z.string()).describe('what there was no time for'),
});
export type MeasuredDiagnosis = z.infer<typeof measuredDiagnosis>;

/** The object of `nn diagnose --shard I/N --json`. */
export const diagnosisShard = z.object({
  output: z.string().describe('the folder of the shard, to be merged with the others'),
  shard: count.describe('from 1'),
  shards: count,
  trainings: count.describe('of this shard that are done'),
  seconds: seconds.describe('of this session'),
});
export type DiagnosisShard = z.infer<typeof diagnosisShard>;
