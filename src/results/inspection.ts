import { z } from 'zod';
import { accuracy, count, interval, partName, seconds, warnings } from './metrics.ts';

const spread = z.object({
  min: z.number().describe('the least'),
  median: z.number().describe('of an even number the lower of the two in the middle'),
  max: z.number().describe('the largest'),
});
export type Spread = z.infer<typeof spread>;

const ofClasses = z.record(z.string(), count);

/** What a data set is, in numbers. */
const dataSummary = z.object({
  total: count.describe('pictures'),
  readable: count.describe('of them'),
  classes: ofClasses.describe('of the readable pictures, by class'),
  parts: z.partialRecord(partName, ofClasses).nullable().describe('of each part, by class; null where the data has no parts'),
  width: spread.describe('pixels of the originals, as they are shown'),
  height: spread.describe('likewise'),
  sizes: count.describe('different sizes'),
  bytes: spread.describe('of the files'),
  formats: ofClasses.describe('pictures by file format'),
  turned: count.describe('pictures that are turned or mirrored by their EXIF orientation'),
});
export type DataSummary = z.infer<typeof dataSummary>;

const finding = z.object({
  kind: z.string().describe('what is wrong, in a word'),
  title: z.string().describe('what is wrong, for people'),
  advice: z.string().describe('what to do about it'),
  proposal: z.enum(['remove', 'look']).describe('what `nn data clean` proposes: to take pictures out, or that a person looks'),
  pictures: count.describe('in all groups'),
  groups: z
    .array(
      z.object({
        why: z.string().describe('what was measured'),
        pictures: z
          .array(
            z.object({
              name: z.string().describe('in its source'),
              label: z.string().describe('its class'),
              part: partName.nullable().describe('null where the data has no parts'),
            }),
          )
          .describe('of the group'),
      }),
    )
    .describe('one picture each, or those that are alike with the one to keep first'),
});
export type Proposal = z.infer<typeof finding>['proposal'];

const partDifference = z.object({
  parts: z.tuple([partName, partName]).describe('the two'),
  what: z.string().describe('class, or a measure of pictures'),
  title: z.string().describe('the same for people'),
  values: z.tuple([z.number(), z.number()]).describe('shares of the positive class, or means'),
  size: z.number().describe('the difference of the shares; or of the means, in standard deviations'),
  chance: z.number().describe('the probability that chance makes such a difference, times the number of tests, 1 at most'),
  differs: z.boolean().describe('by more than chance, and so much that it matters'),
});
export type PartDifference = z.infer<typeof partDifference>;

const shortcutScore = z
  .object({
    name: z.string().describe('of the shortcut'),
    title: z.string().describe('the same for people'),
    accuracy,
    accuracyInterval: interval.describe('95%, Wilson'),
    baseline: z.number().describe('the accuracy of always answering the larger class'),
    warning: z.string().nullable().describe('why it matters and what to do about it; null where it does not'),
  })
  .describe('what logistic regression on less than the picture gets right');
export type ShortcutScore = z.infer<typeof shortcutScore>;

/** The object of `nn data inspect --json`. */
export const inspection = z.object({
  source: z.string().describe('what was inspected'),
  ...dataSummary.shape,
  differences: z.array(partDifference).describe('every two parts beside each other; empty where there are not two parts'),
  shortcuts: z.array(shortcutScore).nullable().describe('null where there are too few pictures'),
  model: z
    .object({
      path: z.string().describe('as it was named'),
      accuracy,
      accuracyInterval: interval,
      pictures: count.describe('that it was asked for: those that it was not trained on'),
    })
    .nullable()
    .describe('the model that the shortcuts are held against, if one was named'),
  warnings,
  seconds,
  findings: z.array(finding).describe('what is wrong with single pictures or groups of them, worst first'),
});
export type InspectionResult = z.infer<typeof inspection>;

const out = z.string().describe('the file or folder that was written');

/** What the other commands of `nn data` print with --json. */
export const dataResults = {
  fetch: z.object({ files: z.array(z.string()).describe('their paths') }),
  draw: z.object({ out, cat: count.describe('pictures of cats'), noncat: count.describe('pictures of other things') }),
  pack: z.object({
    out,
    pictures: count.describe('in the file'),
    positive: count.describe('of them of the positive class'),
    unreadable: count.describe('pictures that are left out'),
    bytes: count.describe('of the file'),
    resumed: count.describe('pictures that an earlier call had packed'),
    seconds,
  }),
  cleanList: z.object({
    list: z.string().describe('the file of the list'),
    remove: count.describe('pictures to remove'),
    look: count.describe('pictures to look at'),
  }),
  cleanFolder: z.object({ moved: count.describe('pictures'), to: z.string().describe('the folder that they are in now') }),
  cleanTable: z.object({ removed: count.describe('rows'), to: z.string().describe('the table without them') }),
  preview: z.object({
    out,
    sections: z
      .array(
        z.object({
          title: z.string().describe('part and class'),
          total: count.describe('pictures that there are'),
          pictures: z.array(z.string()).describe('names of those that are shown'),
        }),
      )
      .describe('of the sheet'),
  }),
} as const;
