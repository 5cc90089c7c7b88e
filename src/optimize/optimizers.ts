import type { Floats, Kernels } from '../kernels/kernels.ts';

/** A stretch of the parameter buffer that moves at one rate. */
export interface Step {
  kernels: Kernels;
  values: Floats;
  gradient: Floats;
  /** as many buffers as the optimizer has slots, laid out like the parameters, zeros at first */
  state: readonly Floats[];
  start: number;
  end: number;
  learningRate: number;
  /** steps taken, this one included: 1, 2, … */
  t: number;
}

/** An update rule over flat buffers: most are numbers for `moveParameters` of the kernels. */
export interface Optimizer {
  summary: string;
  slots: number;
  /** whether it moves all weights alike, by sums of gradients: then the first layer's stay in the span of their start and
   *  the training pictures, and the dual form applies */
  linear: boolean;
  update(step: Step): void;
}

/** What `moveParameters` takes of an optimizer without moving averages. */
const noAverages = { velocities: null, squares: null, beta1: 0, beta2: 0, correction: 1, epsilon: 0 };

const entries = {
  gradientDescent: {
    summary: 'W ← W − α dW',
    slots: 0,
    linear: true,
    update({ kernels, values, gradient, start, end, learningRate: rate }) {
      const stretch = { values: values.subarray(start, end), gradient: gradient.subarray(start, end) };
      kernels.moveParameters({ ...stretch, ...noAverages, rate });
    },
  },
} satisfies Record<string, Optimizer>;

export type OptimizerName = keyof typeof entries;
export const optimizers: Record<OptimizerName, Optimizer> = entries;
