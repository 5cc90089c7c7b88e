import type { ActivationName } from './activations.ts';
import type { Init } from './initializers.ts';
import { featuresOf, inputShape, type Op, type Shape } from './op.ts';
import { activation } from './ops/activation.ts';
import { batchNorm } from './ops/batch-norm.ts';
import { linear } from './ops/linear.ts';

/** What layers of every kind have. */
export type CommonLayer = {
  activation: ActivationName;
  /** of leakyRelu, for z < 0 */
  slope: number;
  init: Init;
  /** the share of units that dropout keeps; 1 is none */
  keepProb: number;
  batchNorm: boolean;
};

/** A kind of layer: the whole numbers that are its own, each with its largest. The config's schema and the reader of model files are made
 *  from it; `builders` has the ops. */
interface LayerKind {
  summary: string;
  sizes: Record<string, { most: number; summary: string }>;
}

export const layerKinds = {
  dense: { summary: 'Fully connected', sizes: { units: { most: 100_000, summary: 'How many units' } } },
} as const satisfies Record<string, LayerKind>;

export type LayerType = keyof typeof layerKinds;
/** A layer of a kind; one without a type is dense, as all layers of model files once were. */
export type LayerOf<Type extends LayerType> = CommonLayer & { type?: Type } & Record<
    keyof (typeof layerKinds)[Type]['sizes'],
    number
  >;
export type Layer = { [Type in LayerType]: LayerOf<Type> }[LayerType];

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

/** Z = W·A + b, batch norm if any, A = g(Z), dropout if any. */
function dense({ units, batchNorm: normalizes, init, ...of }: LayerOf<'dense'>, { layer, input, isOutput }: Place): Op[] {
  const product = linear({ layer, input, units, bias: !normalizes, init });
  const inner = { layer, input: product.output };
  return [product, ...(normalizes ? [batchNorm(inner)] : []), ...(isOutput ? [] : [activation({ ...inner, ...of })])];
}

/** What builds each kind. */
const builders: { [Type in LayerType]: (layer: LayerOf<Type>, place: Place) => Op[] } = { dense };

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
    const build = builders[of.type ?? 'dense'] as (layer: Layer, place: Place) => Op[];
    ops.push(...build(of, { layer, input, isOutput: layer === layers.length - 1 }));
  }
  return ops;
}

/** n_1: what the first op gives for an example. */
export function firstUnits(network: Network): number {
  return featuresOf(opsOf(network)[0]!.output);
}

/** n_x, n_1 … n_L: the inputs, and what each layer gives for an example. */
export function layerSizes(network: Network): number[] {
  const ops = opsOf(network);
  const last = (layer: number) => ops.findLast((op) => op.layer === layer)!;
  return [network.inputs, ...network.layers.map((_, layer) => featuresOf(last(layer).output))];
}
