import { augments } from '../data/augment.ts';
import { batchLength } from '../data/batches.ts';
import type { Mixing } from '../data/mixup.ts';
import type { InputScaling } from '../kernels/kernels.ts';
import { referenceKernels } from '../kernels/reference.ts';
import { type Network, opsOf } from '../nn/build.ts';
import { firstWeightsOf } from '../nn/input/input-form.ts';
import { bufferLength, type Parameters, parameterSpecs, parametersOver, patchesOf } from '../nn/network.ts';
import { namedRandom, type Random } from '../random.ts';
import type { FitOptions } from './state.ts';

/**
 * A training like the one that is to begin, on data that hide nothing: the same network, form, kernels, optimizer, batch size and options, over random
 * bytes, with weights that keep numbers near 1 and biases, γ and β that are not 0. What a step of it computes wrongly, a step of the training does
 * too; and no pictures that are all alike, no weights of 0 or of 10^38, no λ of 10^300 stand in the way of seeing it.
 */
export interface Probe {
  /** its numbers (rates, l2, clipNorm) may be changed between steps */
  options: FitOptions & { learningRates: number[] };
  /** of one batch: row i holds example i mod `distinct`, so that few of them say what all must be */
  indices: Int32Array;
  distinct: number;
  /** draws dropout's masks, the same for equal rows */
  masks: () => Random;
  /** mixes each row with the one after it, the same for equal rows */
  mixing: (step: number, count: number) => Mixing;
}

/** Examples of a batch that differ; fewer, two at least, where the patches that the check makes of them would be more numbers than that: it has them
 *  all at once, several times over. */
const mostDistinct = 8;
const mostPatches = 2 ** 23;

/** Examples that differ in the probe of a network, where its batch has as many. */
export function distinctExamples(network: Network): number {
  return Math.min(mostDistinct, Math.max(2, Math.floor(mostPatches / Math.max(1, patchesOf(network)))));
}

/** Of bytes that are made, and of images in dual form, whose products are among all of them: what a larger batch computes otherwise, one of
 *  this size does too. */
const mostBytes = 2 ** 26;
const mostInDual = 16;

export function probeOf(options: FitOptions, mostExamples = Number.POSITIVE_INFINITY): Probe {
  const { network, form, augmentation, train, l2, clipNorm, featureLearningRates: rateByFeature } = options;
  const m = train.labels.length;
  const wanted = batchLength(options.batchSize, m);
  const isFull = wanted === m;
  const most = Math.min(
    form === 'dual' ? mostInDual : Math.max(distinctExamples(network), Math.floor(mostBytes / network.inputs)),
    mostExamples,
  );
  const distinct = Math.min(distinctExamples(network), wanted, most);
  // equal rows must come equally often where statistics of the batch, or masks that are drawn row after row, depend on it
  const inTurn = opsOf(network).some(({ mixesExamples, drops }) => mixesExamples || drops);
  const batch = Math.min(wanted, most) - (inTurn ? Math.min(wanted, most) % distinct : 0);
  const images = isFull ? batch : batch + distinct;
  const byteTable = tableOf(someBytes, (random) => random.integer(255));
  const pixels = new Uint8Array(images * network.inputs);
  for (let i = 0; i < Math.min(images, distinct) * network.inputs; i++) pixels[i] = byteTable[i % someBytes]!;
  for (let i = distinct; i < images; i++)
    pixels.copyWithin(i * network.inputs, (i % distinct) * network.inputs, ((i % distinct) + 1) * network.inputs);
  // augmentation draws by the number of an example: equal rows have to be one
  const shift = isFull ? 0 : distinct;
  const indices = Int32Array.from({ length: batch }, (_, i) => (augments(augmentation) ? i % distinct : i + shift));
  const keepsZeros =
    form === 'dual' && options.parameters.tensors[firstWeightsOf(options.parameters).name]!.every((value) => value === 0);
  return {
    indices,
    distinct,
    masks: () => inCycles(distinct),
    mixing: (_, count) => ({ lambda: 0.7, partners: Int32Array.from({ length: count }, (_, i) => (i + 1) % distinct) }),
    options: {
      ...options,
      train: { pixels, labels: Uint8Array.from({ length: images }, (_, i) => (i % distinct) % 2) },
      dev: null,
      parameters: evenParameters(options, pixels.subarray(0, distinct * network.inputs), keepsZeros),
      batchSize: batch,
      classWeights: scaled(options.classWeights),
      learningRates: options.learningRates.map(() => 1e-3),
      featureLearningRates: rateByFeature && Float64Array.from(rateByFeature, (_, k) => 0.5 + (k % 7) / 7),
      schedule: { name: 'none' },
      stages: [],
      l2: l2 > 0 ? 0.01 * images : 0,
      clipNorm: clipNorm && 1e30,
      earlyStopping: null,
      seed: 1,
    },
  };
}

/** The same ratio; the larger is 1. */
function scaled([negative, positive]: FitOptions['classWeights']): FitOptions['classWeights'] {
  const most = Math.max(negative, positive);
  return [negative / most, positive / most];
}

/** Millions of numbers are made of so many random ones, over and over: primes, so that neighbouring rows are not alike, nor images like weights. */
const [someBytes, someNormals] = [4091, 4093];

function tableOf(size: number, draw: (random: Random) => number): Float64Array {
  const random = namedRandom(1, 'probe');
  return Float64Array.from({ length: size }, () => draw(random));
}

/** Weights that keep what flows through near 1, forward and back, whatever the scaling makes of bytes; all else near what it begins with. */
function evenParameters({ network, kernels, scaling }: FitOptions, pixels: Uint8Array, zeroFirst: boolean): Parameters {
  const values = referenceKernels(kernels.precision).allocate(bufferLength(parameterSpecs(network)));
  const parameters = parametersOver(network, values);
  const normals = tableOf(someNormals, (random) => random.normal());
  const random = namedRandom(1, 'probe');
  let gain = 1 / (rootMeanSquare(pixels, scaling) || 1);
  for (const op of opsOf(network)) {
    op.initialize(parameters.tensors, random);
    for (const [t, { name, shape, decayed, trained }] of op.tensors.entries()) {
      if (!trained) continue;
      const tensor = parameters.tensors[name]!;
      const deviation = decayed ? gain / Math.sqrt(shape[1]) : 0.2;
      if (decayed) tensor.fill(0); // whatever they begin with
      if (decayed && zeroFirst && op === opsOf(network)[0]) continue;
      for (let i = 0; i < tensor.length; i++) tensor[i]! += deviation * normals[(i + op.layer + 7 * t) % someNormals]!;
    }
    gain = op.gain;
  }
  return parameters;
}

function rootMeanSquare(pixels: Uint8Array, { scale, shift }: InputScaling): number {
  const n = scale.length;
  let sum = 0;
  for (let i = 0; i < pixels.length; i++) sum += (scale[i % n]! * pixels[i]! + shift[i % n]!) ** 2;
  return Math.sqrt(sum / pixels.length);
}

/** Uniform numbers that come again after `length`: rows of masks, however wide, come again after as many. */
function inCycles(length: number): Random {
  const random = namedRandom(1, 'probe masks');
  const numbers = Array.from({ length }, () => random.uniform());
  let at = 0;
  return { ...random, uniform: () => numbers[at++ % length]! };
}
