import { activations } from './activations.ts';
import { batchNormGradient } from './batch-norm.ts';
import type { Pass } from './forward.ts';
import { type LossName, losses } from './losses.ts';
import { layerInputs, type Parameters } from './network.ts';

/** What is wanted of the network for one batch. */
export interface Targets {
  loss: LossName;
  /** 1 for the positive class, 0 for the other; indexed like the batch */
  labels: Uint8Array;
  /** what an example of the negative and of the positive class counts: [1, 1] without class weights */
  classWeights: readonly [number, number];
}

export interface BackwardOptions {
  /** the lowest layer whose dW is wanted: with 1 the first layer's is left to `backwardAndStep` of the kernels */
  down?: 0 | 1;
  /** whether the gradient adds to that of other examples of the batch; batch norm takes all of them at once */
  adds?: boolean;
}

/** The cost of the batch just passed forward, (1/m) Σ wᵢ Lᵢ, and dZ[L] = ∂cost/∂z in the workspace.
 *  @param m  what to divide by, where these examples are but some of a batch: the costs of all of them add up to the batch's */
export function lossGradient(pass: Pass, { loss, labels, classWeights }: Targets, m = pass.input.count): number {
  const { z, dZ } = pass.workspace.layers[pass.network.layers.length - 1]!;
  const { count } = pass.input;
  return pass.kernels.lossGradient({ rule: losses[loss], z, labels, weights: classWeights, count, m, dZ }) / m;
}

/** From the last layer to the first: dW = dZ·Aᵀ, db = Σ dZ, dA = Wᵀ·dZ, dZ = dA ∘ g′(Z), after `lossGradient`.
 *  @param gradient  laid out like the parameters; overwritten or added to, but for what is not trained */
export function backward(pass: Pass, gradient: Parameters, { down = 0, adds = false }: BackwardOptions = {}): void {
  const { network, parameters, kernels, workspace, input } = pass;
  const { count } = input;
  for (let l = network.layers.length - 1; l >= 0; l--) {
    const { units } = network.layers[l]!;
    const { dZ, statistics } = workspace.layers[l]!;
    const out = gradient.layers[l]!;
    const { norm, weights } = parameters.layers[l]!;
    if (norm) batchNormGradient(kernels, dZ, count, norm, statistics!, out.norm!);
    else kernels.sumExamples({ values: dZ, count, units, out: out.bias!, adds });
    const features = layerInputs(network, l);
    const below = l === 0 ? input : ({ kind: 'floats', values: workspace.layers[l - 1]!.a, count, features } as const);
    if (l >= down) kernels.linearGradWeights({ input: below, dZ, units, out: out.weights, adds });
    if (l > 0) {
      kernels.linearGradInput({ dZ, weights, units, features, count, out: workspace.layers[l - 1]!.dZ });
      activationGradient(pass, l - 1);
    }
  }
}

/** dZ = dA ∘ mask ∘ g′(Z), in place: the layer's dZ holds dA when it comes in. */
function activationGradient({ network, kernels, workspace, input }: Pass, l: number): void {
  const { units, activation, slope, keepProb } = network.layers[l]!;
  const { z, a, dZ, mask } = workspace.layers[l]!;
  kernels.activationGradient({ rule: activations[activation], slope, z, a, dZ, mask, keepProb, length: input.count * units });
}
