import { z } from 'zod';
import { curvePoint } from './journal.ts';
import {
  accuracy,
  bestEpoch,
  count,
  epochs,
  interval,
  ofParts,
  parameters,
  partName,
  seconds,
  storedMetrics,
  warnings,
} from './metrics.ts';
import { examples, trainSummary } from './summary.ts';

const ended = z
  .enum(['finished', 'early', 'time', 'interrupted', 'diverged', 'unfinished', 'running', 'unreadable'])
  .describe(
    'finished, early or time: as `stopped` of summary.json; interrupted: and can go on; diverged; unfinished: ended without a word, as after a kill; running: a process trains in it now; unreadable: damaged',
  );
export type Ended = z.infer<typeof ended>;

const run = z.string().describe('its folder');
const name = z.string().describe('what `nn runs show` takes for it: of a run within the runs folder the name of its folder');
const network = z
  .string()
  .nullable()
  .describe('logistic regression, or its layers, such as 20-7-5-1 (units) or conv8-maxPool-20-1; null where not known');
const when = z.iso.datetime().nullable().describe('when its last file was written; null where not known');
const problem = z.string().nullable().describe('why it can not be read, or how it broke; null where nothing is wrong');
const planned = count.nullable().describe('epochs that its config asks for; null where not known');

const share = z
  .object({ accuracy, accuracyInterval: interval.describe('95%, Wilson') })
  .nullable()
  .describe('as summary.json has it; null without that part, or before the end');

/** What is known of a run without reading its pictures, model or checkpoint. */
export const runEntry = z.object({
  name,
  run,
  when,
  ended,
  problem,
  network,
  parameters: parameters.nullable().describe('numbers that training moves; null before the end'),
  epochs: epochs.nullable().describe('epochs trained so far; null where not known'),
  planned,
  bestEpoch: bestEpoch.nullable().describe('the epoch whose weights are kept; null before the end'),
  seconds: seconds.nullable().describe('seconds that training took; null before the end'),
  dev: share,
  test: share,
  settings: z
    .record(z.string(), z.unknown().describe('its value there; null where it has none'))
    .describe('of the fields in `differing` what its config says'),
});
export type RunEntry = z.infer<typeof runEntry>;

const differing = z.array(z.string()).describe('the fields in which the configs differ, such as training.learningRate');

/** The object of `nn runs --json`. */
export const runList = z.object({
  runs: z.string().describe('the folder'),
  latest: z.string().nullable().describe('the name of the run that `latest` leads to; null where there is none'),
  differing,
  entries: z.array(runEntry).describe('one a run, in the order that was asked for'),
});
export type RunList = z.infer<typeof runList>;

const curve = z
  .array(curvePoint)
  .describe('some epochs of its journal, the first, the last, the best and all extremes among them; at most 1,000');

/** The object of `nn runs show --json`. */
export const runDetails = z.object({
  ...runEntry.omit({ settings: true }).shape,
  summary: trainSummary.nullable().describe('its summary.json, with the paths where it lies now; null before the end'),
  config: z
    .record(z.string(), z.unknown().describe('a field, or fields within it'))
    .nullable()
    .describe('its config without what is the default: that trains the same; null where it can not be read'),
  curve,
  warnings,
});
export type RunDetails = z.infer<typeof runDetails>;

const pictures = count.describe('pictures');

/** Two classifiers on the same pictures. */
const pairTest = z.object({
  pictures: pictures.describe('that both were judged on'),
  bothRight: pictures.describe('that both get right'),
  onlyFirst: pictures.describe('that the first alone gets right'),
  onlySecond: pictures.describe('that the second alone gets right'),
  bothWrong: pictures.describe('that both get wrong'),
  difference: z.number().describe("the second's accuracy less the first's"),
  differenceInterval: interval.describe('95%, Newcombe, for paired shares'),
  pValue: z.number().describe("McNemar's exact test, two-sided"),
  adjustedP: z.number().describe("the same after Holm's correction for the tests of this comparison"),
  beyondChance: z.boolean().describe('whether adjustedP is below 0.05'),
});
export type PairTest = z.infer<typeof pairTest>;

const pair = z.object({
  first: count.describe('index of the run, from 0'),
  second: count.describe('likewise'),
  test: pairTest.nullable().describe('null where the two were not judged on the same pictures'),
  untested: z.string().nullable().describe('why there is no test; null where there is one'),
});
export type Pair = z.infer<typeof pair>;

const comparedRun = z.object({
  letter: z.string().describe('what stands for it: A for the first'),
  ...runEntry.pick({ name: true, run: true, when: true, ended: true, network: true }).shape,
  parameters,
  epochs,
  bestEpoch,
  seconds,
  threshold: z.number().describe("the model's: p above it is positive"),
  examples,
  metrics: ofParts(storedMetrics.nullable()).describe('as its summary.json has them; null without that part'),
  curve,
});
export type ComparedRun = z.infer<typeof comparedRun>;

/** The object of `nn runs compare --json`. */
export const runComparison = z.object({
  part: partName.describe('that is compared: dev or test'),
  runs: z.array(comparedRun).describe('as they were named'),
  differing: z
    .array(
      z.object({
        field: z.string().describe('of the config, such as training.learningRate'),
        values: z.array(z.unknown().describe('null where it has none')).describe('one a run'),
      }),
    )
    .describe('the fields in which the configs differ'),
  pairs: z.array(pair).describe('the first run beside each of the others'),
  warnings,
});
export type RunComparison = z.infer<typeof runComparison>;
