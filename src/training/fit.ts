import { setImmediate as nextTurn } from 'node:timers/promises';
import { alsoMirrored } from '../classifier/mirrored-answers.ts';
import { ascending, batchOrder, everySo } from '../data/batches.ts';
import type { Samples } from '../datasets/samples.ts';
import type { Batch } from '../kernels/kernels.ts';
import { answeredTogether, prepareInference } from '../nn/inference.ts';
import { losses } from '../nn/losses.ts';
import { forward, type Workspace } from '../nn/network.ts';
import { inference } from '../nn/op.ts';
import { readAverage } from '../nn/weight-average.ts';
import { brokenTensor, diverged } from './divergence.ts';
import {
  type EpochEvent,
  type EpochTotals,
  type FitEvent,
  type FitOptions,
  newTotals,
  type Progress,
  putState,
  type StateEvent,
  type Training,
  type TrainingState,
  takeState,
  withTraining,
} from './state.ts';
import { countCorrect, layerNorms, trainStep } from './step.ts';
import type { Trainable } from './trainable.ts';
import { type BestKeeper, keepBest } from './watch.ts';

export type { EpochEvent, FitEvent, FitOptions, StateEvent, StepEvent } from './state.ts';

/** Where a training begins, and who wants to know where it is. */
export interface ResumeOptions {
  /** a state that an earlier training with the same options gave: this one goes on from there, to the same bits. Its options
   *  may ask for more epochs; its form is the state's, whatever they say. */
  resumeFrom?: TrainingState | null | undefined;
  /** asked after every step and epoch; where it says so, a state event follows */
  shouldCheckpoint?: ((place: { epochsDone: number }) => boolean) | undefined;
}

/**
 * Trains, an event an epoch; whoever listens draws, saves, or stops by leaving the loop. However it ends, `parameters` then
 * hold the best weights (with early stopping), else the last; after a divergence the last good ones.
 * @throws DivergedError naming step, layer and rate
 */
export function fit(options: FitOptions, resume: ResumeOptions = {}): AsyncGenerator<FitEvent> {
  const form = resume.resumeFrom?.progress.form ?? options.form;
  return withTraining({ ...options, form }, (training) => trainEpochs(training, resume));
}

async function* trainEpochs(training: Training, { resumeFrom: from, shouldCheckpoint }: ResumeOptions): AsyncGenerator<FitEvent> {
  const { options, trainable } = training;
  const { epochs, evaluateEvery, maxMinutes } = options;
  const m = trainable.train.labels.length;
  const best = options.earlyStopping && keepBest(training.evaluated.values, options.earlyStopping);
  if (from) putState(training, best, from);
  takeAverage(training);
  const evaluateDev = devEvaluator(training);
  const started = performance.now() - (from?.progress.seconds ?? 0) * 1000;
  const seconds = () => (performance.now() - started) / 1000;
  const loop = eventLoop();
  const stateAt = (at: Pick<Progress, 'epoch' | 'sums' | 'ended'>, kept = best?.take() ?? null): StateEvent => {
    return { type: 'state', state: takeState(training, { ...at, seconds: seconds() }, kept) };
  };
  try {
    if (from?.progress.ended) {
      const event = lastEvent(from.progress.ended, options, best);
      yield event;
      if (event.stopped !== null) return;
    }
    let sums: EpochTotals = from ? { ...from.progress.sums } : newTotals();
    for (let epoch = from?.progress.epoch ?? 1; epoch <= epochs; epoch++, sums = newTotals()) {
      const checkpoint = () => (shouldCheckpoint?.({ epochsDone: epoch - 1 }) ? stateAt({ epoch, sums, ended: null }) : null);
      yield* trainEpoch(training, epoch, sums, { loop, checkpoint });
      refuseDiverged(training, epoch, sums.cost / m);
      const [last, due] = [epoch === epochs, epoch % evaluateEvery === 0];
      const timeEnds = maxMinutes !== null && seconds() >= maxMinutes * 60;
      const evaluates = due || last || timeEnds;
      const kept = shouldCheckpoint && evaluates && !due ? best?.take() : undefined; // before one that more epochs would leave out
      if (evaluates) takeAverage(training);
      const layers = evaluates && options.measuresNorms !== false ? layerNorms(training) : null; // before dev overwrites what the step left
      const dev = evaluates ? await evaluateDev() : null;
      const patienceEnds = (best && dev && best.update(epoch, dev.cost)) ?? false;
      const event: EpochEvent = {
        type: 'epoch',
        epoch,
        cost: sums.cost / m,
        l2Cost: sums.l2Cost / sums.batches,
        train: { accuracy: sums.correct / m },
        dev,
        learningRate: training.rates[0]!,
        seconds: seconds(),
        layers,
        bestEpoch: best && best.bestEpoch > 0 ? best.bestEpoch : epoch, // before dev is evaluated the weights as they are
        stopped: patienceEnds ? 'early' : last ? 'finished' : timeEnds ? 'time' : null,
      };
      if (event.stopped !== null) refuseNoAnswer(training, epoch);
      const next = { epoch: epoch + 1, sums: newTotals() };
      if (event.stopped !== null && shouldCheckpoint) yield stateAt({ ...next, ended: event }, kept);
      yield event;
      if (event.stopped !== null) return;
      if (shouldCheckpoint?.({ epochsDone: epoch })) yield stateAt({ ...next, ended: null });
    }
  } finally {
    giveResult(training, best);
  }
}

/** Brings what is evaluated up to date with the steps that were taken; without an average it is the parameters themselves.
 *  @returns whether there is an average of steps */
function takeAverage({ average, evaluated }: Training): boolean {
  return average !== null && readAverage(average, evaluated.values);
}

/** Leaves in the parameters what the training gives: of the best epoch or of the last step, averaged where that is wanted. After a divergence
 *  there is no average, and the last good weights are there already. */
function giveResult(training: Training, best: BestKeeper | null): void {
  const { evaluated, trainable } = training;
  const hasBest = best !== null && best.bestEpoch > 0;
  const isAveraged = hasBest ? training.average !== null : takeAverage(training);
  if (hasBest) best.restore();
  if (isAveraged) trainable.form.parameters.values.set(evaluated.values);
}

interface Between {
  loop: ReturnType<typeof eventLoop>;
  /** asked after each step but the last for a state to hand out */
  checkpoint(): StateEvent | null;
}

/** The steps of an epoch, or the rest of it where `sums` are those of its first steps. */
async function* trainEpoch(
  training: Training,
  epoch: number,
  sums: EpochTotals,
  { loop, checkpoint }: Between,
): AsyncGenerator<FitEvent> {
  const { evaluateEvery, epochs, maxMinutes, seed, shuffle, measuresNorms = true } = training.options;
  const { trainable, batchLength: batch } = training;
  const m = trainable.train.labels.length;
  // in dual form the three norms of the first layer cost more than the step; a time limit may end any epoch with an evaluation
  const measures = measuresNorms && (epoch % evaluateEvery === 0 || epoch === epochs || maxMinutes !== null);
  const { order, ends } = batchOrder(m, batch, { shuffle, seed, epoch });
  for await (const window of trainable.train.windows({ order, ends, batch, from: sums.examples })) {
    for (let first = window.first; first < window.end; first += batch) {
      const seen = Math.min(window.end, first + batch);
      trainStep(training, order.subarray(first, seen), { epoch, norms: measures && seen === m }, sums);
      if (loop.isDue()) {
        await loop.turn();
        if (seen < m) yield { type: 'step', progress: epoch - 1 + seen / m };
      }
      const state = seen < m ? checkpoint() : null;
      if (state) yield state;
    }
  }
}

/** Between two turns of the event loop. */
const turnMilliseconds = 100;

/** When a loop of short steps should yield to the event loop, so that Ctrl-C is heard. */
export function eventLoop(): { isDue(): boolean; turn(): Promise<void> } {
  let turned = performance.now();
  return {
    isDue: () => performance.now() - turned > turnMilliseconds,
    turn: async () => {
      await nextTurn();
      turned = performance.now();
    },
  };
}

/** The last event of a training that had ended. Where there are more epochs to go, it is no longer the last, and says what
 *  it would have said in the midst of them; where there are not, the best weights are those that the end found. */
function lastEvent(ended: EpochEvent, { epochs, evaluateEvery }: FitOptions, best: BestKeeper | null): EpochEvent {
  const due = ended.epoch % evaluateEvery === 0;
  const goesOn = ended.epoch < epochs && (ended.stopped === 'finished' || (ended.stopped === 'early' && !due));
  if (goesOn) {
    const unseen = due ? {} : { dev: null, layers: null, bestEpoch: best ? best.bestEpoch : ended.epoch };
    return { ...ended, ...unseen, stopped: null };
  }
  if (best && ended.dev) best.update(ended.epoch, ended.dev.cost);
  return ended;
}

/** @throws DivergedError where the cost has been too high for too long, or a parameter is not finite */
function refuseDiverged(training: Training, epoch: number, cost: number): void {
  if (training.watch.endsWith(cost))
    throw diverged(training, epoch, `the cost is ${cost.toPrecision(3)}, far above its start, for many epochs`, { moved: true });
  const { kernels, parameters } = training.trainable.form;
  if (Number.isFinite(kernels.squaredNorm(parameters.values))) return; // one pass says that all is well
  const broken = brokenTensor(parameters);
  if (broken) throw diverged(training, epoch, 'it holds a number that is not finite', { blamed: broken, moved: true });
}

/** The last step of all is seen by no step after it: weights that are finite may give answers that are not.
 *  @throws DivergedError */
function refuseNoAnswer(training: Training, epoch: number): void {
  const { parameters, kernels } = training.trainable.form;
  const { network, workspace, input } = training.last;
  const logits = forward({ network, parameters, kernels, workspace, input: input!, mode: inference });
  if (!logits.every(Number.isFinite))
    throw diverged(training, epoch, 'its last step left weights that give no answer', { moved: true });
}

/** Examples that are evaluated together, and read together where they are not in memory. */
export const evaluatedTogether = 256;

/** Evaluates dev, where there is one, in the room of a step's batch: another one would take as much again, and forward passes of so few examples cost no
 *  more than those of the step. */
function devEvaluator({ trainable, evaluated, options, workspace }: Training): () => Promise<EpochEvent['dev']> {
  const { dev } = trainable;
  const form = { ...trainable.form, parameters: evaluated };
  if (dev === null) return async () => null;
  return () => evaluateSplit(dev, form, options, workspace);
}

/** Cost and accuracy in inference mode, unweighted. */
async function evaluateSplit(
  split: Samples,
  { kernels, ...form }: Trainable['form'],
  options: FitOptions,
  workspace: Workspace,
): Promise<{ cost: number; accuracy: number }> {
  const scope = kernels.scope();
  try {
    const inference = prepareInference({ ...form, kernels: scope });
    const plain = (input: Batch) => inference(workspace, input);
    const most = Math.min(evaluatedTogether, workspace.capacity, split.labels.length);
    const together = answeredTogether(form.network, kernels, most);
    const features = form.network.inputs;
    const answer = options.averageMirrored ? alsoMirrored(plain, { kernels: scope, features, most: together }) : plain;
    return await costAndAccuracy(split, options, { answer, together });
  } finally {
    scope.release();
  }
}

/** @param by.answer    gives logits, in a view that its next call overwrites
 *  @param by.together  examples that it takes at most */
async function costAndAccuracy(
  split: Samples,
  { loss, threshold }: FitOptions,
  { answer, together }: { answer(input: Batch): ArrayLike<number>; together: number },
): Promise<{ cost: number; accuracy: number }> {
  const m = split.labels.length;
  let [sum, correct] = [0, 0];
  const order = ascending(m);
  for await (const window of split.windows({ order, ends: everySo(m, evaluatedTogether), batch: together, from: 0 })) {
    for (let first = window.first; first < window.end; first += together) {
      const count = Math.min(together, window.end - first);
      const indices = count === m ? null : order.subarray(first, first + count);
      const input = split.batch(indices, count);
      const logits = answer(input);
      const labels = split.labels.subarray(first, first + count);
      for (let i = 0; i < count; i++) sum += losses[loss].value(logits[i]!, labels[i]!);
      correct += countCorrect(logits, labels, threshold);
    }
  }
  return { cost: sum / m, accuracy: correct / m };
}
