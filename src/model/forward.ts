import type { Batch, Floats, Kernels } from '../kernels/kernels.ts';
import type { Random } from '../random.ts';
import { activations } from './activations.ts';
import { type BatchStatistics, normalizeBatch, normalizeWithAverages } from './batch-norm.ts';
import { drawMask } from './dropout.ts';
import type { Network, Parameters } from './network.ts';

/** Room for one batch on its way through the network and back; every array holds `capacity` examples. */
export interface Workspace {
  capacity: number;
  layers: readonly LayerWorkspace[];
}

export interface LayerWorkspace {
  /** (n_l, m): what goes into the activation */
  z: Floats;
  /** (n_l, m): what comes out of the layer, after dropout */
  a: Floats;
  /** (n_l, m): the gradient of the cost with respect to z */
  dZ: Floats;
  /** (n_l, m): 1/keepProb where dropout keeps a unit, 0 where not; null without dropout */
  mask: Floats | null;
  statistics: BatchStatistics | null;
}

/** Training takes batch statistics and drops units; inference takes moving averages and drops none.
 *  `masks` draws this step's dropout masks; null repeats the masks that the workspace holds. */
export type Mode = { kind: 'inference' } | { kind: 'training'; masks: Random | null };
export const inference: Mode = { kind: 'inference' };

export interface Pass {
  network: Network;
  parameters: Parameters;
  kernels: Kernels;
  workspace: Workspace;
  input: Batch;
  mode: Mode;
}

export function createWorkspace(network: Network, kernels: Kernels, capacity: number): Workspace {
  const layers = network.layers.map(({ units, keepProb, batchNorm }) => {
    const floats = () => kernels.allocate(capacity * units);
    const statistics = batchNorm
      ? { mean: kernels.allocate(units), variance: kernels.allocate(units), normalized: floats() }
      : null;
    return { z: floats(), a: floats(), dZ: floats(), mask: keepProb < 1 ? floats() : null, statistics };
  });
  return { capacity, layers };
}

/** Z[l] = W[l]·A[l−1] + b[l], A[l] = g(Z[l]), for all examples of a batch.
 *  @param from  the first layer to compute: those below stand in the workspace as an earlier pass left them
 *  @returns the logits Z[L], (1, m): a view that the next pass overwrites */
export function forward(pass: Pass, from = 0): Floats {
  const { network, parameters, kernels, workspace, input } = pass;
  const { count } = input;
  let below = from === 0 ? input : outputOf(pass, from - 1);
  for (let l = from; l < network.layers.length; l++) {
    const { units } = network.layers[l]!;
    const { weights, bias } = parameters.layers[l]!;
    kernels.linear({ input: below, weights, bias, units, out: workspace.layers[l]!.z });
    activateLayer(pass, l, count);
    below = outputOf(pass, l);
  }
  return workspace.layers[network.layers.length - 1]!.z.subarray(0, count);
}

/** What layer l gives to the one above. */
function outputOf({ network, workspace, input }: Pass, l: number): Batch {
  return { kind: 'floats', values: workspace.layers[l]!.a, count: input.count, features: network.layers[l]!.units };
}

/** Batch norm, activation and dropout of layer l; the output layer keeps its logits, since losses take those. */
function activateLayer({ network, parameters, kernels, workspace, mode }: Pass, l: number, count: number): void {
  const { units, activation, slope, keepProb } = network.layers[l]!;
  const { z, a, mask, statistics } = workspace.layers[l]!;
  const { norm } = parameters.layers[l]!;
  if (norm && mode.kind === 'training') normalizeBatch(kernels, z, count, norm, statistics!);
  else if (norm) normalizeWithAverages(kernels, z, count, norm);
  if (l < network.layers.length - 1) {
    const length = count * units;
    const drops = mask !== null && mode.kind === 'training';
    if (drops && mode.masks) drawMask(mask, length, keepProb, mode.masks);
    kernels.activate({ rule: activations[activation], slope, z, a, mask: drops ? mask : null, length });
  }
}
