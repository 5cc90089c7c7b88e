import type { InputMap } from '../kernels/kernels.ts';

const channels = 3;
const white = 255;

/** Maps from bytes to inputs, fitted on the training part alone. A mean or σ of 0 counts as 1. */
export const normalizers = {
  scale: { summary: 'pixels ÷ 255', fit: (_pixels, features) => uniform(features, 1 / white) },
  mean: { summary: 'each feature ÷ its mean', fit: (pixels, features) => dividedByMean(featureMoments(pixels, features)) },
  standardize: {
    summary: '(x − μ) / σ, feature by feature',
    fit: (pixels, features) => standardized(featureMoments(pixels, features)),
  },
  standardizeChannels: {
    summary: '(x − μ) / σ, one μ and σ for each colour',
    fit: (pixels, features) => standardized(channelMoments(featureMoments(pixels, features))),
  },
  none: { summary: 'bytes as they are, 0 to 255', fit: (_pixels, features) => uniform(features, 1) },
} as const satisfies Record<string, Normalizer>;

export interface Normalizer {
  summary: string;
  /** @param pixels [m, n_x] of the training part */
  fit(pixels: Uint8Array, features: number): InputMap;
}

export type NormalizerName = keyof typeof normalizers;

/** 1 / (variance + 1e-8) of each input, scaled to mean 1: a learning rate that is larger where inputs hardly vary.
 *  @param pixels  [m, n_x] of the training part
 *  @param map     what makes inputs of them */
export function inverseVariance(pixels: Uint8Array, map: InputMap): Float64Array {
  const { variance } = featureMoments(pixels, map.multiply.length);
  const inverse = variance.map((value, k) => 1 / (value * map.multiply[k]! * map.multiply[k]! + 1e-8));
  const mean = inverse.reduce((sum, value) => sum + value, 0) / inverse.length;
  return inverse.map((value) => value / mean);
}

interface Moments {
  mean: Float64Array;
  variance: Float64Array;
}

function uniform(features: number, factor: number): InputMap {
  return { multiply: new Float64Array(features).fill(factor), add: new Float64Array(features) };
}

function dividedByMean({ mean }: Moments): InputMap {
  return { multiply: mean.map((value) => 1 / (value || 1)), add: new Float64Array(mean.length) };
}

function standardized({ mean, variance }: Moments): InputMap {
  const multiply = variance.map((value) => 1 / (Math.sqrt(value) || 1));
  return { multiply, add: mean.map((value, k) => -value * multiply[k]!) };
}

/** Mean and (biased) variance of each feature, from sums of whole numbers: exact up to 10^11 pictures. */
function featureMoments(pixels: Uint8Array, features: number): Moments {
  const sum = new Float64Array(features);
  const squares = new Float64Array(features);
  const m = pixels.length / features;
  for (let start = 0; start < pixels.length; start += features) {
    for (let k = 0; k < features; k++) {
      const value = pixels[start + k]!;
      sum[k] = sum[k]! + value;
      squares[k] = squares[k]! + value * value;
    }
  }
  const mean = sum.map((value) => value / m);
  return { mean, variance: squares.map((value, k) => Math.max(0, (value - sum[k]! * mean[k]!) / m)) };
}

/** The moments of each colour over all its pixels, repeated for every pixel. */
function channelMoments({ mean, variance }: Moments): Moments {
  const count = mean.length / channels;
  const average = (values: Float64Array, channel: number) => {
    let sum = 0;
    for (let k = channel; k < values.length; k += channels) sum += values[k]!;
    return sum / count;
  };
  const means = [0, 1, 2].map((c) => average(mean, c));
  const variances = [0, 1, 2].map((c) => {
    const within = average(variance, c);
    const between = average(
      mean.map((value) => (value - means[c]!) * (value - means[c]!)),
      c,
    );
    return within + between;
  });
  return {
    mean: mean.map((_, k) => means[k % channels]!),
    variance: variance.map((_, k) => variances[k % channels]!),
  };
}
