import type { BackwardAndStep, Floats, Kernels, StepStatistics } from './kernels.ts';

type Parts = Pick<Kernels, 'linearGradWeights' | 'addScaled' | 'squaredNorm' | 'optimizerStep'>;

/** `stepWeights` by one kernel after the other: what it means, and what it is where nothing is faster.
 *  @param gradient  room for as many numbers as there are weights */
export function stepWeightsPlainly(kernels: Parts, step: BackwardAndStep, gradient: Floats): StepStatistics {
  const { input, dZ, units, weights, decay, wantsNorms, ...numbers } = step;
  const weightSquares = wantsNorms ? kernels.squaredNorm(weights) : 0;
  kernels.linearGradWeights({ input, dZ, units, out: gradient });
  if (decay !== 0) kernels.addScaled({ values: weights, factor: decay, out: gradient });
  const squares = kernels.squaredNorm(gradient);
  kernels.optimizerStep({ values: weights, gradient, ...numbers });
  return {
    finite: Number.isFinite(squares),
    squares: wantsNorms ? { gradient: squares, direction: kernels.squaredNorm(gradient), weights: weightSquares } : null,
  };
}
