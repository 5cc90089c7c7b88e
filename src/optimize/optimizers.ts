import { power } from '../elementary.ts';
import type { Floats, Kernels, OptimizerStep, UpdateCoefficients } from '../kernels/kernels.ts';

/** The numbers of an update rule; each rule names those that it takes. */
export interface OptimizerOptions {
  beta: number;
  beta1: number;
  beta2: number;
  epsilon: number;
}

/** A stretch of the parameter buffer on its way from gradient to update. */
export interface Step {
  /** dW when it comes in, the direction of the step when it goes out: W ← W − α · direction */
  gradient: Floats;
  /** as many buffers as the optimizer has slots, laid out like the parameters, zeros at first */
  state: readonly Floats[];
  start: number;
  end: number;
  /** steps taken, this one included: 1, 2, … */
  t: number;
}

/** An update rule: what it makes of a gradient, and of what it remembers of those before. */
export interface Optimizer {
  summary: string;
  /** defaults of the options that it takes */
  defaults: Partial<OptimizerOptions>;
  slots: number;
  /** whether it moves all weights alike, by sums of gradients: then the first layer's stay in the span of their start and
   *  the training pictures, and the dual form applies */
  linear: boolean;
  direct(step: Step, options: OptimizerOptions): void;
  /** what the slots hold, in their order, and the numbers with which `optimizerStep` of the kernels does the same */
  moments: readonly ('velocities' | 'squares')[];
  coefficients(options: OptimizerOptions, t: number): UpdateCoefficients;
}

const plain: UpdateCoefficients = {
  beta1: 0,
  beta2: 0,
  biasCorrection1: 1,
  biasCorrection2: 1,
  epsilonInsideRoot: 0,
  epsilon: 0,
};

const entries = {
  gradientDescent: {
    summary: 'W ← W − α dW',
    defaults: {},
    slots: 0,
    linear: true,
    direct: () => {},
    moments: [],
    coefficients: () => plain,
  },
  /** @see Polyak 1964, in the course's form with 1 − β */
  momentum: {
    summary: 'v ← βv + (1 − β)dW, W ← W − αv',
    defaults: { beta: 0.9 },
    slots: 1,
    linear: true,
    direct({ gradient, state: [v], start, end }, { beta }) {
      for (let i = start; i < end; i++) {
        v![i] = beta * v![i]! + (1 - beta) * gradient[i]!;
        gradient[i] = v![i]!;
      }
    },
    moments: ['velocities'],
    coefficients: ({ beta }) => ({ ...plain, beta1: beta }),
  },
  /** @see Tieleman & Hinton 2012, lecture 6.5; ε inside the root, as the notes have it */
  rmsprop: {
    summary: 's ← β₂s + (1 − β₂)dW², W ← W − α dW/√(s + ε)',
    defaults: { beta2: 0.999, epsilon: 1e-8 },
    slots: 1,
    linear: false,
    direct({ gradient, state: [s], start, end }, { beta2, epsilon }) {
      for (let i = start; i < end; i++) {
        const g = gradient[i]!;
        s![i] = beta2 * s![i]! + (1 - beta2) * g * g;
        gradient[i] = g / Math.sqrt(s![i]! + epsilon);
      }
    },
    moments: ['squares'],
    coefficients: ({ beta2, epsilon }) => ({ ...plain, beta2, epsilonInsideRoot: epsilon }),
  },
  /** @see Kingma & Ba 2015, algorithm 1 */
  adam: {
    summary: 'v̂ = v/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ), W ← W − α v̂/(√ŝ + ε)',
    defaults: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    slots: 2,
    linear: false,
    direct({ gradient, state: [v, s], start, end, t }, { beta1, beta2, epsilon }) {
      const first = 1 - power(beta1, t);
      const second = 1 - power(beta2, t);
      for (let i = start; i < end; i++) {
        const g = gradient[i]!;
        v![i] = beta1 * v![i]! + (1 - beta1) * g;
        s![i] = beta2 * s![i]! + (1 - beta2) * g * g;
        gradient[i] = v![i]! / first / (Math.sqrt(s![i]! / second) + epsilon);
      }
    },
    moments: ['velocities', 'squares'],
    coefficients({ beta1, beta2, epsilon }, t) {
      const [correction1, correction2] = [1 / (1 - power(beta1, t)), 1 / (1 - power(beta2, t))];
      return { beta1, beta2, biasCorrection1: correction1, biasCorrection2: correction2, epsilonInsideRoot: 0, epsilon: epsilon };
    },
  },
} satisfies Record<string, Optimizer>;

export type OptimizerName = keyof typeof entries;
export const optimizers: Record<OptimizerName, Optimizer> = entries;

/** A rule, with what the config says of its numbers. */
export type OptimizerChoice = { name: OptimizerName } & { [K in keyof OptimizerOptions]?: number | undefined };

/** The numbers of a choice, its rule's defaults filled in. */
export function optimizerOptions({ name, ...own }: OptimizerChoice): OptimizerOptions {
  return { beta: 0, beta1: 0, beta2: 0, epsilon: 0, ...optimizers[name].defaults, ...(own as Partial<OptimizerOptions>) };
}

/** `direct` and `move` in one, by the kernels, at one rate: W ← W − α · direction; the direction is left in the gradient. */
export function stepBy(
  kernels: Kernels,
  name: OptimizerName,
  { gradient, state, start, end, t }: Step,
  { values, learningRate, ...options }: OptimizerOptions & { values: Floats; learningRate: number },
): void {
  kernels.optimizerStep({
    values: values.subarray(start, end),
    gradient: gradient.subarray(start, end),
    ...momentsOf(name, state, start, end),
    learningRate: learningRate,
    ...optimizers[name].coefficients(options, t),
  });
}

/** A rule's moving averages of a stretch of the parameters, as the kernels take them. */
export function momentsOf(
  name: OptimizerName,
  state: readonly Floats[],
  start: number,
  end: number,
): Pick<OptimizerStep, 'firstMoment' | 'secondMoment'> {
  const { moments: averages } = optimizers[name];
  const average = (what: 'velocities' | 'squares') => state[averages.indexOf(what)]?.subarray(start, end) ?? null;
  return { firstMoment: average('velocities'), secondMoment: average('squares') };
}

/** W ← W − α · direction; with `byColumn`, α is multiplied by a number for each column of W.
 *  @returns ‖ΔW‖², for the journal */
export function move(
  values: Floats,
  direction: Floats,
  options: { start: number; end: number; learningRate: number; byColumn: Float64Array | null },
): number {
  const { start, end, learningRate, byColumn } = options;
  let squares = 0;
  for (let i = start, column = 0; i < end; i++, column++) {
    if (byColumn !== null && column === byColumn.length) column = 0;
    const update = learningRate * (byColumn === null ? 1 : byColumn[column]!) * direction[i]!;
    values[i] = values[i]! - update;
    squares += update * update;
  }
  return squares;
}
