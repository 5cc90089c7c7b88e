import { setImmediate as nextTurn } from 'node:timers/promises';
import { log } from '../elementary.ts';
import { UserError } from '../errors.ts';
import { inScope, type Kernels } from '../kernels/kernels.ts';
import { kernelsFor } from '../kernels/select.ts';
import { backward, lossGradient } from '../model/backward.ts';
import type { Form } from '../model/forms.ts';
import { createWorkspace, forward, inference, type Pass } from '../model/forward.ts';
import { type LossName, losses } from '../model/losses.ts';
import { type Parameters, parametersOver } from '../model/network.ts';
import { type OptimizerName, optimizers } from '../optimize/optimizers.ts';
import { dualProblem } from './dual.ts';
import { directProblem, type Problem, type ProblemOptions, type ProblemPart } from './problem.ts';

/** `parameters` are the first weights; they are moved in place, and are up to date once the loop has ended. */
export interface FitOptions extends ProblemOptions {
  kernels: Kernels;
  /** of the first layer; the same results in float64 (form.ts) */
  form: Form;
  loss: LossName;
  optimizer: OptimizerName;
  learningRate: number;
  epochs: number;
  /** epochs between looks at dev */
  evaluateEvery: number;
  /** p > threshold counts as positive in the accuracies */
  threshold: number;
}

/** What an epoch did. Epochs count from 1. */
export interface EpochEvent {
  epoch: number;
  /** the mean over the epoch's batches, each before its own update */
  cost: number;
  train: { accuracy: number };
  /** after the epoch's updates; null where this epoch was not looked at */
  dev: { cost: number; accuracy: number } | null;
  learningRate: number;
  /** since the start */
  seconds: number;
}

/** A run has diverged when its cost is this many times that of its start … */
const divergedFactor = 100;
/** … for this many epochs on end: a rise that heals is none. */
const divergedEpochs = 20;
/** Between two turns of the event loop, so that Ctrl-C is heard. */
const turnMilliseconds = 100;

/** Trains in place, an event an epoch; whoever listens draws, saves, or stops by leaving the loop.
 *  @throws UserError (diverged) naming step, layer and rate */
export async function* fit(options: FitOptions): AsyncGenerator<EpochEvent> {
  const kernels = kernelsOf(options).scope();
  try {
    const problem = options.form === 'dual' ? dualProblem(options, kernels) : directProblem(options, kernels);
    try {
      yield* train(problem, options);
    } finally {
      problem.write();
    }
  } finally {
    kernels.release();
  }
}

/** The dual form computes in float64 whatever the precision, and rounds once, at the end. */
export function kernelsOf({ form, kernels }: FitOptions): Kernels {
  return form === 'dual' && kernels.precision !== 'float64' ? kernelsFor('float64') : kernels;
}

async function* train(problem: Problem, options: FitOptions): AsyncGenerator<EpochEvent> {
  const { network, parameters, kernels, dev } = problem;
  const { labels } = problem.train;
  const { loss, learningRate } = options;
  const m = labels.length;
  const input = problem.train.rows(null, m);
  const pass: Pass = {
    network,
    parameters,
    kernels,
    input,
    workspace: createWorkspace(network, kernels, m),
    mode: { kind: 'training', masks: null },
  };
  const gradient = parametersOver(network, kernels.floats(parameters.values.length));
  const targets = { loss, labels, classWeights: [1, 1] } as const;
  const { slots, update } = optimizers[options.optimizer];
  const state = Array.from({ length: slots }, () => kernels.floats(parameters.values.length));
  const watch = divergenceWatch(learningRate, kernels);
  const started = performance.now();
  let turned = started;
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    const logits = forward(pass);
    const cost = lossGradient(pass, targets);
    const correct = countCorrect(logits, labels, options.threshold);
    backward(pass, gradient);
    watch(epoch, cost, gradient);
    for (const { trained, offset, length } of parameters.segments) {
      if (trained)
        update({
          kernels,
          values: parameters.values,
          gradient: gradient.values,
          state,
          start: offset,
          end: offset + length,
          learningRate,
          t: epoch,
        });
    }
    const looks = dev !== null && (epoch % options.evaluateEvery === 0 || epoch === options.epochs);
    yield {
      epoch,
      cost,
      train: { accuracy: correct / m },
      dev: looks ? lookAt(dev, problem, options) : null,
      learningRate,
      seconds: (performance.now() - started) / 1000,
    };
    if (performance.now() - turned > turnMilliseconds) {
      await nextTurn();
      turned = performance.now();
    }
  }
}

/** Cost and accuracy in inference mode. */
function lookAt(
  { labels, rows }: ProblemPart,
  { network, parameters, kernels }: Problem,
  { loss, threshold }: FitOptions,
): { cost: number; accuracy: number } {
  const count = labels.length;
  return inScope(kernels, (scope) => {
    const workspace = createWorkspace(network, scope, count);
    const logits = forward({ network, parameters, kernels, workspace, input: rows(null, count), mode: inference });
    let sum = 0;
    for (let i = 0; i < count; i++) sum += losses[loss].value(logits[i]!, labels[i]!);
    return { cost: sum / count, accuracy: countCorrect(logits, labels, threshold) / count };
  });
}

/** σ(z) > threshold exactly where z > ln(threshold / (1 − threshold)). */
function countCorrect(logits: ArrayLike<number>, labels: Uint8Array, threshold: number): number {
  const bound = log(threshold / (1 - threshold));
  let correct = 0;
  for (let i = 0; i < labels.length; i++) if (logits[i]! > bound === (labels[i] === 1)) correct++;
  return correct;
}

/** Sees to it that a run that has diverged stops. */
function divergenceWatch(learningRate: number, kernels: Kernels): (step: number, cost: number, gradient: Parameters) => void {
  let bound = Number.POSITIVE_INFINITY;
  let above = 0;
  return (step, cost, gradient) => {
    if (step === 1) bound = divergedFactor * Math.max(cost, Math.LN2);
    above = cost > bound ? above + 1 : 0;
    if (Number.isFinite(cost) && Number.isFinite(kernels.squaredNorm(gradient.values)) && above < divergedEpochs) return;
    const norms = gradient.segments.map(({ offset, length }) =>
      kernels.squaredNorm(gradient.values.subarray(offset, offset + length)),
    );
    const broken = gradient.segments[norms.findIndex((norm) => !Number.isFinite(norm))];
    const what = !Number.isFinite(cost)
      ? `the cost is ${cost}`
      : broken
        ? `the gradient of ${nameOf(broken)} is not finite`
        : `the cost has been above ${bound.toPrecision(3)}, ${divergedFactor} times its start, for ${divergedEpochs} epochs; the largest gradient is that of ${nameOf(gradient.segments[norms.indexOf(Math.max(...norms))]!)}`;
    throw new UserError('diverged', `training diverged at step ${step} with learning rate ${learningRate}: ${what}`, {
      hint: `Try a smaller learning rate: --set training.learningRate=${Number((learningRate / 10).toPrecision(2))}`,
    });
  };
}

function nameOf({ name, layer }: { name: string; layer: number }): string {
  return `${name} (layer ${layer + 1})`;
}
