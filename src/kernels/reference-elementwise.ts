import type { Elementwise } from './kernels.ts';

/** Elementwise work in plain TypeScript: its definition. Sums run in float64, example after example. */
export const referenceElementwise: Elementwise = {
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
