import type { DefaultsVersion } from '../config/schema.ts';
import type { NormalizerName } from '../data/normalize.ts';
import type { OptimizerName } from '../nn/optimizers.ts';

type Rates = Record<OptimizerName, Record<NormalizerName, number>>;

/** Of 0.1.0: for any number of inputs alike, tuned on two problems; on inputs that are not centred many of them killed units. */
const rates010: Rates = {
  gradientDescent: { scale: 0.002, mean: 0.0004, standardize: 0.001, standardizeChannels: 0.001, none: 2.5e-8 },
  momentum: { scale: 0.01, mean: 0.002, standardize: 0.004, standardizeChannels: 0.004, none: 1.5e-7 },
  rmsprop: { scale: 5e-6, mean: 4e-6, standardize: 1e-5, standardizeChannels: 1e-5, none: 5e-8 },
  ...adamRates({ scale: 5e-5, mean: 2.5e-5, standardize: 0.0002, standardizeChannels: 0.0002, none: 5e-7 }),
};

/**
 * For gradient descent and momentum a rate must stay below 2 / λ with λ the largest curvature of the cost, about ¼ of the mean
 * squared length of an input. RMSprop and Adam move every weight by about α whatever the gradient's size: where all inputs are
 * positive, all weights of a unit by about α one way, which moves its z by α Σ x and soon switches it off for every picture.
 * Measured: the largest of those tried that trained 95% of all problems without killing more than a fifth of the hidden units.
 * docs/learning-rates.md has the table, bench/auto-rates.mjs makes it. test/training/learning-rate.test.ts trains with every pair.
 */
const rates020: Rates = {
  gradientDescent: { scale: 0.0005, mean: 0.0002, standardize: 0.001, standardizeChannels: 0.001, none: 2.5e-8 },
  momentum: { scale: 0.001, mean: 0.0002, standardize: 0.004, standardizeChannels: 0.004, none: 1.5e-7 },
  rmsprop: { scale: 1e-6, mean: 1e-6, standardize: 5e-6, standardizeChannels: 5e-6, none: 5e-8 },
  ...adamRates({ scale: 3e-6, mean: 6e-6, standardize: 0.0002, standardizeChannels: 0.0002, none: 5e-7 }),
};

/** AdamW steps as Adam does: its decay adds a share of the rate to it that hardly counts. */
function adamRates(adam: Record<NormalizerName, number>) {
  return { adam, adamw: adam };
}

/** The inputs that the rates are for: what moves a unit grows with their number, so that a rate is divided by it. */
const referenceInputs = 64 * 64 * 3;
/** Of so few inputs, and fewer, it is the layers above that say how large a rate may be. */
const fewInputs = 8 * 8 * 3;

/** Of each version that changed them; a run or search that began by one goes on with its rates. */
export const autoLearningRates: Record<DefaultsVersion, { rates: Rates; scales: boolean }> = {
  '0.1.0': { rates: rates010, scales: false },
  '0.2.0': { rates: rates020, scales: true },
};

/** What `learningRate: "auto"` means. @param training.inputs  n_x */
export function autoLearningRate({
  defaults,
  optimizer,
  normalize,
  inputs,
}: {
  defaults: DefaultsVersion;
  optimizer: OptimizerName;
  normalize: NormalizerName;
  inputs: number;
}): number {
  const { rates, scales } = autoLearningRates[defaults];
  const rate = rates[optimizer][normalize];
  return scales ? rounded((rate * referenceInputs) / Math.max(fewInputs, inputs)) : rate;
}

/** The rates of a training, one a layer, and what the automatic one would have been. */
export interface RateScale {
  learningRates: readonly number[];
  autoRate: number;
}

/** How rates that are too large show: by how much they are to fall, and how many times the automatic rate may be left of each. The
 *  cost of a training that oscillates falls all the same; of one that broke nothing is known but that its rate was too large. */
const tooLarge = { oscillates: { by: 2, above: 10 }, breaks: { by: 10, above: 1 } } as const;

/** What to try instead of rates that are too large: one for all layers where they are alike. */
export function smallerRates({ learningRates, autoRate }: RateScale, sign: keyof typeof tooLarge): number | number[] {
  const { by, above } = tooLarge[sign];
  const smaller = learningRates.map((rate) => rounded(Math.min(rate / by, above * autoRate)));
  return new Set(smaller).size === 1 ? smaller[0]! : smaller;
}

const rounded = (rate: number) => Number(rate.toPrecision(2));
