import type { Kernels } from '../../kernels/kernels.ts';
import { type Network, opsOf } from '../build.ts';
import { type Parameters, parametersOver } from '../network.ts';
import { tensorIn } from '../regularization.ts';
import { firstWeightsOf, type InputForm } from './input-form.ts';

/** The network over the pixels, on a copy of its parameters where the kernels need not copy them at every call. */
export function directForm({ network, parameters }: { network: Network; parameters: Parameters }, kernels: Kernels): InputForm {
  const own = parametersOver(network, kernels.allocate(parameters.values.length));
  own.values.set(parameters.values);
  return {
    kernels,
    network,
    parameters: own,
    firstWeights: firstWeightsOf(own),
    canFuse: opsOf(network)[0]!.kind === 'linear',
    squaredNorm: (values, spec) => kernels.squaredNorm(tensorIn(values, spec)),
    write: () => parameters.values.set(own.values),
  };
}
