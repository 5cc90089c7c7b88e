import type { NormalizerName } from '../data/normalize.ts';
import type { OptimizerName } from '../optimize/optimizers.ts';

/**
 * What `learningRate: "auto"` means, by optimizer and normalisation. For gradient descent and momentum the rate must stay
 * below 2 / λ with λ the largest curvature of the cost, about ¼ of the mean squared length of an input. RMSprop and Adam
 * move every weight by about α whatever the gradient's size, so that only the size of the inputs matters; a step of RMSprop
 * is √1000 times as long at first, since it does not correct the bias of its s.
 * Tuned with full batches at imageSize 64, on the course's 209 pictures and on 160 drawn ones (easy), for logistic regression
 * and for one hidden layer of 8 units of ReLU: a half of what made a cost oscillate, or killed the layer, on either.
 * Larger pictures want smaller rates. test/training/learning-rate.test.ts trains with every pair.
 */
export const autoLearningRates: Record<OptimizerName, Record<NormalizerName, number>> = {
  gradientDescent: { scale: 0.002, mean: 0.0004, standardize: 0.001, standardizeChannels: 0.001, none: 2.5e-8 },
  momentum: { scale: 0.01, mean: 0.002, standardize: 0.004, standardizeChannels: 0.004, none: 1.5e-7 },
  rmsprop: { scale: 5e-6, mean: 4e-6, standardize: 1e-5, standardizeChannels: 1e-5, none: 5e-8 },
  adam: { scale: 5e-5, mean: 2.5e-5, standardize: 0.0002, standardizeChannels: 0.0002, none: 5e-7 },
};
