import { inScope, type Kernels } from '../kernels/kernels.ts';
import type { Network } from './build.ts';
import { backward, createWorkspace, forward, type Parameters, type Pass, parametersOver } from './network.ts';
import { inference, type Slot } from './op.ts';

/** What a network answers, and what a tiny change of each input would do to it. */
export interface InputGradient {
  /** z[L], one an example */
  logits: Float64Array;
  /** ∂z[L]/∂x (n_x, m), example after example */
  gradient: Float64Array;
}

/** The gradient of the logit with respect to the input, in inference: moving averages, nothing dropped. dz is 1 at the top, and each op
 *  takes it down as in training: dA[l−1] = W[l]ᵀ · dZ[l], dZ[l] = dA[l] ∘ g′(Z[l]). At a kink it is that of the left side.
 *  @param kernels  of any precision, in which the parameters are rounded
 *  @param inputs   (n_x, m) after normalisation, example after example
 *  @see Simonyan, Vedaldi & Zisserman 2014, section 3 */
export function inputGradient(
  { network, parameters, kernels }: { network: Network; parameters: Parameters; kernels: Kernels },
  inputs: Float64Array,
): InputGradient {
  const features = network.inputs;
  const count = inputs.length / features;
  return inScope(kernels, (scope) => {
    const own = parametersOver(network, scope.allocate(parameters.values.length));
    own.values.set(parameters.values);
    const inputSlot: Slot = { value: scope.allocate(inputs.length), grad: scope.allocate(inputs.length), kept: {} };
    inputSlot.value.set(inputs);
    const workspace = createWorkspace(network, scope, count);
    const input = { kind: 'floats', values: inputSlot.value, count, features } as const;
    const pass: Pass = { network, parameters: own, kernels: scope, workspace, input, mode: inference };
    const logits = Float64Array.from(forward(pass));
    workspace.slots.at(-1)!.grad.fill(1, 0, count);
    // ops make those of their small tensors all the same; those of weights, which are nearly all, have no room here
    const small = own.specs.filter(({ decayed }) => !decayed).map(({ name, length }) => [name, scope.allocate(length)] as const);
    backward(pass, { tensors: Object.fromEntries(small) }, { inputSlot });
    return { logits, gradient: Float64Array.from(inputSlot.grad) };
  });
}
