import { setImmediate as nextTurn } from 'node:timers/promises';
import { epochBatches } from '../data/batches.ts';
import { createWorkspace, forward, inference, type Workspace } from '../model/forward.ts';
import { losses } from '../model/losses.ts';
import { brokenSegment } from './divergence.ts';
import { keepBest } from './early-stopping.ts';
import { type LayerNorms, layerNorms } from './layer-norms.ts';
import type { Problem, ProblemPart } from './problem.ts';
import { countCorrect, diverged, type FitOptions, type Run, type Sums, takeStep, weightsNorm, withRun } from './step.ts';

export type { FitOptions } from './step.ts';

/** A sign of life within an epoch that takes long. */
export interface StepEvent {
  type: 'step';
  /** epochs done, with the share of the present one */
  progress: number;
}

/** What an epoch did: a line of the journal. Epochs count from 1. */
export interface EpochEvent {
  type: 'epoch';
  epoch: number;
  /** the mean over the epoch's batches, each before its own update and as trained, without L2 */
  cost: number;
  /** (λ/2m) Σ‖W‖², the mean over the batches */
  l2Cost: number;
  train: { accuracy: number };
  /** in inference mode after the epoch's updates; null where this epoch was not looked at */
  dev: { cost: number; accuracy: number } | null;
  /** the first layer's, after the schedule */
  learningRate: number;
  /** since the start */
  seconds: number;
  /** of the epoch's last step; null where this epoch was not looked at */
  layers: LayerNorms[] | null;
  /** with early stopping the epoch of the least dev cost so far, else this one */
  bestEpoch: number;
  /** why this is the last epoch, if it is */
  stopped: 'finished' | 'early' | 'time' | null;
}

export type FitEvent = StepEvent | EpochEvent;

/** Between two turns of the event loop, so that Ctrl-C is heard. */
const turnMilliseconds = 100;

/**
 * Trains, an event an epoch; whoever listens draws, saves, or stops by leaving the loop. However it ends, `parameters` then
 * hold the best weights (with early stopping), else the last; after a divergence the last good ones.
 * @throws DivergedError naming step, layer and rate
 */
export function fit(options: FitOptions): AsyncGenerator<FitEvent> {
  return withRun(options, fitRun);
}

async function* fitRun(run: Run): AsyncGenerator<FitEvent> {
  const { options, problem } = run;
  const { epochs, evaluateEvery, maxMinutes } = options;
  const { parameters, dev } = problem;
  const m = problem.train.labels.length;
  const best = options.earlyStopping && keepBest(parameters.values, options.earlyStopping);
  const devWorkspace = dev && createWorkspace(problem.network, problem.kernels, Math.min(lookChunk, dev.labels.length));
  const started = performance.now();
  let turned = started;
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const sums: Sums = { cost: 0, l2Cost: 0, correct: 0, batches: 0, examples: 0 };
      // in dual form the three norms of the first layer cost more than the step; a time limit may end any epoch with a look
      const measures = epoch % evaluateEvery === 0 || epoch === epochs || maxMinutes !== null;
      for (const indices of epochBatches(m, run.batch, options.seed, epoch)) {
        takeStep(run, indices, { epoch, norms: measures && sums.examples + indices.length === m }, sums);
        if (performance.now() - turned > turnMilliseconds) {
          await nextTurn();
          turned = performance.now();
          if (sums.examples < m) yield { type: 'step', progress: epoch - 1 + sums.examples / m };
        }
      }
      refuseDiverged(run, epoch, sums.cost / m);
      const passed = () => (performance.now() - started) / 1000;
      const last = epoch === epochs;
      const timeEnds = maxMinutes !== null && passed() >= maxMinutes * 60;
      const looks = epoch % evaluateEvery === 0 || last || timeEnds;
      const devNow = looks && dev ? lookAt(dev, problem, options, devWorkspace!) : null;
      const patienceEnds = (best && devNow && best.look(epoch, devNow.cost)) ?? false;
      const stopped = patienceEnds ? 'early' : last ? 'finished' : timeEnds ? 'time' : null;
      yield {
        type: 'epoch',
        epoch,
        cost: sums.cost / m,
        l2Cost: sums.l2Cost / sums.batches,
        train: { accuracy: sums.correct / m },
        dev: devNow,
        learningRate: run.rates[0]!,
        seconds: passed(),
        layers: looks ? norms(run) : null,
        bestEpoch: best ? best.bestEpoch : epoch,
        stopped,
      };
      if (stopped !== null) return;
    }
  } finally {
    if (best && best.bestEpoch > 0) best.restore();
  }
}

/** @throws DivergedError where the cost has been too high for too long, or a parameter is not finite */
function refuseDiverged(run: Run, epoch: number, cost: number): void {
  if (run.watch.endsWith(cost))
    throw diverged(run, epoch, `the cost is ${cost.toPrecision(3)}, far above its start, for many epochs`);
  const broken = brokenSegment(run.problem.parameters);
  if (broken) throw diverged(run, epoch, 'it holds a number that is not finite', broken);
}

function norms(run: Run): LayerNorms[] {
  const { problem, workspace, lastCount: count, gradientNorms, updateNorms } = run;
  const weightNorms = problem.network.layers.map((_, layer) => weightsNorm(problem, problem.parameters, layer));
  return layerNorms(problem.network, { workspace, count, gradientNorms, updateNorms, weightNorms });
}

/** Examples that are looked at together. */
const lookChunk = 256;

/** Cost and accuracy in inference mode, unweighted. */
function lookAt(
  part: ProblemPart,
  { network, parameters, kernels }: Problem,
  { loss, threshold }: FitOptions,
  workspace: Workspace,
): { cost: number; accuracy: number } {
  const m = part.labels.length;
  let [sum, correct] = [0, 0];
  for (let first = 0; first < m; first += workspace.capacity) {
    const count = Math.min(workspace.capacity, m - first);
    const indices = count === m ? null : Int32Array.from({ length: count }, (_, i) => first + i);
    const logits = forward({ network, parameters, kernels, input: part.rows(indices, count), workspace, mode: inference });
    const labels = part.labels.subarray(first, first + count);
    for (let i = 0; i < count; i++) sum += losses[loss].value(logits[i]!, labels[i]!);
    correct += countCorrect(logits, labels, threshold);
  }
  return { cost: sum / m, accuracy: correct / m };
}
