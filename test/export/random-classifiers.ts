import fc from 'fast-check';
import type { Classifier } from '../../src/classifier/classifier.ts';
import { type NormalizerName, normalizers } from '../../src/data/normalize.ts';
import type { ExportedModel } from '../../src/export/exported-model.ts';
import { answered } from '../../src/export/test-pictures.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { type ActivationName, activations } from '../../src/nn/activations.ts';
import type { Layer, Network } from '../../src/nn/build.ts';
import { initialParameters } from '../../src/nn/network.ts';
import { namedRandom } from '../../src/random.ts';
import { randomImages } from '../classifier/classifiers.ts';
import { conv, dense } from '../nn/networks.ts';
import { networks } from '../nn/random-networks.ts';

const keysOf = <Name extends string>(table: Record<Name, unknown>) => fc.constantFrom(...(Object.keys(table) as Name[]));

/** Of dense layers alone. */
export const denseNetworks = fc
  .record({
    side: fc.integer({ min: 1, max: 9 }),
    hidden: fc.array(fc.record({ units: fc.integer({ min: 1, max: 30 }), batchNorm: fc.boolean() }), { maxLength: 3 }),
    outputNorm: fc.boolean(),
  })
  .map(({ side, hidden, outputNorm }): Network => {
    const layers = hidden.map(({ units, batchNorm }) => dense(units, { batchNorm }));
    return { inputs: side * side * 3, layers: [...layers, dense(1, { activation: 'sigmoid', batchNorm: outputNorm })] };
  });

/** Of convolutions that answer by large tiles, with a pool and batch norm taken along or not. */
const tiledNetworks = fc
  .record({
    side: fc.constantFrom(8, 16, 24),
    channels: fc.constantFrom(8, 16),
    filters: fc.array(fc.constantFrom(8, 16, 32), { minLength: 1, maxLength: 3 }),
    batchNorm: fc.boolean(),
    pools: fc.boolean(),
  })
  .map(({ side, channels, filters, batchNorm, pools }): Network => {
    const inner = filters.map((count) => conv(count, { activation: 'relu', batchNorm }));
    const pool: Layer[] = pools ? [{ type: 'maxPool', size: 2, stride: 2 }] : [];
    const layers = [conv(channels, { batchNorm }), ...inner, ...pool, dense(1, { activation: 'sigmoid' })];
    return { inputs: side * side * 3, layers };
  });

const anyNetwork = fc.oneof(
  { weight: 2, arbitrary: networks },
  { weight: 1, arbitrary: tiledNetworks },
  { weight: 1, arbitrary: denseNetworks },
);

/** Classifiers of every kind of layer, activation, normaliser, precision and way to answer, with weights as large as a training's and larger. */
export const classifiers = (network: fc.Arbitrary<Network> = anyNetwork): fc.Arbitrary<Classifier> =>
  fc
    .record({
      network,
      activations: fc.array(fc.option(keysOf(activations)), { minLength: 4, maxLength: 4 }),
      slope: fc.constantFrom(0, 0.01, 0.3, 1),
      normalize: keysOf(normalizers),
      precision: fc.constantFrom('float32', 'float64'),
      size: fc.constantFrom(0.5, 1, 3),
      temperature: fc.option(fc.constantFrom(0.4, 2.5)),
      averageMirrored: fc.boolean(),
      threshold: fc.constantFrom(0.5, 0.37),
      seed: fc.integer({ min: 0, max: 1e6 }),
    })
    .map(({ network, activations: names, slope, temperature, ...options }) =>
      classifierOf({
        ...options,
        network: { ...network, layers: withActivations(network.layers, names, slope) },
        ...(temperature === null ? {} : { temperature }),
      }),
    );

/** Layers with other activations, where there is one for them. */
function withActivations(layers: readonly Layer[], names: readonly (ActivationName | null)[], slope: number): Layer[] {
  return layers.map((layer, i) => {
    const name = names[i % names.length] ?? null;
    const isOutput = i === layers.length - 1 && 'units' in layer && layer.units === 1;
    const inner = 'layers' in layer ? { ...layer, layers: withActivations(layer.layers, names, slope) } : layer;
    const sloped = 'slope' in inner ? { ...inner, slope } : inner;
    return name === null || isOutput || !('activation' in sloped) ? sloped : { ...sloped, activation: name };
  });
}

function classifierOf({
  network,
  normalize,
  size,
  seed,
  ...rest
}: { network: Network; normalize: NormalizerName; size: number; seed: number } & Pick<
  Classifier,
  'precision' | 'temperature' | 'averageMirrored' | 'threshold'
>): Classifier {
  const random = namedRandom(seed, 'classifier of a test');
  const side = Math.sqrt(network.inputs / 3);
  const parameters = initialParameters(network, kernelsFor(rest.precision), random);
  for (const { name, offset, length } of parameters.specs) {
    for (let i = offset; i < offset + length; i++) {
      if (name.startsWith('W')) parameters.values[i]! *= size;
      else if (name.startsWith('movingVariance')) parameters.values[i] = 0.05 + 2 * random.uniform();
      else parameters.values[i]! += 0.3 * random.normal();
    }
  }
  return {
    ...rest,
    network,
    parameters,
    normalize,
    preprocessing: { imageSize: side, fit: 'cover' },
    scaling: normalizers[normalize].fit(randomImages(20, side, seed), network.inputs),
    classes: { positive: 'cat', negative: 'thing' },
    loss: 'crossEntropy',
  };
}

/** With random pictures to be asked with. */
export function exportedOf(classifier: Classifier, count = 8): ExportedModel {
  const pictures = answered(classifier, randomImages(count, classifier.preprocessing.imageSize, 7));
  return { classifier, pictures, version: '0.0.0', resizeKernel: 'lanczos3', quality: null };
}
