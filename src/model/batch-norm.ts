import type { Floats, Kernels } from '../kernels/kernels.ts';
import type { LayerParameters } from './network.ts';

/** Under the root, so that a feature that never varies divides by something. */
export const batchNormEpsilon = 1e-5;
/** How much of the old moving average is kept by a batch. */
export const batchNormMomentum = 0.9;

export type Norm = NonNullable<LayerParameters['norm']>;

/** What the backward pass of a batch needs of its forward pass. All arrays have the layer's n_l entries, but for `normalized`. */
export interface BatchStatistics {
  mean: Floats;
  variance: Floats;
  /** (n_l, m): z_norm, example after example */
  normalized: Floats;
}

/** z ← γ z_norm + β with the mean and variance of this batch.
 *  @param z (n_l, m), in place */
export function normalizeBatch(kernels: Kernels, z: Floats, count: number, norm: Norm, statistics: BatchStatistics): void {
  const { gamma, beta } = norm;
  kernels.batchNorm({ z, count, gamma, beta, epsilon: batchNormEpsilon, ...statistics });
}

/** The same with the moving averages: what a picture gets outside training, whatever stands beside it. */
export function normalizeWithAverages(kernels: Kernels, z: Floats, count: number, norm: Norm): void {
  const { gamma, beta, movingMean: mean, movingVariance: variance } = norm;
  kernels.batchNormInference({ z, count, gamma, beta, mean, variance, epsilon: batchNormEpsilon });
}

/** @param dZ (n_l, m) the gradient after batch norm; becomes the one before it */
export function batchNormGradient(
  kernels: Kernels,
  dZ: Floats,
  count: number,
  norm: Norm,
  { variance, normalized }: BatchStatistics,
  out: { gamma: Floats; beta: Floats },
): void {
  kernels.batchNormBackward({
    ...{ dZ, count, gamma: norm.gamma, variance, normalized, epsilon: batchNormEpsilon },
    gammaGradient: out.gamma,
    betaGradient: out.beta,
  });
}

/** Moves the averages towards a batch; a batch of one example has no variance and moves nothing. */
export function moveAverages(norm: Norm, statistics: BatchStatistics, count: number): void {
  if (count === 1) return;
  for (let u = 0; u < norm.gamma.length; u++) {
    norm.movingMean[u] = batchNormMomentum * norm.movingMean[u]! + (1 - batchNormMomentum) * statistics.mean[u]!;
    norm.movingVariance[u] = batchNormMomentum * norm.movingVariance[u]! + (1 - batchNormMomentum) * statistics.variance[u]!;
  }
}
