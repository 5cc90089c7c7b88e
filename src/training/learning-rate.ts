import type { NormalizerName } from '../data/normalize.ts';
import type { OptimizerName } from '../optimize/optimizers.ts';

/**
 * What `learningRate: "auto"` means, by optimizer and normalisation. For gradient descent and momentum the rate must stay
 * below 2 / λ with λ the largest curvature of the cost, about ¼ of the mean squared length of an input: `scale` takes the
 * course's own 0.0075 and the others about the same share of their λ. RMSprop and Adam move every weight by about α
 * whatever the gradient's size, so only the size of the inputs matters. test/training/learning-rate.test.ts trains with every pair.
 */
export const autoLearningRates: Record<OptimizerName, Record<NormalizerName, number>> = {
  gradientDescent: { scale: 0.0075, mean: 0.0015, standardize: 0.002, standardizeChannels: 0.002, none: 1e-7 },
  momentum: { scale: 0.0075, mean: 0.0015, standardize: 0.002, standardizeChannels: 0.002, none: 1e-7 },
  rmsprop: { scale: 0.0002, mean: 0.0001, standardize: 0.0002, standardizeChannels: 0.0002, none: 1e-6 },
  adam: { scale: 0.0003, mean: 0.0002, standardize: 0.0003, standardizeChannels: 0.0003, none: 2e-6 },
};
