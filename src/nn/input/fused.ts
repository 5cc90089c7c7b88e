import type { StepStatistics } from '../../kernels/kernels.ts';
import { firstUnits } from '../build.ts';
import type { Pass } from '../network.ts';
import { momentsIn, type OptimizerState, optimizers } from '../optimizers.ts';
import type { InputForm } from './input-form.ts';

/** Whether an optimizer's step can be made in one with the gradient of the first weights. */
export function fusesStep({ name, options }: Pick<OptimizerState, 'name' | 'options'>): boolean {
  return 'coefficients' in optimizers[name].rule && options.weightDecay === 0;
}

/** The gradient of the first weights and their step in one: the gradient need not come to lie in memory as a whole.
 *  @param options.decay  λ/m of L2 */
export function stepFirstWeights(
  { kernels, parameters, firstWeights }: InputForm,
  { workspace, input, network }: Pass,
  state: OptimizerState,
  options: { learningRate: number; decay: number; wantsNorms: boolean },
): StepStatistics {
  const { rule } = optimizers[state.name];
  if (!('coefficients' in rule)) throw new Error(`${state.name} takes no fused step`);
  const { name, offset, length } = firstWeights;
  return kernels.backwardAndStep({
    input,
    dZ: workspace.slots[0]!.grad,
    units: firstUnits(network),
    weights: parameters.tensors[name]!,
    ...momentsIn(state, offset, offset + length),
    ...rule.coefficients(state.options, state.t),
    ...options,
  });
}
