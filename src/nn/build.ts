import type { ActivationName } from './activations.ts';
import type { Init } from './initializers.ts';
import { featuresOf, inputShape, type Op, type Shape } from './op.ts';
import { activation } from './ops/activation.ts';
import { batchNorm } from './ops/batch-norm.ts';
import { linear } from './ops/linear.ts';

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

/** Where a layer stands. */
interface Place {
  layer: number;
  input: Shape;
  /** the output layer keeps its logits: losses take those */
  isOutput: boolean;
}

/** The ops of a fully connected layer. */
function dense({ units, batchNorm: normalizes, init, ...of }: Layer, { layer, input, isOutput }: Place): Op[] {
  const product = linear({ layer, input, units, bias: !normalizes, init });
  const inner = { layer, input: product.output };
  return [product, ...(normalizes ? [batchNorm(inner)] : []), ...(isOutput ? [] : [activation({ ...inner, ...of })])];
}

const built = new WeakMap<Network, readonly Op[]>();

/** The operations of a network, in the order of the forward pass; made once for each network, which never changes. */
export function opsOf(network: Network): readonly Op[] {
  const ops = built.get(network) ?? buildOps(network);
  built.set(network, ops);
  return ops;
}

function buildOps({ inputs, layers }: Network): readonly Op[] {
  const ops: Op[] = [];
  for (const [layer, of] of layers.entries()) {
    const input = ops.at(-1)?.output ?? inputShape(inputs);
    ops.push(...dense(of, { layer, input, isOutput: layer === layers.length - 1 }));
  }
  return ops;
}

/** n_1: what the first op gives for an example. */
export function firstUnits(network: Network): number {
  return featuresOf(opsOf(network)[0]!.output);
}
