import type { LayerOf } from '../../src/nn/build.ts';

/** A layer with what a test does not care about filled in. */
export function dense(units: number, layer: Partial<LayerOf<'dense'>> = {}): LayerOf<'dense'> {
  return {
    units,
    activation: 'tanh',
    slope: 0.01,
    init: { name: 'xavier', factor: 0.01 },
    keepProb: 1,
    batchNorm: false,
    ...layer,
  };
}
