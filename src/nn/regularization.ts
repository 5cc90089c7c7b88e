import type { Floats, Kernels } from '../kernels/kernels.ts';
import type { ParameterSpec, Parameters } from './network.ts';

/** What is done to a gradient between the backward pass and the optimizer: transforms over the list of tensors, each with its mask. */

/** A tensor in a buffer that is laid out like the parameters. */
export function tensorIn(buffer: Floats, { offset, length }: ParameterSpec): Floats {
  return buffer.subarray(offset, offset + length);
}

/** (λ/2m) Σ‖W‖², over `decayed` tensors: L2's share of the cost.
 *  @param lambda       λ / m, with m the size of the training part whatever the batch
 *  @param squaredNorm  ‖W‖² of a tensor */
export function l2Cost({ specs }: Parameters, lambda: number, squaredNorm: (spec: ParameterSpec) => number): number {
  if (lambda === 0) return 0;
  return (lambda / 2) * specs.reduce((sum, spec) => (spec.decayed ? sum + squaredNorm(spec) : sum), 0);
}

/** dW += (λ/m) W, for `decayed` tensors: with gradient descent, W shrinks by the factor 1 − αλ/m.
 *  @param except  a tensor whose gradient is made elsewhere */
export function addL2Gradient(
  { values, specs }: Parameters,
  lambda: number,
  gradient: Parameters,
  kernels: Kernels,
  except: ParameterSpec | null = null,
): void {
  if (lambda === 0) return;
  for (const spec of specs) {
    if (!spec.decayed || spec === except) continue;
    kernels.addScaled({ values: tensorIn(values, spec), factor: lambda, out: tensorIn(gradient.values, spec) });
  }
}

/** Shrinks a gradient that is longer than the bound to the bound; its norm is that of all `trained` tensors together. */
export function clip({ values, specs }: Parameters, bound: number | null, kernels: Kernels): void {
  if (bound === null) return;
  const squares = specs.reduce((sum, spec) => (spec.trained ? sum + kernels.squaredNorm(tensorIn(values, spec)) : sum), 0);
  const factor = bound / Math.sqrt(squares);
  if (factor < 1) for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor;
}
