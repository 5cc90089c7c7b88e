import type { Batch, Floats, Kernels } from '../../kernels/kernels.ts';
import { type Network, opsOf } from '../build.ts';
import { type ParameterSpec, type Parameters, parametersOver } from '../network.ts';
import { tensorIn } from '../regularization.ts';

/** How the first op is computed: from the pixels at every step, or from inner products of pictures that are made once. */
export const forms = {
  auto: { summary: 'whichever takes fewer multiplications' },
  direct: { summary: 'products with the pixels at every step' },
  dual: { summary: 'inner products of all training pictures, made once: the same algorithm, faster for few pictures' },
} as const;

export type FormName = keyof typeof forms;
/** A form that a training can have. */
export type Form = Exclude<FormName, 'auto'>;

/** What a training loop trains: the network in the form of its first op. All that is special about the first op is in this folder. */
export interface InputForm {
  kernels: Kernels;
  network: Network;
  /** what the optimizer moves; a checkpoint and "the best epoch" keep these */
  parameters: Parameters;
  /** the weights of the first op, or the coefficients in their place */
  firstWeights: ParameterSpec;
  /** whether the step of `firstWeights` may be made in one with their gradient */
  canFuse: boolean;
  /** ‖W‖² of a tensor in a buffer that is laid out like the parameters: weights, a gradient, a direction. */
  squaredNorm(values: Floats, spec: ParameterSpec): number;
  /** Brings the weights that the caller gave up to date with `parameters`. */
  write(): void;
}

/** Images as the first op takes them: those at `indices`, or the first `count`. */
export type BatchOf = (indices: Int32Array | null, count: number) => Batch;

/** The weights of a network's first op, which forms hold differently. */
export function firstWeightsOf({ specs }: Parameters): ParameterSpec {
  return specs.find(({ decayed }) => decayed)!;
}

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
