import type { Parameters } from './network.ts';

/** (λ/2m) Σ‖W‖², over weights alone: L2's share of the cost.
 *  @param lambda  λ / m, with m the size of the training part whatever the batch */
export function l2Cost({ values, segments, firstSquaredNorm }: Parameters, lambda: number): number {
  let sum = 0;
  for (const { decayed, layer, offset, length } of segments) {
    if (decayed && layer === 0 && firstSquaredNorm !== null) sum += firstSquaredNorm();
    else if (decayed) for (let i = offset; i < offset + length; i++) sum += values[i]! * values[i]!;
  }
  return (lambda / 2) * sum;
}

/** dW += (λ/m) W: with gradient descent, W shrinks by the factor 1 − αλ/m ("weight decay"). */
export function addL2Gradient({ values, segments }: Parameters, lambda: number, gradient: Parameters): void {
  for (const { decayed, offset, length } of segments) {
    if (decayed) for (let i = offset; i < offset + length; i++) gradient.values[i] = gradient.values[i]! + lambda * values[i]!;
  }
}
