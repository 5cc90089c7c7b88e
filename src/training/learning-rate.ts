import type { NormalizerName } from '../data/normalize.ts';
import type { OptimizerName } from '../optimize/optimizers.ts';

/**
 * What `learningRate: "auto"` means, by optimizer and normalisation. For gradient descent the rate must stay below
 * 2 / λ with λ the largest curvature of the cost, about ¼ of the mean squared length of an input; `scale` takes the
 * course's own 0.0075, and the others the same share of their λ. test/training/learning-rate.test.ts trains with every pair.
 */
export const autoLearningRates: Record<OptimizerName, Record<NormalizerName, number>> = {
  gradientDescent: { scale: 0.0075, mean: 0.0015, standardize: 0.002, standardizeChannels: 0.002, none: 1e-7 },
};
