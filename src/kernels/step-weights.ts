import type { Floats, Kernels, StepFacts, WeightStep } from './kernels.ts';

type Parts = Pick<Kernels, 'backwardWeights' | 'addScaled' | 'squaredNorm' | 'moveParameters'>;

/** `stepWeights` by one kernel after the other: what it means, and what it is where nothing is faster.
 *  @param gradient  room for as many numbers as there are weights */
export function stepWeightsPlainly(kernels: Parts, step: WeightStep, gradient: Floats): StepFacts {
  const { input, dZ, units, weights, decay, wantsNorms, ...numbers } = step;
  const weightSquares = wantsNorms ? kernels.squaredNorm(weights) : 0;
  kernels.backwardWeights({ input, dZ, units, out: gradient });
  if (decay !== 0) kernels.addScaled({ values: weights, factor: decay, out: gradient });
  const squares = kernels.squaredNorm(gradient);
  kernels.moveParameters({ values: weights, gradient, ...numbers });
  return {
    finite: Number.isFinite(squares),
    squares: wantsNorms ? { gradient: squares, direction: kernels.squaredNorm(gradient), weights: weightSquares } : null,
  };
}
