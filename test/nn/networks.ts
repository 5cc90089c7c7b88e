import type { LayerOf } from '../../src/nn/build.ts';

/** Layers with what a test does not care about filled in. */
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

export function conv(filters: number, layer: Partial<LayerOf<'conv'>> = {}): LayerOf<'conv'> {
  const { units: _, ...common } = dense(1);
  return { ...common, type: 'conv', filters, kernel: 3, stride: 1, padding: 'same', ...layer };
}
