import { z } from 'zod';
import { count, interval, partName, seconds } from './metrics.ts';

const spread = z.object({ min: z.number(), median: z.number(), max: z.number() });
export type Spread = z.infer<typeof spread>;

const ofClasses = z.record(z.string(), count);

/** What a data set is, in numbers. */
const dataSummary = z.object({
  total: count.describe('pictures'),
  readable: count,
  classes: ofClasses.describe('of the readable pictures, by class'),
  parts: z.partialRecord(partName, ofClasses).nullable().describe('of each part, by class; null where the data has no parts'),
  width: spread.describe('pixels of the originals, as they are shown'),
  height: spread,
  sizes: count.describe('different sizes'),
  bytes: spread.describe('of the files'),
  formats: ofClasses.describe('pictures by file format'),
  turned: count.describe('pictures that are turned or mirrored by their EXIF orientation'),
});
export type DataSummary = z.infer<typeof dataSummary>;

const finding = z.object({
  kind: z.string(),
  title: z.string(),
  advice: z.string().describe('what to do about it'),
  proposal: z.enum(['remove', 'look']).describe('what `nn data clean` proposes: to take pictures out, or that a person looks'),
  pictures: count,
  groups: z
    .array(
      z.object({
        why: z.string(),
        pictures: z.array(z.object({ name: z.string(), label: z.string(), part: partName.nullable() })),
      }),
    )
    .describe('one picture each, or those that are alike with the one to keep first'),
});
export type Proposal = z.infer<typeof finding>['proposal'];

const partDifference = z.object({
  parts: z.tuple([partName, partName]),
  what: z.string().describe('class, or a measure of pictures'),
  title: z.string(),
  values: z.tuple([z.number(), z.number()]).describe('shares of the positive class, or means'),
  size: z.number().describe('the difference of the shares; or of the means, in standard deviations'),
  chance: z.number().describe('the probability that chance makes such a difference, times the number of tests, 1 at most'),
  differs: z.boolean(),
});
export type PartDifference = z.infer<typeof partDifference>;

const shortcutScore = z
  .object({
    name: z.string(),
    title: z.string(),
    accuracy: z.number(),
    accuracyInterval: interval.describe('95%, Wilson'),
    baseline: z.number().describe('the accuracy of always answering the larger class'),
    warning: z.string().nullable().describe('why it matters and what to do about it; null where it does not'),
  })
  .describe('what logistic regression on less than the picture gets right');
export type ShortcutScore = z.infer<typeof shortcutScore>;

/** The object of `nn data inspect --json`. */
export const inspection = z.object({
  source: z.string(),
  ...dataSummary.shape,
  differences: z.array(partDifference).describe('every two parts beside each other; empty where there are not two parts'),
  shortcuts: z.array(shortcutScore).nullable().describe('null where there are too few pictures'),
  model: z
    .object({ path: z.string(), accuracy: z.number(), accuracyInterval: interval, pictures: count })
    .nullable()
    .describe('the model that the shortcuts are held against, if one was named'),
  warnings: z.array(z.string()).describe('about the data as a whole'),
  seconds,
  findings: z.array(finding),
});
export type InspectionResult = z.infer<typeof inspection>;

/** What the other commands of `nn data` print with --json. */
export const dataResults = {
  fetch: z.object({ files: z.array(z.string()) }),
  draw: z.object({ out: z.string(), cat: count, noncat: count }),
  pack: z.object({
    out: z.string(),
    pictures: count,
    positive: count,
    unreadable: count,
    bytes: count,
    resumed: z.number(),
    seconds,
  }),
  cleanList: z.object({ list: z.string(), remove: count, look: count }),
  cleanFolder: z.object({ moved: count, to: z.string() }),
  cleanTable: z.object({ removed: count, to: z.string() }),
  preview: z.object({
    out: z.string(),
    sections: z.array(z.object({ title: z.string(), total: count, pictures: z.array(z.string()) })),
  }),
} as const;
