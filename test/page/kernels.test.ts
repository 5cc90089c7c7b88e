import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Classifier, logits } from '../../src/classifier/classifier.ts';
import { type ExplanationMethod, explanationMethods, explanationOf, type KernelsFor } from '../../src/classifier/explain.ts';
import type { Precision } from '../../src/kernels/kernels.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { ownFile } from '../../src/own-files.ts';
import { kernelsWanted } from '../../src/page/embedded.ts';
import { loadKernels, mostImages } from '../../src/page/kernels.ts';
import { randomClassifier, randomImages } from '../classifier/classifiers.ts';
import { classifiers } from '../export/random-classifiers.ts';
import { conv, dense } from '../nn/networks.ts';
import { someOf } from '../thorough.ts';

/** The kernels of a page, which have one thread and a memory of fixed size, have the bits of Node's. */

const moduleOf = async (precision: Precision) => new Uint8Array(await readFile(ownFile(`dist/kernels/${precision}-alone.wasm`)));
const modules = { float32: await moduleOf('float32'), float64: await moduleOf('float64') };

async function pageKernels({ network, precision }: Classifier): Promise<KernelsFor> {
  const wanted = kernelsWanted(precision).map((name) => [name, modules[name]]);
  const { compiled, kernelsFor } = await loadKernels(Object.fromEntries(wanted), network);
  expect(compiled).toBe(true);
  return kernelsFor;
}

const bits = (values: Float64Array) => Array.from(new BigUint64Array(values.buffer, values.byteOffset, values.length));

test('answer for random networks of every option to the bit', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(classifiers(), fc.integer({ min: 1, max: mostImages }), async (classifier, count) => {
      const own = await pageKernels(classifier);
      const pixels = randomImages(count, classifier.preprocessing.imageSize, count);
      const expected = logits(classifier, kernelsFor(classifier.precision), pixels);
      expect(bits(logits(classifier, own(classifier.precision), pixels))).toEqual(bits(expected));
    }),
    { numRuns: 40, seed: 5 },
  );
});

describe.each(Object.keys(explanationMethods) as ExplanationMethod[])('%s', (method) => {
  test.each(['float32', 'float64'] as const)('gives the map of nn explain to the bit, of %s', async (precision) => {
    const hidden = [conv(4, { batchNorm: true }), dense(5)];
    const classifier: Classifier = { ...randomClassifier({ side: 16, hidden, precision }), averageMirrored: true };
    const picture = randomImages(1, 16, 3);
    const explained = (kernels: KernelsFor) => explanationOf(explanationMethods[method].explain(classifier, picture, kernels));
    const [found, expected] = [explained(await pageKernels(classifier)), explained(kernelsFor)];
    expect(bits(found.map)).toEqual(bits(expected.map));
    expect(found.occlusion).toEqual(expected.occlusion);
  });
});

/** The memory has room for what large networks take: where it had not, it would have to grow, and could not. */
test.each(
  someOf([
    { side: 96, hidden: [conv(32, { stride: 1 }), conv(32, { stride: 2 })], precision: 'float32' },
    { side: 400, hidden: [], precision: 'float64' },
    { side: 300, hidden: [dense(20)], precision: 'float64' },
    { side: 400, hidden: [], precision: 'float32' },
    { side: 128, hidden: [conv(48, { kernel: 5 })], precision: 'float64' },
  ] as const),
)('has room for $side × $side pixels, $hidden.length hidden layers and $precision', { timeout: 300_000 }, async (options) => {
  const classifier = randomClassifier({ normalize: 'standardizeChannels', ...options });
  const own = await pageKernels(classifier);
  const pixels = randomImages(mostImages, options.side);
  const found = logits(classifier, own(classifier.precision), pixels);
  expect(found.every(Number.isFinite)).toBe(true);
  const one = pixels.slice(0, classifier.network.inputs);
  const { map } = explanationOf(explanationMethods.gradient.explain(classifier, one, own));
  expect(map.every(Number.isFinite)).toBe(true);
});

test('are the reference where a browser can not run them, which rounds otherwise', async () => {
  const classifier = randomClassifier({ side: 8, hidden: [dense(5)], precision: 'float32' });
  const damaged = { float32: modules.float32.slice(0, 100), float64: modules.float64 };
  const { compiled, kernelsFor: own } = await loadKernels(damaged, classifier.network);
  expect(compiled).toBe(false);
  const pixels = randomImages(3, 8);
  const expected = logits(classifier, kernelsFor('float32'), pixels);
  for (const [i, z] of logits(classifier, own('float32'), pixels).entries()) expect(z).toBeCloseTo(expected[i]!, 4);
});
