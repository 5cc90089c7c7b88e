import type { Floats, Kernels } from '../kernels/kernels.ts';
import type { Random } from '../random.ts';
import type { ActivationName } from './activations.ts';
import { type Init, initialize } from './initializers.ts';

/** A fully connected layer: Z = W·A + b, batch norm if any, A = g(Z), dropout if any. */
export interface Layer {
  units: number;
  activation: ActivationName;
  /** of leakyRelu, for z < 0 */
  slope: number;
  init: Init;
  /** the share of units that dropout keeps; 1 is none */
  keepProb: number;
  batchNorm: boolean;
}

/** n_x inputs and the layers 1 … L; the last has one unit and gives the logit of the positive class.
 *  Without hidden layers it is logistic regression. */
export interface Network {
  inputs: number;
  layers: readonly Layer[];
}

/** A named part of the one parameter buffer. */
export interface ParameterSpec {
  /** as in the course: W1, b1, gamma1, beta1 …; layers count from 1 */
  name: string;
  /** 0 for the first layer */
  layer: number;
  shape: readonly [rows: number, columns: number];
  offset: number;
  length: number;
  /** L2 shrinks it: weights alone */
  decayed: boolean;
  /** the optimizer moves it: all but moving averages */
  trained: boolean;
}

/** All parameters of a network in one buffer; `segments` says what stands where. */
export interface Parameters {
  values: Floats;
  specs: readonly ParameterSpec[];
  /** one entry a layer: views of `values` */
  layers: readonly LayerParameters[];
  /** ‖W1‖² where the first layer holds coefficients of a span (kernels/kernels.ts); null where it holds W1 itself */
  firstSquaredNorm: (() => number) | null;
}

export interface LayerParameters {
  /** (n_l, n_(l-1)) */
  weights: Floats;
  /** (n_l, 1); null with batch norm, whose β takes its place */
  bias: Floats | null;
  norm: { gamma: Floats; beta: Floats; movingMean: Floats; movingVariance: Floats } | null;
}

/** The number of inputs of layer l (0 is the first). */
export function layerInputs(network: Network, layer: number): number {
  return layer === 0 ? network.inputs : network.layers[layer - 1]!.units;
}

/** What stands where in the parameter buffer of a network. */
export function parameterSpecs(network: Network): ParameterSpec[] {
  const segments: ParameterSpec[] = [];
  let offset = 0;
  const add = (
    name: string,
    layer: number,
    shape: readonly [number, number],
    flags: { decayed?: boolean; trained?: boolean },
  ) => {
    const length = shape[0] * shape[1];
    segments.push({ name: `${name}${layer + 1}`, layer, shape, offset, length, decayed: false, trained: true, ...flags });
    offset += length;
  };
  for (const [l, { units, batchNorm }] of network.layers.entries()) {
    add('W', l, [units, layerInputs(network, l)], { decayed: true });
    if (!batchNorm) add('b', l, [units, 1], {});
    else {
      add('gamma', l, [units, 1], {});
      add('beta', l, [units, 1], {});
      add('movingMean', l, [units, 1], { trained: false });
      add('movingVariance', l, [units, 1], { trained: false });
    }
  }
  return segments;
}

/** The length of a parameter buffer. */
export function bufferLength(segments: readonly ParameterSpec[]): number {
  const last = segments[segments.length - 1]!;
  return last.offset + last.length;
}

/** The number of values that training moves. */
export function parameterCount(network: Network): number {
  return parameterSpecs(network).reduce((sum, s) => sum + (s.trained ? s.length : 0), 0);
}

/** Parameters over a buffer of the right length, which stays shared. */
export function parametersOver(network: Network, values: Floats): Parameters {
  const segments = parameterSpecs(network);
  const view = (name: string, layer: number) => {
    const segment = segments.find((s) => s.name === `${name}${layer + 1}`)!;
    return values.subarray(segment.offset, segment.offset + segment.length);
  };
  const layers = network.layers.map(({ batchNorm }, l) => ({
    weights: view('W', l),
    bias: batchNorm ? null : view('b', l),
    norm: batchNorm
      ? {
          gamma: view('gamma', l),
          beta: view('beta', l),
          movingMean: view('movingMean', l),
          movingVariance: view('movingVariance', l),
        }
      : null,
  }));
  return { values, specs: segments, layers, firstSquaredNorm: null };
}

/** Fresh parameters: weights layer by layer from one stream, biases and β 0, γ and moving variances 1. */
export function initialParameters(network: Network, kernels: Kernels, random: Random): Parameters {
  const parameters = parametersOver(network, kernels.allocate(bufferLength(parameterSpecs(network))));
  for (const [l, layer] of network.layers.entries()) {
    const { weights, norm } = parameters.layers[l]!;
    initialize(weights, { nIn: layerInputs(network, l), nOut: layer.units }, layer.init, random);
    norm?.gamma.fill(1);
    norm?.movingVariance.fill(1);
  }
  return parameters;
}
