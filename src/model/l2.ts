import type { Floats, Kernels } from '../kernels/kernels.ts';
import type { Parameters } from './network.ts';

/** (λ/2m) Σ‖W‖², over weights alone: L2's share of the cost.
 *  @param lambda        λ / m, with m the size of the training part whatever the batch
 *  @param firstSquares  ‖W1‖² where it is known */
export function l2Cost(parameters: Parameters, lambda: number, kernels: Kernels, firstSquares?: number): number {
  const { values, specs: segments, firstSquaredNorm } = parameters;
  if (lambda === 0) return 0;
  const first = firstSquares ?? firstSquaredNorm?.();
  let sum = 0;
  for (const { decayed, layer, offset, length } of segments) {
    if (decayed && layer === 0 && first !== undefined) sum += first;
    else if (decayed) sum += kernels.squaredNorm(values.subarray(offset, offset + length));
  }
  return (lambda / 2) * sum;
}

/** dW += (λ/m) W: with gradient descent, W shrinks by the factor 1 − αλ/m ("weight decay").
 *  @param down  the lowest layer that it is wanted for */
export function addL2Gradient(
  { values, specs: segments }: Parameters,
  lambda: number,
  gradient: Parameters,
  kernels: Kernels,
  down: 0 | 1 = 0,
): void {
  if (lambda === 0) return;
  for (const { decayed, layer, offset, length } of segments) {
    if (layer < down) continue;
    const stretch = (array: Floats) => array.subarray(offset, offset + length);
    if (decayed) kernels.addScaled({ values: stretch(values), factor: lambda, out: stretch(gradient.values) });
  }
}
