/** What `import … from 'cat-nn'` gives: docs/library.md. Types that are made of zod schemas are written out plainly for who imports it
 *  (scripts/library-types.mjs). */
export type { ConfigInput } from '../config/schema.ts';
export type { Evaluation } from '../results/evaluation.ts';
export type { JournalEpoch } from '../results/journal.ts';
export type { Metrics } from '../results/metrics.ts';
export type { TrainSummary } from '../results/summary.ts';
export type { Answer, AnswerOrError, EvaluateOptions, ImageInput, Model, PredictOptions, RawImage } from './model.ts';
export { evaluate, loadModel, predict } from './model.ts';
export { NnError, type NnErrorKind } from './nn-error.ts';
export type { Training, TrainingEvent, TrainingOptions, TrainOptions } from './training.ts';
export { resume, train } from './training.ts';
