import { ascending, batchOrder, everySo } from '../data/batches.ts';

import { createWorkspace, forward, inference, type Workspace } from '../model/forward.ts';
import { losses } from '../model/losses.ts';
import { diverged } from './broken-step.ts';
import { brokenSegment } from './divergence.ts';
import { type BestKeeper, keepBest } from './early-stopping.ts';
import type { EpochEvent, FitEvent, StateEvent } from './fit-events.ts';
import { type FitOptions, type Training, withTraining } from './fit-run.ts';
import { type LayerNorms, layerNorms } from './layer-norms.ts';
import { type Pace, startYielding } from './pace.ts';
import type { Trainable, TrainableSplit } from './problem.ts';
import { weightsNorm } from './problem.ts';
import { countCorrect, type EpochTotals, trainStep } from './step.ts';
import { noTotals, type Progress, putState, type TrainingState, takeState } from './training-state.ts';

export type { EpochEvent, FitEvent, StateEvent, StepEvent } from './fit-events.ts';
export type { FitOptions } from './fit-run.ts';

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
export function fit(options: FitOptions, going: ResumeOptions = {}): AsyncGenerator<FitEvent> {
  const form = going.resumeFrom?.progress.form ?? options.form;
  return withTraining({ ...options, form }, (run) => fitRun(run, going));
}

async function* fitRun(run: Training, { resumeFrom: from, shouldCheckpoint: wants }: ResumeOptions): AsyncGenerator<FitEvent> {
  const { options, trainable: problem } = run;
  const { epochs, evaluateEvery, maxMinutes } = options;
  const m = problem.train.labels.length;
  const best = options.earlyStopping && keepBest(problem.parameters.values, options.earlyStopping);
  if (from) putState(run, best, from);
  const look = devEvaluator(run);
  const started = performance.now() - (from?.progress.seconds ?? 0) * 1000;
  const pace = startYielding();
  const seconds = () => (performance.now() - started) / 1000;
  const stateAt = (at: Pick<Progress, 'epoch' | 'sums' | 'ended'>, kept = best?.take() ?? null): StateEvent => {
    return { type: 'state', state: takeState(run, { ...at, seconds: seconds() }, kept) };
  };
  try {
    if (from?.progress.ended) {
      const event = lastEvent(from.progress.ended, options, best);
      yield event;
      if (event.stopped !== null) return;
    }
    let sums: EpochTotals = { ...(from?.progress.sums ?? noTotals) };
    for (let epoch = from?.progress.epoch ?? 1; epoch <= epochs; epoch++, sums = { ...noTotals }) {
      const state = () => (wants?.({ epochsDone: epoch - 1 }) ? stateAt({ epoch, sums, ended: null }) : null);
      yield* takeEpoch(run, epoch, sums, { pace, state });
      refuseDiverged(run, epoch, sums.cost / m);
      const [last, due] = [epoch === epochs, epoch % evaluateEvery === 0];
      const timeEnds = maxMinutes !== null && seconds() >= maxMinutes * 60;
      const looks = due || last || timeEnds;
      const kept = wants && looks && !due ? best?.take() : undefined; // before a look that more epochs would not take
      const dev = looks ? await look() : null;
      const patienceEnds = (best && dev && best.update(epoch, dev.cost)) ?? false;
      const event: EpochEvent = {
        type: 'epoch',
        epoch,
        cost: sums.cost / m,
        l2Cost: sums.l2Cost / sums.batches,
        train: { accuracy: sums.correct / m },
        dev,
        learningRate: run.rates[0]!,
        seconds: seconds(),
        layers: looks ? norms(run) : null,
        bestEpoch: best && best.bestEpoch > 0 ? best.bestEpoch : epoch, // before the first look the weights as they are
        stopped: patienceEnds ? 'early' : last ? 'finished' : timeEnds ? 'time' : null,
      };
      if (event.stopped !== null) refuseNoAnswer(run, epoch);
      const next = { epoch: epoch + 1, sums: noTotals };
      if (event.stopped !== null && wants) yield stateAt({ ...next, ended: event }, kept);
      yield event;
      if (event.stopped !== null) return;
      if (wants?.({ epochsDone: epoch })) yield stateAt({ ...next, ended: null });
    }
  } finally {
    if (best && best.bestEpoch > 0) best.restore();
  }
}

interface Listening {
  pace: Pace;
  /** asked after each step but the last for a state to hand out */
  state(): StateEvent | null;
}

/** The steps of an epoch, or the rest of it where `sums` are those of its first steps. */
async function* takeEpoch(run: Training, epoch: number, sums: EpochTotals, { pace, state }: Listening): AsyncGenerator<FitEvent> {
  const { evaluateEvery, epochs, maxMinutes, seed, shuffle } = run.options;
  const m = run.trainable.train.labels.length;
  // in dual form the three norms of the first layer cost more than the step; a time limit may end any epoch with a look
  const measures = epoch % evaluateEvery === 0 || epoch === epochs || maxMinutes !== null;
  const { order, ends } = batchOrder(m, run.batch, { shuffle, seed, epoch });
  for await (const span of run.trainable.train.windows({ order, ends, batch: run.batch, from: sums.examples })) {
    for (let first = span.first; first < span.end; first += run.batch) {
      const seen = Math.min(span.end, first + run.batch);
      trainStep(run, order.subarray(first, seen), { epoch, norms: measures && seen === m }, sums);
      if (pace.isDue()) {
        await pace.turn();
        if (seen < m) yield { type: 'step', progress: epoch - 1 + seen / m };
      }
      const taken = seen < m ? state() : null;
      if (taken) yield taken;
    }
  }
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
function refuseDiverged(run: Training, epoch: number, cost: number): void {
  if (run.watch.endsWith(cost))
    throw diverged(run, epoch, `the cost is ${cost.toPrecision(3)}, far above its start, for many epochs`, { moved: true });
  if (Number.isFinite(run.trainable.kernels.squaredNorm(run.trainable.parameters.values))) return; // one pass says that all is well
  const broken = brokenSegment(run.trainable.parameters);
  if (broken) throw diverged(run, epoch, 'it holds a number that is not finite', { blamed: broken, moved: true });
}

/** The last step of all is seen by no step after it: weights that are finite may give answers that are not.
 *  @throws DivergedError */
function refuseNoAnswer(run: Training, epoch: number): void {
  const { trainable: problem, workspace, lastInput } = run;
  const { network, parameters, kernels } = problem;
  const logits = forward({ network, parameters, kernels, workspace, input: lastInput!, mode: inference });
  if (!logits.every(Number.isFinite))
    throw diverged(run, epoch, 'its last step left weights that give no answer', { moved: true });
}

function norms(run: Training): LayerNorms[] {
  const { trainable: problem, workspace, lastCount: count, gradientNorms, updateNorms } = run;
  const weightNorms = problem.network.layers.map((_, layer) => weightsNorm(problem, problem.parameters, layer));
  return layerNorms(problem.network, { workspace, count, gradientNorms, updateNorms, weightNorms });
}

/** Examples that are looked at together, and read together where they are not in memory. */
const lookChunk = 256;

/** Looks at dev, where there is one. */
function devEvaluator({ trainable: problem, options }: Training): () => Promise<EpochEvent['dev']> {
  const { dev, network, kernels } = problem;
  if (dev === null) return async () => null;
  const workspace = createWorkspace(network, kernels, Math.min(lookChunk, dev.labels.length));
  return () => evaluateSplit(dev, problem, options, workspace);
}

/** Cost and accuracy in inference mode, unweighted. */
async function evaluateSplit(
  part: TrainableSplit,
  { network, parameters, kernels }: Trainable,
  { loss, threshold }: FitOptions,
  workspace: Workspace,
): Promise<{ cost: number; accuracy: number }> {
  const m = part.labels.length;
  const batch = workspace.capacity;
  let [sum, correct] = [0, 0];
  const order = ascending(m);
  for await (const span of part.windows({ order, ends: everySo(m, lookChunk), batch, from: 0 })) {
    for (let first = span.first; first < span.end; first += batch) {
      const count = Math.min(batch, span.end - first);
      const indices = count === m ? null : order.subarray(first, first + count);
      const logits = forward({ network, parameters, kernels, input: part.batch(indices, count), workspace, mode: inference });
      const labels = part.labels.subarray(first, first + count);
      for (let i = 0; i < count; i++) sum += losses[loss].value(logits[i]!, labels[i]!);
      correct += countCorrect(logits, labels, threshold);
    }
  }
  return { cost: sum / m, accuracy: correct / m };
}
