import type { Floats } from './kernels.ts';

/** g(z) and g′, by name: kernels that know the name may compute it in their own way. */
export interface ActivationRule {
  name: string;
  value(z: number, slope: number): number;
  derivative(z: number, a: number, slope: number): number;
}

/** L and ∂L/∂z from the logit, by name. */
export interface LossRule {
  name: string;
  value(z: number, y: number): number;
  derivative(z: number, y: number): number;
}

/** What is done number by number with a layer's outputs: (n_l, m), example after example. */
export interface Elementwise {
  /** a = g(z) ∘ mask, for the first `length` numbers.
   *  @param options.mask  1/keepProb or 0, or null without dropout */
  activate(options: { rule: ActivationRule; slope: number; z: Floats; a: Floats; mask: Floats | null; length: number }): void;

  /** dZ ← dA ∘ mask ∘ g′(Z): dZ holds dA when it comes in.
   *  @param options.a         what `activate` made
   *  @param options.keepProb  of the mask; 1 without one */
  activationGradient(options: {
    rule: ActivationRule;
    slope: number;
    z: Floats;
    a: Floats;
    dZ: Floats;
    mask: Floats | null;
    keepProb: number;
    length: number;
  }): void;

  /** dZ = weight · ∂L/∂z / m, for `count` logits. @returns Σ weight · L
   *  @param options.labels   0 or 1
   *  @param options.weights  what an example of class 0 and of class 1 counts */
  lossGradient(options: {
    rule: LossRule;
    z: Floats;
    labels: Uint8Array;
    weights: readonly [number, number];
    count: number;
    m: number;
    dZ: Floats;
  }): number;

  /** out = Σ over examples, unit by unit. @param options.out  (n_l, 1), overwritten, or with `adds` added to */
  sumExamples(options: { values: Floats; count: number; units: number; out: Floats; adds: boolean }): void;

  /** z ← γ z_norm + β with z_norm = (z − μ) / √(σ² + ε), μ and σ² (biased) of these examples, which are kept.
   *  @see Ioffe & Szegedy 2015, algorithm 1 */
  batchNorm(options: NormOptions & { z: Floats; normalized: Floats }): void;

  /** The same with a mean and a variance that are given. */
  batchNormInference(options: NormOptions & { z: Floats }): void;

  /** dγ = Σ dz̃ z_norm, dβ = Σ dz̃, and dZ becomes the gradient before batch norm, through μ and σ² too. */
  batchNormBackward(
    options: Pick<NormOptions, 'count' | 'gamma' | 'variance' | 'epsilon'> & {
      dZ: Floats;
      normalized: Floats;
      gammaGradient: Floats;
      betaGradient: Floats;
    },
  ): void;
}

/** All arrays have the layer's n_l entries. */
export interface NormOptions {
  count: number;
  gamma: Floats;
  beta: Floats;
  mean: Floats;
  variance: Floats;
  epsilon: number;
}

/** Elementwise work in plain TypeScript: its definition. Sums run in float64, example after example. */
export const plainElementwise: Elementwise = {
  activate({ rule, slope, z, a, mask, length }) {
    for (let i = 0; i < length; i++) a[i] = rule.value(z[i]!, slope);
    if (mask !== null) for (let i = 0; i < length; i++) a[i] = a[i]! * mask[i]!;
  },

  activationGradient({ rule, slope, z, a, dZ, mask, keepProb, length }) {
    for (let i = 0; i < length; i++) {
      // a holds g(z) · mask: where a unit was kept, dividing by the mask gives g(z) back
      const kept = mask ? mask[i]! : 1;
      dZ[i] = kept === 0 ? 0 : dZ[i]! * kept * rule.derivative(z[i]!, mask ? a[i]! * keepProb : a[i]!, slope);
    }
  },

  lossGradient({ rule, z, labels, weights, count, m, dZ }) {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const y = labels[i]!;
      const weight = weights[y]!;
      sum += weight * rule.value(z[i]!, y);
      dZ[i] = (weight * rule.derivative(z[i]!, y)) / m;
    }
    return sum;
  },

  sumExamples({ values, count, units, out, adds }) {
    for (let u = 0; u < units; u++) {
      let sum = adds ? out[u]! : 0;
      for (let i = u; i < count * units; i += units) sum += values[i]!;
      out[u] = sum;
    }
  },

  batchNorm({ z, count, gamma, beta, mean, variance, epsilon, normalized }) {
    const units = gamma.length;
    for (let u = 0; u < units; u++) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += z[i * units + u]!;
      const average = sum / count;
      let squares = 0;
      for (let i = 0; i < count; i++) squares += (z[i * units + u]! - average) * (z[i * units + u]! - average);
      mean[u] = average;
      variance[u] = squares / count;
      const inverse = 1 / Math.sqrt(squares / count + epsilon);
      for (let i = u; i < count * units; i += units) {
        const value = (z[i]! - average) * inverse;
        normalized[i] = value;
        z[i] = gamma[u]! * value + beta[u]!;
      }
    }
  },

  batchNormInference({ z, count, gamma, beta, mean, variance, epsilon }) {
    const units = gamma.length;
    for (let u = 0; u < units; u++) {
      const factor = gamma[u]! / Math.sqrt(variance[u]! + epsilon);
      const shift = beta[u]! - factor * mean[u]!;
      for (let i = u; i < count * units; i += units) z[i] = factor * z[i]! + shift;
    }
  },

  batchNormBackward({ dZ, count, gamma, variance, epsilon, normalized, gammaGradient, betaGradient }) {
    const units = gamma.length;
    for (let u = 0; u < units; u++) {
      let sum = 0;
      let product = 0;
      for (let i = u; i < count * units; i += units) {
        sum += dZ[i]!;
        product += dZ[i]! * normalized[i]!;
      }
      betaGradient[u] = sum;
      gammaGradient[u] = product;
      const factor = gamma[u]! / Math.sqrt(variance[u]! + epsilon);
      for (let i = u; i < count * units; i += units) {
        dZ[i] = factor * (dZ[i]! - sum / count - (normalized[i]! * product) / count);
      }
    }
  },
};
