import type { Floats } from '../kernels/kernels.ts';
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

/** z ← γ z_norm + β with z_norm = (z − μ) / √(σ² + ε), μ and σ² of this batch (biased variance).
 *  @param z (n_l, m), in place
 *  @see Ioffe & Szegedy 2015, algorithm 1 */
export function normalizeBatch(z: Floats, count: number, norm: Norm, statistics: BatchStatistics): void {
  const units = norm.gamma.length;
  for (let u = 0; u < units; u++) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += z[i * units + u]!;
    const mean = sum / count;
    let squares = 0;
    for (let i = 0; i < count; i++) squares += (z[i * units + u]! - mean) * (z[i * units + u]! - mean);
    statistics.mean[u] = mean;
    statistics.variance[u] = squares / count;
    const inverse = 1 / Math.sqrt(squares / count + batchNormEpsilon);
    for (let i = u; i < count * units; i += units) {
      const normalized = (z[i]! - mean) * inverse;
      statistics.normalized[i] = normalized;
      z[i] = norm.gamma[u]! * normalized + norm.beta[u]!;
    }
  }
}

/** The same with the moving averages: what a picture gets outside training, whatever stands beside it. */
export function normalizeWithAverages(z: Floats, count: number, norm: Norm): void {
  const units = norm.gamma.length;
  for (let u = 0; u < units; u++) {
    const factor = norm.gamma[u]! / Math.sqrt(norm.movingVariance[u]! + batchNormEpsilon);
    const shift = norm.beta[u]! - factor * norm.movingMean[u]!;
    for (let i = u; i < count * units; i += units) z[i] = factor * z[i]! + shift;
  }
}

/** dγ = Σ dz̃ z_norm, dβ = Σ dz̃, and dz̃ ← dz, through μ and σ² too.
 *  @param dZ (n_l, m) the gradient after batch norm; becomes the one before it */
export function batchNormGradient(
  dZ: Floats,
  count: number,
  norm: Norm,
  statistics: BatchStatistics,
  out: { gamma: Floats; beta: Floats },
): void {
  const units = norm.gamma.length;
  for (let u = 0; u < units; u++) {
    let sum = 0;
    let product = 0;
    for (let i = u; i < count * units; i += units) {
      sum += dZ[i]!;
      product += dZ[i]! * statistics.normalized[i]!;
    }
    out.beta[u] = sum;
    out.gamma[u] = product;
    const factor = norm.gamma[u]! / Math.sqrt(statistics.variance[u]! + batchNormEpsilon);
    for (let i = u; i < count * units; i += units) {
      dZ[i] = factor * (dZ[i]! - sum / count - (statistics.normalized[i]! * product) / count);
    }
  }
}

/** Moves the averages towards a batch; a batch of one example has no variance and moves nothing. */
export function moveAverages(norm: Norm, statistics: BatchStatistics, count: number): void {
  if (count === 1) return;
  for (let u = 0; u < norm.gamma.length; u++) {
    norm.movingMean[u] = batchNormMomentum * norm.movingMean[u]! + (1 - batchNormMomentum) * statistics.mean[u]!;
    norm.movingVariance[u] = batchNormMomentum * norm.movingVariance[u]! + (1 - batchNormMomentum) * statistics.variance[u]!;
  }
}
