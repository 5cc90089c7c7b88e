import type { Floats } from '../kernels/kernels.ts';

/** A stretch of the parameter buffer that moves at one rate. */
export interface Step {
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

/** An update rule: pure functions over flat buffers. */
export interface Optimizer {
  summary: string;
  slots: number;
  /** whether it moves all weights alike, by sums of gradients: then the first layer's stay in the span of their start and
   *  the training pictures, and the dual form applies */
  linear: boolean;
  update(step: Step): void;
}

const entries = {
  gradientDescent: {
    summary: 'W ← W − α dW',
    slots: 0,
    linear: true,
    update({ values, gradient, start, end, learningRate }) {
      for (let i = start; i < end; i++) values[i] = values[i]! - learningRate * gradient[i]!;
    },
  },
} satisfies Record<string, Optimizer>;

export type OptimizerName = keyof typeof entries;
export const optimizers: Record<OptimizerName, Optimizer> = entries;
