import { UserError } from '../errors.ts';
import { type ActivationName, defaultSlope } from './activations.ts';
import type { Init } from './initializers.ts';
import { featuresOf, type ImageShape, inputShape, type Op, type Shape, shapeText } from './op.ts';
import { activation } from './ops/activation.ts';
import { batchNorm } from './ops/batch-norm.ts';
import { conv } from './ops/conv.ts';
import { linear } from './ops/linear.ts';
import { pool } from './ops/pool.ts';
import { fork, join } from './ops/residual.ts';
import type { Padding } from './windows.ts';

/** What layers with weights have. */
export type CommonLayer = {
  activation: ActivationName;
  /** of leakyRelu, for z < 0 */
  slope: number;
  init: Init;
  /** the share of units that dropout keeps; 1 is none */
  keepProb: number;
  batchNorm: boolean;
};

/** A kind of layer: the whole numbers that are its own, and what else it has. The config's schema and the reader of model files are made
 *  from it; `builders` has the ops. */
interface LayerKind {
  summary: string;
  /** each with its largest, and what stands for one that is left out; "size" for the same as that */
  sizes: Record<string, { most: number; summary: string; default?: number | 'size' }>;
  /** which fields of `CommonLayer` it has: all where it has weights */
  common: 'all' | 'keepProb' | 'activation' | 'none';
  hasPadding?: true;
  /** whether it has layers of its own */
  nests?: true;
}

const poolSizes = {
  size: { most: 1024, summary: 'Side of a window' },
  stride: { most: 1024, summary: 'Steps from one window to the next (default: size)', default: 'size' },
} as const;

export const layerKinds = {
  dense: { summary: 'Fully connected', sizes: { units: { most: 100_000, summary: 'How many units' } }, common: 'all' },
  conv: {
    summary: 'A convolution: the same weights at every place of the image',
    sizes: {
      filters: { most: 4096, summary: 'How many filters: channels of what it gives' },
      kernel: { most: 64, summary: 'Side of a window', default: 3 },
      stride: { most: 1024, summary: 'Steps from one window to the next', default: 1 },
    },
    common: 'all',
    hasPadding: true,
  },
  maxPool: { summary: 'The largest number of each window, channel by channel', sizes: poolSizes, common: 'none' },
  averagePool: { summary: 'The mean of each window, channel by channel', sizes: poolSizes, common: 'none' },
  residual: {
    summary: 'Adds its input to what its layers make of it',
    sizes: {},
    common: 'activation',
    nests: true,
  },
  globalAveragePool: { summary: 'The mean of each channel: one number', sizes: {}, common: 'keepProb' },
} as const satisfies Record<string, LayerKind>;

export type LayerType = keyof typeof layerKinds;
type Kind<Type extends LayerType> = (typeof layerKinds)[Type];
type CommonOf<Which extends LayerKind['common']> = Which extends 'all'
  ? CommonLayer
  : Which extends 'keepProb' | 'activation'
    ? Pick<CommonLayer, Which>
    : object;
/** A layer of a kind; one without a type is dense, as all layers of model files once were. */
export type LayerOf<Type extends LayerType> = (Type extends 'dense' ? { type?: Type } : { type: Type }) &
  Record<keyof Kind<Type>['sizes'], number> &
  CommonOf<Kind<Type>['common']> &
  (Kind<Type> extends { nests: true } ? { layers: readonly Layer[] } : object) &
  (Kind<Type> extends { hasPadding: true } ? { padding: Padding } : object);
export type Layer = { [Type in LayerType]: LayerOf<Type> }[LayerType];
export type WeightedLayer = LayerOf<'dense'> | LayerOf<'conv'>;

/** n_x inputs and the layers 1 … L; the last has one unit and gives the logit of the positive class.
 *  Without hidden layers it is logistic regression. */
export interface Network {
  inputs: number;
  layers: readonly Layer[];
}

/** The layers with weights, in order, those of residual blocks where they stand: learning rates, norms, tensors' names and messages count these. What lies between two of them belongs to the
 *  first of the two. */
export function weightedLayers({ layers }: Pick<Network, 'layers'>): WeightedLayer[] {
  return layers.flatMap((layer) => ('init' in layer ? [layer] : 'layers' in layer ? weightedLayers(layer) : []));
}

/** Where a layer stands. */
interface Place {
  /** among the layers with weights, 0 for the first */
  layer: number;
  /** where it stands in the config, such as model.layers.2 */
  path: string;
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

/** Z = W * A + b, the same behind it. */
function convolution({ batchNorm: normalizes, init, type: _, ...of }: LayerOf<'conv'>, { layer, input }: Place): Op[] {
  const product = conv({ layer, input: imageIn(input), bias: !normalizes, init, ...of });
  const inner = { layer, input: product.output };
  return [product, ...(normalizes ? [batchNorm(inner)] : []), activation({ ...inner, ...of })];
}

const pooling =
  (name: 'max' | 'average') =>
  ({ size, stride }: { size: number; stride: number }, { layer, path, input }: Place): Op[] => [
    pool({ layer, place: placeIn(path), input: imageIn(input), pool: name, size, stride }),
  ];

/** The mean over all places, dropout if any. */
function globalAverage({ keepProb }: LayerOf<'globalAveragePool'>, { layer, path, input }: Place): Op[] {
  const { height: size } = imageIn(input);
  const mean = pool({ layer, place: placeIn(path), input: imageIn(input), pool: 'average', size, stride: size });
  const drop = { layer, input: mean.output, activation: 'linear', slope: 0, keepProb, behind: mean.drawing.output } as const;
  return [mean, ...(keepProb < 1 ? [activation(drop)] : [])];
}

/** S, what its layers make of S, and the sum of both, with an activation behind it if it has one. */
function residual({ layers, activation: name }: LayerOf<'residual'>, { layer, input, path }: Place): Op[] {
  const inner = buildLayers(layers, { layer, input, path: `${path}.layers` });
  const output = inner.at(-1)?.output ?? input;
  if (shapeText(output) !== shapeText(input))
    throw new UserError('usage', `expected layers that give ${shapeText(input)}, as comes in, found ${shapeText(output)}`, {
      hint: addable(input),
    });
  const place = placeIn(path);
  const parts = inner.length + 1;
  const last = inner.at(-1)?.layer ?? layer;
  const sum = join({ layer: last, input: output, place, back: parts });
  const bend = { layer: last, input: output, activation: name, slope: defaultSlope, keepProb: 1, behind: sum.drawing.output };
  return [fork({ layer, input, place, ahead: parts }), ...inner, sum, ...(name === 'linear' ? [] : [activation(bend)])];
}

/** model.layers.2.layers.0 is the first layer of the third: 3.1. */
const placeIn = (path: string) => [...path.matchAll(/\d+/g)].map(([index]) => Number(index) + 1).join('.');

/** @throws UserError (usage) where it is a vector */
function imageIn(input: Shape): ImageShape {
  if ('channels' in input) return input;
  throw new UserError('usage', `expected an image, found ${input.features} numbers without places`, {
    hint: 'Convolutions and pools come before dense layers, and before globalAveragePool.',
  });
}

/** What builds each kind. */
const builders: { [Type in LayerType]: (layer: LayerOf<Type>, place: Place) => Op[] } = {
  dense,
  conv: convolution,
  residual,
  maxPool: pooling('max'),
  averagePool: pooling('average'),
  globalAveragePool: globalAverage,
};

const built = new WeakMap<Network, readonly Op[]>();

/** What layers inside a residual block must be like, so that their result and its input can be added up. */
const addable = (input: Shape) =>
  'features' in input
    ? `The last layer inside must have ${input.features} units.`
    : `The last convolution inside must have ${input.channels} filters, and none inside a stride above 1 or "padding": "valid".`;

/** The operations of a network, in the order of the forward pass; made once for each network, which never changes. */
export function opsOf(network: Network): readonly Op[] {
  const ops = built.get(network) ?? buildOps(network);
  built.set(network, ops);
  return ops;
}

function buildOps({ inputs, layers }: Network): readonly Op[] {
  return buildLayers(layers, { layer: -1, input: inputShape(inputs), path: 'model.layers', endsInOutput: true });
}

/** @param from  the last layer with weights before these, and what comes in
 *  @throws UserError (usage) with the shapes of all layers before, where one does not fit */
function buildLayers(
  layers: readonly Layer[],
  from: { layer: number; input: Shape; path: string; endsInOutput?: boolean },
): Op[] {
  const ops: Op[] = [];
  const shapes = [`  inputs  ${shapeText(from.input)}`];
  for (const [index, of] of layers.entries()) {
    const input = ops.at(-1)?.output ?? from.input;
    const path = `${from.path}.${index}`;
    const type = of.type ?? 'dense';
    const layer = (ops.at(-1)?.layer ?? from.layer) + Number('init' in of);
    const build = builders[type] as (layer: Layer, place: Place) => Op[];
    try {
      if (layer < 0) throw new UserError('usage', 'expected a layer with weights first: dense or conv');
      const isOutput = from.endsInOutput === true && index === layers.length - 1;
      const made = build(of, { layer, path, input, isOutput });
      for (const { output } of made) requirePlaces(output, input, of);
      ops.push(...made);
    } catch (error) {
      if (!(error instanceof UserError) || error.message.startsWith(path)) throw error;
      throw new UserError('usage', [`${path} (${type}): ${error.message}`, ...shapes], { hint: error.hint });
    }
    shapes.push(`  ${path} (${type})  ${shapeText(input)} → ${shapeText(ops.at(-1)!.output)}`);
  }
  return ops;
}

/** @throws UserError (usage) where no window fits into an image */
function requirePlaces(output: Shape, input: Shape, of: Layer): void {
  if ('features' in output || (output.height >= 1 && output.width >= 1)) return;
  const size = 'size' in of ? of.size : 'kernel' in of ? of.kernel : 1;
  throw new UserError('usage', `expected an image of at least ${size} × ${size}, found ${shapeText(input)}`, {
    hint: 'Smaller windows or strides, fewer pools, or larger images leave more places.',
  });
}

/** n_1: what the first op gives for an example. */
export function firstUnits(network: Network): number {
  return featuresOf(opsOf(network)[0]!.output);
}

/** n_x, n_1 … n_L: the inputs, and what each layer with weights gives for an example. */
export function layerSizes(network: Network): number[] {
  const ops = opsOf(network);
  const last = (layer: number) => ops.findLast((op) => op.layer === layer)!;
  return [network.inputs, ...weightedLayers(network).map((_, layer) => featuresOf(last(layer).output))];
}
