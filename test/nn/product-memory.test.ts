import { describe, expect, test } from 'vitest';
import { inScope, type Kernels } from '../../src/kernels/kernels.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import type { Layer } from '../../src/nn/build.ts';
import { dualForm } from '../../src/nn/input/dual.ts';
import { type ProductMemory, productMemory } from '../../src/nn/input/product-memory.ts';
import { initialParameters } from '../../src/nn/network.ts';
import { numpyRandom } from '../../src/random.ts';
import { dense } from './networks.ts';

const features = 40;
const layers: Layer[] = [dense(5), { ...dense(1), activation: 'sigmoid' }];
const scaling = { scale: new Float64Array(features).fill(1 / 255), shift: new Float64Array(features).fill(-0.5) };

interface Images {
  pixels: Uint8Array;
  labels: Uint8Array;
}

const images = (seed: number, count: number): Images => {
  const random = numpyRandom(seed);
  return {
    pixels: Uint8Array.from({ length: count * features }, () => Math.floor(random.uniform() * 256)),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
  };
};

/** The products of a training, and how often images were multiplied for it. */
function productsOf(given: { train: Images; dev: Images; products?: ProductMemory; scaling?: typeof scaling }) {
  let multiplied = 0;
  const train = inScope(kernelsFor('float64'), (kernels) => {
    const counting: Kernels = {
      ...kernels,
      gram: (call) => {
        multiplied++;
        kernels.gram(call);
      },
    };
    const network = { inputs: features, layers };
    const form = dualForm(
      { network, parameters: initialParameters(network, kernels, numpyRandom(1)), scaling, ...given },
      counting,
    );
    const values = [form.train, form.dev!].map((batchOf) => {
      const batch = batchOf(null, 1);
      return batch.kind === 'gram' ? Array.from(batch.gram) : [];
    });
    return values;
  });
  return { values: train, multiplied };
}

describe('inner products of images that other trainings made', () => {
  const parts = { train: images(1, 12), dev: images(2, 7) };

  test('are taken as they are, where the images are equal, be they other arrays', () => {
    const products = productMemory(1e6);
    const alone = productsOf(parts);
    expect(alone.multiplied).toBe(2); // with each other, and those of dev
    expect(productsOf({ ...parts, products })).toEqual(alone);
    const copies = { train: images(1, 12), dev: images(2, 7) };
    expect(productsOf({ ...copies, products })).toEqual({ ...alone, multiplied: 0 });
  });

  test.each<[string, Partial<Parameters<typeof productsOf>[0]>]>([
    ['other images', { train: images(3, 12) }],
    ['as many bytes in another order', { train: images(2, 7), dev: images(1, 12) }],
    ['another scale', { scaling: { ...scaling, scale: new Float64Array(features).fill(1 / 128) } }],
    ['another shift', { scaling: { ...scaling, shift: new Float64Array(features) } }],
  ])('are made anew for %s', (_, change) => {
    const products = productMemory(1e6);
    productsOf({ ...parts, products });
    const changed = { ...parts, ...change };
    expect(productsOf({ ...changed, products })).toEqual({ ...productsOf(changed), multiplied: 2 });
  });

  test('are forgotten where there is no more room, those first that were asked for longest ago', () => {
    const room = 8 * (12 * 12 + 7 * 12);
    const products = productMemory(room);
    const others = { train: images(3, 12), dev: images(2, 7) };
    const multiplied = [parts, parts, others, parts].map((each) => productsOf({ ...each, products }).multiplied);
    expect(multiplied).toEqual([2, 0, 2, 2]);
  });

  test('what they took is told once, apart from what was made now', () => {
    const products = productMemory(1e6);
    const spentBy = () => {
      productsOf({ ...parts, products });
      return products.spent();
    };
    const [first, second] = [spentBy(), spentBy()];
    expect(first.once).toBeGreaterThan(0);
    expect(first.now).toBe(first.once);
    expect(second).toEqual({ once: first.once, now: 0 });
    expect(products.spent()).toEqual({ once: 0, now: 0 });
  });
});
