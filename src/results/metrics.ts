import { z } from 'zod';

/** What all results are made of: the names and the order of their keys are a contract. Whoever computes one takes its type from
 *  here, and whoever reads one from a file its schema. */

export const count = z.int().nonnegative();
export const seconds = z.number().nonnegative().describe('seconds that it took');
export const partName = z.enum(['train', 'dev', 'test']).describe('of the data');
export const accuracy = z.number().describe('the share of right answers');
export const epochs = count.describe('epochs trained');
export const bestEpoch = count.describe('the epoch whose weights are kept');
export const parameters = count.describe('numbers that training moves');
export const warnings = z.array(z.string()).describe('what was said on stderr, or about the data as a whole');
export const classes = z
  .object({ positive: z.string().describe('the class of label 1'), negative: z.string().describe('the class of label 0') })
  .describe('the names of the two classes');
/** PATH=VALUE */
export const set = z.array(z.string().regex(/=/)).describe('PATH=VALUE, as for --set');

export const interval = z.tuple([z.number(), z.number()]).readonly().describe('the lower and the upper end: 95%');
export type Interval = z.infer<typeof interval>;

/** Something for each part of the data. */
export const ofParts = <Schema extends z.ZodType>(schema: Schema) =>
  z.object({
    train: schema.describe('of the training part'),
    dev: schema.describe('of the dev part'),
    test: schema.describe('of the test part'),
  });

export const confusion = z.object({
  tp: count.describe('positives called so'),
  fp: count.describe('negatives called positive'),
  fn: count.describe('positives called negative'),
  tn: count.describe('negatives called so'),
});
export type Confusion = z.infer<typeof confusion>;

export const abstention = z.object({
  confidence: z
    .number()
    .nullable()
    .describe(
      'answers of at least this confidence are right 95% of the time, with 95% assurance; null where dev tells of no such',
    ),
  unanswered: z.number().nullable().describe('the share of dev below it; null without one'),
  pictures: count.describe('of dev; 0 where there was none'),
  answered: count.describe('of them at or above it'),
  right: count.describe('of those answered'),
});
/** From which confidence on answers are right often enough. */
export type Abstention = z.infer<typeof abstention>;

export const metrics = z.object({
  accuracy,
  accuracyInterval: interval.describe('95%, Wilson'),
  baseline: z.number().describe('the accuracy of always answering the larger class'),
  error: z.number().describe('1 − accuracy'),
  balancedAccuracy: z.number().nullable().describe('the mean of the accuracies within each class'),
  cost: z.number().describe('the loss that training used, unweighted, without L2'),
  precision: z.number().nullable().describe('of what is called positive, the share that is'),
  recall: z.number().nullable().describe('the share of the positive class that is called so'),
  recallInterval: interval.nullable().describe('95%, Wilson'),
  specificity: z.number().nullable().describe('the share of the negative class that is called so'),
  specificityInterval: interval.nullable().describe('95%, Wilson'),
  f1: z.number().nullable().describe('the harmonic mean of precision and recall'),
  rocAuc: z.number().nullable().describe('the probability that a positive picture gets a higher p than a negative one'),
  logLoss: z.number().describe('the mean of −ln of the probability that the right class was given'),
  brier: z.number().describe('the mean of (p − y)²'),
  confusion: confusion.describe('p > threshold counts as positive'),
});
/** A metric that is not defined (no positives, say) is null. */
export type Metrics = z.infer<typeof metrics>;

/** As they stand in files: those of 0.1.0 have fewer. */
export const storedMetrics = metrics.partial({
  balancedAccuracy: true,
  recallInterval: true,
  specificity: true,
  specificityInterval: true,
});
export type StoredMetrics = z.infer<typeof storedMetrics>;
