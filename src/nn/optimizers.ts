import { power } from '../elementary.ts';
import type { Floats, Kernels, OptimizerStep, UpdateCoefficients } from '../kernels/kernels.ts';
import { referenceKernels } from '../kernels/reference.ts';
import type { Parameters } from './network.ts';
import { tensorIn } from './regularization.ts';

/** The numbers of an update rule; each rule names those that it takes. */
export interface OptimizerOptions {
  beta: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

/** Moving averages of the gradient and of its squares: what rules remember. */
export type Moment = 'firstMoment' | 'secondMoment';

/** An update rule: W ← W − α (direction + weightDecay · W), the last for weights alone. Its direction is what the kernels' rule (`optimizerStep`) makes with
 *  some coefficients; or, for a rule that the kernels do not know, a function of its own: as right, and slower. */
export interface Optimizer {
  summary: string;
  /** defaults of the options that it takes */
  defaults: Partial<OptimizerOptions>;
  moments: readonly Moment[];
  /** whether it moves all weights alike, by sums of gradients: then the first layer's stay in the span of their start and
   *  the training pictures, and the dual form applies */
  linear: boolean;
  /** @param t  steps taken, this one included: 1, 2, … */
  rule: UpdateRule;
}

export type UpdateRule =
  | { coefficients(options: OptimizerOptions, t: number): UpdateCoefficients }
  | { direction(step: DirectionStep, options: OptimizerOptions, t: number): void };

/** Turns a gradient, in place, into the direction of the step, and moves the moments that the rule has. */
export type DirectionStep = { gradient: Floats } & Record<Moment, Floats | null>;

/** Coefficients, 0 and no correction where they are left out. */
function coefficientsOf(of: Partial<UpdateCoefficients>): UpdateCoefficients {
  const { beta1 = 0, beta2 = 0, biasCorrection1 = 1, biasCorrection2 = 1, epsilonInsideRoot = 0, epsilon = 0 } = of;
  return { beta1, beta2, biasCorrection1, biasCorrection2, epsilonInsideRoot, epsilon };
}

/** v̂/(√ŝ + ε). @see Kingma & Ba 2015, algorithm 1 */
const adam: UpdateRule = {
  coefficients({ beta1, beta2, epsilon }, t) {
    const [biasCorrection1, biasCorrection2] = [1 - power(beta1, t), 1 - power(beta2, t)];
    return coefficientsOf({ beta1, beta2, biasCorrection1, biasCorrection2, epsilon });
  },
};
const adamDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

const entries = {
  gradientDescent: {
    summary: 'W ← W − α dW',
    defaults: {},
    moments: [],
    linear: true,
    rule: { coefficients: () => coefficientsOf({}) },
  },
  /** @see Polyak 1964, in the course's form with 1 − β */
  momentum: {
    summary: 'v ← βv + (1 − β)dW, W ← W − αv',
    defaults: { beta: 0.9 },
    moments: ['firstMoment'],
    linear: true,
    rule: { coefficients: ({ beta }) => coefficientsOf({ beta1: beta }) },
  },
  /** @see Tieleman & Hinton 2012, lecture 6.5; ε inside the root, as the notes have it */
  rmsprop: {
    summary: 's ← β₂s + (1 − β₂)dW², W ← W − α dW/√(s + ε)',
    defaults: { beta2: 0.999, epsilon: 1e-8 },
    moments: ['secondMoment'],
    linear: false,
    rule: { coefficients: ({ beta2, epsilon }) => coefficientsOf({ beta2, epsilonInsideRoot: epsilon }) },
  },
  adam: {
    summary: 'v̂ = v/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ), W ← W − α v̂/(√ŝ + ε)',
    defaults: adamDefaults,
    moments: ['firstMoment', 'secondMoment'],
    linear: false,
    rule: adam,
  },
  /** @see Loshchilov & Hutter 2019, algorithm 2 */
  adamw: {
    summary: 'Adam with decoupled weight decay: W ← W − α (v̂/(√ŝ + ε) + weightDecay · W)',
    defaults: { ...adamDefaults, weightDecay: 0.01 },
    moments: ['firstMoment', 'secondMoment'],
    linear: false,
    rule: adam,
  },
} satisfies Record<string, Optimizer>;

export type OptimizerName = keyof typeof entries;
export const optimizers: Record<OptimizerName, Optimizer> = entries;

/** A rule, with what the config says of its numbers. */
export type OptimizerChoice = { name: OptimizerName } & { [K in keyof OptimizerOptions]?: number | undefined };

/** The numbers of a choice, its rule's defaults filled in. */
export function optimizerOptions({ name, ...own }: OptimizerChoice): OptimizerOptions {
  const zeros = { beta: 0, beta1: 0, beta2: 0, epsilon: 0, weightDecay: 0 };
  return { ...zeros, ...optimizers[name].defaults, ...(own as Partial<OptimizerOptions>) };
}

/** An optimizer at one of its steps. */
export interface OptimizerState {
  name: OptimizerName;
  options: OptimizerOptions;
  /** as many buffers as the rule has moments, in their order, laid out like the parameters */
  moments: readonly Floats[];
  /** steps taken, this one included: 1, 2, … */
  t: number;
}

/** A rule's moments for a range of the parameters, as the kernels take them. */
export function momentsIn({ name, moments }: OptimizerState, start: number, end: number): Pick<OptimizerStep, Moment> {
  const moment = (which: Moment) => moments[optimizers[name].moments.indexOf(which)]?.subarray(start, end) ?? null;
  return { firstMoment: moment('firstMoment'), secondMoment: moment('secondMoment') };
}

/** A range of the parameters that is moved at one rate. */
export interface ParameterGroup {
  start: number;
  end: number;
  /** whose rate it is */
  layer: number;
  /** what multiplies the rate for each column of W, or null */
  featureRates: Float64Array | null;
}

/** Takes a step: turns the gradient of a group into a direction, which is left there, and W ← W − α · direction.
 *  @returns ‖ΔW‖² where rates differ by feature; else null, since it follows from the direction */
export function optimizerStep(
  kernels: Kernels,
  state: OptimizerState,
  { values, specs }: Pick<Parameters, 'values' | 'specs'>,
  gradient: Floats,
  { start, end, featureRates }: Omit<ParameterGroup, 'layer'>,
  learningRate: number,
): number | null {
  const { name, options, t } = state;
  const { rule } = optimizers[name];
  const { firstMoment, secondMoment } = momentsIn(state, start, end);
  const own = { values: values.subarray(start, end), gradient: gradient.subarray(start, end), firstMoment, secondMoment };
  const isPlain = featureRates === null && options.weightDecay === 0;
  if ('coefficients' in rule && featureRates === null) {
    const rate = isPlain ? learningRate : 0;
    kernels.optimizerStep({
      values: own.values,
      gradient: own.gradient,
      firstMoment,
      secondMoment,
      learningRate: rate,
      ...rule.coefficients(options, t),
    });
    if (isPlain) return null;
  } else directions(state, own);
  const decayed = specs.filter((spec) => spec.decayed && spec.offset >= start && spec.offset < end);
  for (const spec of options.weightDecay === 0 ? [] : decayed) {
    kernels.addScaled({ values: tensorIn(values, spec), factor: options.weightDecay, out: tensorIn(gradient, spec) });
  }
  if (featureRates !== null) return moveByFeature(own, learningRate, featureRates);
  kernels.addScaled({ values: own.gradient, factor: -learningRate, out: own.values });
  return null;
}

/** Steps from one `clearTiny` to the next: what decays needs thousands from there to denormal numbers. */
export const tinyEvery = 256;
/** What is nearer to 0 is 0 to all that is ever added to it. */
const tiny = { float32: 2 ** -100, float64: 2 ** -900 };

/** Makes 0 of what is almost 0: weights and moments that nothing but L2 moves come nearer to 0 until they are denormal numbers, by which processors multiply a hundred times as
 *  slowly. What is no number stays so. */
export function clearTiny(values: Floats): void {
  const least = values instanceof Float32Array ? tiny.float32 : tiny.float64;
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]!) < least) values[i] = 0;
}

const reference = referenceKernels('float64');

/** The direction of a step, number by number, in place of the gradient: what a rule means. */
export function directions({ name, options, t }: Omit<OptimizerState, 'moments'>, step: DirectionStep): void {
  const { rule } = optimizers[name];
  if ('direction' in rule) rule.direction(step, options, t);
  else reference.optimizerStep({ ...step, ...rule.coefficients(options, t), values: step.gradient.slice(), learningRate: 0 });
}

/** W ← W − α · rate of the column · direction. @returns ‖ΔW‖² */
function moveByFeature(
  { values, gradient }: Pick<OptimizerStep, 'values' | 'gradient'>,
  learningRate: number,
  featureRates: Float64Array,
): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const update = learningRate * featureRates[i % featureRates.length]! * gradient[i]!;
    values[i] = values[i]! - update;
    squares += update * update;
  }
  return squares;
}

/** What the optimizer is to move: all that is trained, neighbours of one rate together, since each call of the kernels costs something.
 *  @param first   the tensor whose rates may differ by feature
 *  @param except  a tensor that moves elsewhere */
export function parameterGroups(
  { learningRates, featureRates }: { learningRates: readonly number[]; featureRates: Float64Array | null },
  { specs }: Pick<Parameters, 'specs'>,
  { first, except = null }: { first: unknown; except?: unknown },
): ParameterGroup[] {
  const groups: ParameterGroup[] = [];
  for (const spec of specs) {
    if (!spec.trained || spec === except) continue;
    const { layer, offset: start, length } = spec;
    const own = spec === first ? featureRates : null;
    const last = groups.at(-1);
    const joins = last?.end === start && !last.featureRates && !own && learningRates[last.layer] === learningRates[layer];
    if (joins) last.end += length;
    else groups.push({ start, end: start + length, layer, featureRates: own });
  }
  return groups;
}
