import { UserError } from '../../errors.ts';
import { type OptimizerName, optimizers } from '../optimizers.ts';
import type { Form, FormName } from './input-form.ts';

export interface FormChoice {
  form: Form;
  /** for people */
  why: string;
}

/** What the choice depends on: counts alone, so that it is the same on every machine. */
export interface FormCounts {
  /** n_x */
  features: number;
  /** n_1 */
  units: number;
  /** m */
  train: number;
  dev: number;
  epochs: number;
  evaluateEvery: number;
}

/** `auto` does not take the dual form where its products need more than this. */
const memoryLimit = 2 ** 30;

/** Why the dual form does not apply to a training; null where it does. */
export function refusalOfDual(training: {
  optimizer: OptimizerName;
  clips: boolean;
  byFeature: boolean;
  averages: boolean;
  mirrors: boolean;
  mixes: boolean;
  shrinks: boolean;
  augments: boolean;
  /** the kind of the first op */
  first: string;
}): string | null {
  if (training.first !== 'linear') return 'its first layer is not fully connected';
  if (!optimizers[training.optimizer].linear) return `${training.optimizer} moves every weight at a rate of its own`;
  if (training.byFeature) return 'learningRateByFeature moves every weight at a rate of its own';
  if (training.clips) return 'clipNorm needs the norm of the whole gradient at every step';
  if (training.averages) return 'averageWeights is an average of the weights themselves, which it does not have at every step';
  if (training.mirrors) return 'averageMirrored answers for mirror images, whose inner products it does not have';
  if (training.shrinks) return 'progressive makes pictures smaller in every step';
  if (training.mixes) return 'mixup makes new pictures in every step';
  if (training.augments) return 'augmentation makes new pictures in every epoch';
  return null;
}

/** @param refusal  of `refusalOfDual`
 *  @throws UserError (usage) where the dual form is asked for and does not apply */
export function chooseForm(asked: FormName, refusal: string | null, counts: FormCounts): FormChoice {
  if (asked === 'dual' && refusal !== null) {
    throw new UserError('usage', `training.form: expected "direct" or "auto", found "dual", which does not apply: ${refusal}`);
  }
  if (asked !== 'auto') return { form: asked, why: 'as training.form says' };
  if (refusal !== null) return { form: 'direct', why: refusal };
  const [direct, dual] = [directWork(counts), dualWork(counts)];
  const bytes = dualBytes(counts);
  const works = `${giga(dual)} billion multiplications in dual form, ${giga(direct)} in direct form`;
  if (dual >= direct) return { form: 'direct', why: works };
  if (bytes > memoryLimit) return { form: 'direct', why: `the dual form needs ${Math.round(bytes / 2 ** 20)} MB` };
  return { form: 'dual', why: works };
}

/** Z1 and dW1 at every step, and Z1 at every look at dev. */
function directWork({ features, units, train, dev, epochs, evaluateEvery }: FormCounts): number {
  return units * features * (2 * train * epochs + dev * Math.floor(epochs / evaluateEvery));
}

/** The inner products of all pictures and the last W1, once; then Z1 from them. */
function dualWork({ features, units, train, dev, epochs, evaluateEvery }: FormCounts): number {
  const once = features * train * (train + dev + units);
  return once + units * train * (train * epochs + dev * Math.floor(epochs / evaluateEvery));
}

/** The products, and once more the widened or the integer ones while they are made. */
function dualBytes({ train, dev, units }: FormCounts): number {
  return 2 * 8 * (train + units) * (train + dev + units);
}

function giga(multiplications: number): string {
  return String(Number((multiplications / 1e9).toPrecision(2)));
}
