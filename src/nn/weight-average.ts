import { power } from '../elementary.ts';
import type { Floats } from '../kernels/kernels.ts';

/** A moving average of all parameters over the steps of a training, the moving averages of batch norm included. It begins at 0, as Adam's moments do, and is
 *  divided by what is missing for that.
 *  @see Polyak & Juditsky 1992, in the exponential form of Tarvainen & Valpola 2017 */
export interface WeightAverage {
  /** d, between 0 and 1 */
  decay: number;
  /** a, laid out like the parameters; 0 before the first step */
  values: Floats;
  /** steps that it has taken in: t */
  steps: number;
}

/** a ← d·a + (1 − d)·W after a step. @param parameters  W, as long as a */
export function addToAverage(average: WeightAverage, parameters: Floats): void {
  const { decay, values } = average;
  for (let i = 0; i < values.length; i++) values[i] = decay * values[i]! + (1 - decay) * parameters[i]!;
  average.steps++;
}

/** a / (1 − dᵗ): a mean of the weights after each step, the last of which counts most.
 *  @param out  overwritten; left alone before the first step, where there is no mean
 *  @returns whether there is one */
export function readAverage({ decay, values, steps }: WeightAverage, out: Floats): boolean {
  if (steps === 0) return false;
  const weight = 1 - power(decay, steps);
  for (let i = 0; i < values.length; i++) out[i] = values[i]! / weight;
  return true;
}
