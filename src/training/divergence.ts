import { UserError } from '../errors.ts';
import { opsOf } from '../nn/build.ts';
import { backwardFirst, type ParameterSpec, type Parameters } from '../nn/network.ts';
import { featuresOf } from '../nn/op.ts';
import { tensorIn } from '../nn/regularization.ts';
import { type RateScale, smallerRates } from './learning-rate.ts';
import type { Training } from './state.ts';

/** What went wrong, where and when. */
export interface DivergenceReport {
  epoch: number;
  /** from 1, over all epochs */
  step: number;
  /** 1 for the first */
  layer: number;
  /** such as W1 */
  tensor: string;
  learningRate: number;
  /** for all layers, or one a layer where they differ; null where no rate is to blame, since none was used yet */
  proposedRate: number | number[] | null;
  what: string;
  /** indices into the training part of the bad step's batch */
  examples: number[];
}

/** Training diverged. The weights are the last with which an epoch began well. */
export class DivergedError extends UserError {
  readonly report: DivergenceReport;

  constructor(report: DivergenceReport) {
    const { epoch, step, layer, tensor, learningRate, proposedRate, what } = report;
    super(
      'diverged',
      `training diverged at step ${step} (epoch ${epoch}) in layer ${layer} (${tensor}) with learning rate ${learningRate}: ${what}`,
      { hint: hintFor(proposedRate) },
    );
    this.report = report;
  }
}

/** Judges what was just trained, where finite weights may give answers that are none: infinite, or no number.
 *  @param costsOf  of what was judged
 *  @throws UserError (diverged) */
export async function evaluateTrained<Judged>(
  rates: RateScale,
  judge: () => Promise<Judged>,
  costsOf: (judged: Judged) => readonly number[],
): Promise<Judged> {
  try {
    const judged = await judge();
    if (costsOf(judged).every(Number.isFinite)) return judged;
  } catch (error) {
    if (!(error instanceof UserError) || error.kind !== 'model') throw error;
  }
  throw new UserError('diverged', 'training diverged: it ended with weights that give no finite answer for some pictures', {
    hint: hintFor(smallerRates(rates, 'breaks')),
  });
}

function hintFor(proposedRate: DivergenceReport['proposedRate']): string {
  if (proposedRate === null) {
    return 'No step was taken before it, so no learning rate is to blame: first weights, inputs, training.l2 or training.classWeight are too large. Try --set model.init=auto --set data.normalize=standardizeChannels';
  }
  return `Try a smaller learning rate: --set training.learningRate=${JSON.stringify(proposedRate)}; --find-rate tries several`;
}

/** A tensor that holds something that is not finite: of the last such layer, since gradients come from there. */
export function brokenTensor({ values, specs }: Parameters): ParameterSpec | undefined {
  const broken = specs.filter((spec) => !tensorIn(values, spec).every(Number.isFinite));
  return broken.find(({ layer }) => layer === broken[broken.length - 1]!.layer);
}

/** The first layer that makes numbers which are not all finite, on the way forward; undefined where all are. */
function brokenLayer({ last: { network, workspace, indices } }: Training): number | undefined {
  return opsOf(network).find(({ output }, k) => {
    const numbers = indices.length * featuresOf(output);
    return !workspace.slots[k]!.value.subarray(0, numbers).every(Number.isFinite);
  })?.layer;
}

/** The last good weights are put back; the bad step is named. Where no tensor is to blame, that of the largest gradient is.
 *  @param options.moved  whether any step has been taken */
export function diverged(
  training: Training,
  epoch: number,
  what: string,
  { blamed, moved }: { blamed?: ParameterSpec | undefined; moved: boolean },
): DivergedError {
  const { options, trainable, gradient, lastGood, optimizer, last } = training;
  const { parameters, kernels } = trainable.form;
  if (!blamed) completeGradient(training);
  parameters.values.set(lastGood);
  if (training.average) training.average.steps = 0; // what broke is in it
  const size = (spec: ParameterSpec) => {
    const norm = kernels.squaredNorm(tensorIn(gradient.values, spec));
    return Number.isNaN(norm) ? Number.POSITIVE_INFINITY : norm;
  };
  const { layer, name } = blamed ?? parameters.specs.reduce((a, b) => (size(b) > size(a) ? b : a));
  return new DivergedError({
    epoch,
    step: optimizer.t,
    layer: layer + 1,
    tensor: name,
    learningRate: options.learningRates[layer]!,
    proposedRate: moved ? smallerRates(options, 'breaks') : null,
    what,
    examples: [...last.indices],
  });
}

/** @throws DivergedError before the weights are touched */
export function refuseBrokenCost(training: Training, cost: number, epoch: number): void {
  if (Number.isFinite(cost)) return;
  const { trainable, optimizer } = training;
  const layer = brokenLayer(training);
  const weights = trainable.form.parameters.specs.find((spec) => spec.decayed && spec.layer === layer);
  throw diverged(training, epoch, `the cost is ${cost}`, { blamed: weights, moved: optimizer.t > 1 });
}

/** @param firstIsFinite  what a step that was made in one with its gradient says of it
 *  @throws DivergedError */
export function refuseBrokenGradient(training: Training, firstIsFinite: boolean, epoch: number): void {
  const { trainable, gradient, last, optimizer } = training;
  const { kernels, firstWeights } = trainable.form;
  const seen = last.fused ? gradient.values.subarray(firstWeights.offset + firstWeights.length) : gradient.values;
  // one pass says that all is well; only where it is not does it matter where
  if (firstIsFinite && Number.isFinite(kernels.squaredNorm(seen))) return;
  completeGradient(training);
  const broken = brokenTensor(gradient) ?? (firstIsFinite ? undefined : firstWeights);
  if (broken) throw diverged(training, epoch, 'its gradient is not finite', { blamed: broken, moved: optimizer.t > 1 });
}

/** The gradient of the first weights at the last step, where nobody has seen it yet (without L2's share). */
function completeGradient({ trainable: { form }, gradient, last: { input, network, workspace, fused } }: Training): void {
  if (!fused || input === null) return;
  const { kernels, parameters } = form;
  const mode = { kind: 'training', masks: null } as const; // that of the step
  backwardFirst({ network, parameters, kernels, workspace, input, mode }, gradient);
}
