import { UserError } from '../errors.ts';
import type { Floats } from '../kernels/kernels.ts';
import type { Form } from '../model/forms.ts';
import type { EpochLine } from '../results/journal.ts';
import type { Stopped } from '../results/summary.ts';
import type { CostWatchState } from './divergence.ts';
import type { BestKeeper, BestState } from './early-stopping.ts';
import type { Training } from './fit-run.ts';
import type { EpochTotals } from './step.ts';

/**
 * All that a training carries from one step to the next, but for what its options say again: those of the run that it came
 * from. Random streams need none of it: each is named by the seed and an epoch, step or example (random.ts).
 */
export interface TrainingState {
  /** JSON keeps every number of it */
  progress: Progress;
  /** copies in the kernels' precision, laid out like the parameters of the form: `parameters`, `good`, with early stopping
   *  `best`, and the optimizer's `optimizer.0`, `optimizer.1` */
  buffers: Record<string, Floats>;
}

export interface Progress {
  /** of the first layer: parameters of the one form mean nothing in the other */
  form: Form;
  /** the epoch of the next step, from 1; of a training that has ended, the one after its last */
  epoch: number;
  /** steps taken: the optimizer's t */
  steps: number;
  /** of the epoch so far */
  sums: EpochTotals;
  /** of training */
  seconds: number;
  watch: CostWatchState;
  /** with early stopping */
  best: BestState | null;
  /** of a training that has ended: its last event. What the end alone caused to be looked at is in no other field, so that
   *  the training may go on for more epochs as if it had never ended. */
  ended: EpochEvent | null;
}

/** A sign of life within an epoch that takes long. */
export interface StepEvent {
  type: 'step';
  /** epochs done, with the share of the present one */
  progress: number;
}

/** What an epoch did: a line of the journal, and how the training goes on. Epochs count from 1. */
export interface EpochEvent extends EpochLine {
  type: 'epoch';
  /** with early stopping the epoch of the least dev cost so far, else this one */
  bestEpoch: number;
  /** why this is the last epoch, if it is */
  stopped: Exclude<Stopped, 'interrupted'> | null;
}

/** What a later process needs to go on from here to the same bits. Asked for by `Going.wants`; and once before the last
 *  epoch's event, for whoever asks at all. */
export interface StateEvent {
  type: 'state';
  state: TrainingState;
}

export type FitEvent = StepEvent | EpochEvent | StateEvent;

export const noTotals: Readonly<EpochTotals> = { cost: 0, l2Cost: 0, correct: 0, batches: 0, examples: 0 };

/** @param best  what the keeper of the best weights was before a look that the end alone caused; else what it is */
export function takeState(
  run: Training,
  at: Pick<Progress, 'epoch' | 'sums' | 'seconds' | 'ended'>,
  best: ReturnType<BestKeeper['take']> | null,
): TrainingState {
  const buffers: Record<string, Floats> = { parameters: run.trainable.parameters.values.slice(), good: run.lastGood.slice() };
  for (const [i, slot] of run.state.entries()) buffers[`optimizer.${i}`] = slot.slice();
  if (best) buffers['best'] = best.weights;
  const progress: Progress = {
    form: run.options.form,
    epoch: at.epoch,
    steps: run.steps,
    sums: { ...at.sums },
    seconds: at.seconds,
    watch: run.watch.state(),
    best: best?.state ?? null,
    ended: at.ended,
  };
  return { progress, buffers };
}

/** Puts a state into a run that has just been made from the same options.
 *  @throws UserError (model) where it is a state of something else */
export function putState(run: Training, best: BestKeeper | null, { progress, buffers }: TrainingState): void {
  const of = (name: string) => {
    const [found, expected] = [buffers[name], run.lastGood];
    if (found?.length === expected.length && found.constructor === expected.constructor) return found;
    const kind = found === undefined ? 'none' : `${found.length} of the kind ${found.constructor.name}`;
    throw new UserError(
      'model',
      `${name}: expected ${expected.length} numbers of the kind ${expected.constructor.name}, found ${kind}`,
    );
  };
  run.trainable.parameters.values.set(of('parameters'));
  run.lastGood.set(of('good'));
  for (const [i, slot] of run.state.entries()) slot.set(of(`optimizer.${i}`));
  run.steps = progress.steps;
  run.watch.put(progress.watch);
  if (best && progress.best) best.put({ state: progress.best, weights: of('best') });
}
