import type { InputScaling } from '../kernels/kernels.ts';
import { imageCount, type Pixels, pixelBlocks } from './pixels.ts';

const channels = 3;
const white = 255;

/** Maps from bytes to inputs, fitted on the training part alone. A mean or σ of 0 counts as 1. */
export const normalizers = {
  scale: { summary: 'pixels ÷ 255', learns: false, fit: (_images, features) => uniform(features, 1 / white) },
  mean: {
    summary: 'each feature ÷ its mean',
    learns: true,
    fit: (images, features) => dividedByMean(momentsIn(images, features)),
  },
  standardize: {
    summary: '(x − μ) / σ, feature by feature',
    learns: true,
    fit: (images, features) => standardized(momentsIn(images, features)),
  },
  standardizeChannels: {
    summary: '(x − μ) / σ, one μ and σ for each colour',
    learns: true,
    fit: (images, features) => standardized(channelMoments(momentsIn(images, features))),
  },
  none: { summary: 'bytes as they are, 0 to 255', learns: false, fit: (_images, features) => uniform(features, 1) },
} as const satisfies Record<string, Normalizer>;

export interface Normalizer {
  summary: string;
  /** whether it looks at the pictures */
  learns: boolean;
  /** @param images [m, n_x] of the training part, or their moments */
  fit(images: Uint8Array | Moments, features: number): InputScaling;
}

export type NormalizerName = keyof typeof normalizers;

/** 1 / (variance + 1e-8) of each input, scaled to mean 1: a learning rate that is larger where inputs hardly vary.
 *  @param images  [m, n_x] of the training part, or their moments
 *  @param scaling       what makes inputs of them */
export function inverseVariance(images: Uint8Array | Moments, scaling: InputScaling): Float64Array {
  const { variance } = momentsIn(images, scaling.scale.length);
  const inverse = variance.map((value, k) => 1 / (value * scaling.scale[k]! * scaling.scale[k]! + 1e-8));
  const mean = inverse.reduce((sum, value) => sum + value, 0) / inverse.length;
  return inverse.map((value) => value / mean);
}

/** The moments of pictures wherever they are: sums of whole numbers, and so the same in whatever pieces they are read. */
export async function momentsOf(pixels: Pixels, features: number): Promise<Moments> {
  const sums = noSums(features);
  for await (const { bytes } of pixelBlocks(pixels, features)) addSums(sums, bytes);
  return momentsFrom(sums, imageCount(pixels, features));
}

/** Of each feature. */
export interface Moments {
  mean: Float64Array;
  variance: Float64Array;
}

function uniform(features: number, factor: number): InputScaling {
  return { scale: new Float64Array(features).fill(factor), shift: new Float64Array(features) };
}

function dividedByMean({ mean }: Moments): InputScaling {
  return { scale: mean.map((value) => 1 / (value || 1)), shift: new Float64Array(mean.length) };
}

function standardized({ mean, variance }: Moments): InputScaling {
  const scale = variance.map((value) => 1 / (Math.sqrt(value) || 1));
  return { scale, shift: mean.map((value, k) => -value * scale[k]!) };
}

/** Sums of each feature and of its square. */
interface FeatureSums {
  sum: Float64Array;
  squares: Float64Array;
}

function momentsIn(images: Uint8Array | Moments, features: number): Moments {
  if (!(images instanceof Uint8Array)) return images;
  const sums = noSums(features);
  addSums(sums, images);
  return momentsFrom(sums, images.length / features);
}

function noSums(features: number): FeatureSums {
  return { sum: new Float64Array(features), squares: new Float64Array(features) };
}

function addSums({ sum, squares }: FeatureSums, pixels: Uint8Array): void {
  const features = sum.length;
  for (let start = 0; start < pixels.length; start += features) {
    for (let k = 0; k < features; k++) {
      const value = pixels[start + k]!;
      sum[k] = sum[k]! + value;
      squares[k] = squares[k]! + value * value;
    }
  }
}

/** Mean and (biased) variance of each feature, from sums of whole numbers: exact up to 10^11 pictures. */
function momentsFrom({ sum, squares }: FeatureSums, m: number): Moments {
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
  return { mean: mean.map((_, k) => means[k % channels]!), variance: variance.map((_, k) => variances[k % channels]!) };
}
