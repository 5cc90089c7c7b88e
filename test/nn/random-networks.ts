import fc from 'fast-check';
import { type Layer, type LayerOf, type Network, opsOf } from '../../src/nn/build.ts';
import { conv, dense } from './networks.ts';

const convolution = (layer: Partial<LayerOf<'conv'>> = {}) => conv(3, layer);
const output = dense(1, { activation: 'sigmoid' });

/** Networks of all kinds of layers on small images. */
const layer: fc.Arbitrary<Layer> = fc.oneof(
  fc
    .record({
      filters: fc.integer({ min: 1, max: 4 }),
      kernel: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 2 }),
      padding: fc.constantFrom('same' as const, 'valid' as const),
      activation: fc.constantFrom('tanh' as const, 'relu' as const, 'leakyRelu' as const, 'linear' as const),
      keepProb: fc.constantFrom(1, 1, 0.7),
      batchNorm: fc.boolean(),
    })
    .map(convolution),
  fc.record({
    type: fc.constantFrom('maxPool' as const, 'averagePool' as const),
    size: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
  }),
);
const end: fc.Arbitrary<Layer[]> = fc.oneof(
  fc.constant<Layer[]>([]),
  fc.constantFrom(1, 0.8).map((keepProb): Layer[] => [{ type: 'globalAveragePool', keepProb }]),
  fc.constant<Layer[]>([dense(4, { batchNorm: true }), dense(3, { activation: 'relu' })]),
);
/** A convolution, and a residual block over what it gives, with a block in it. Of eight filters it goes by Winograd's transform. */
const block: fc.Arbitrary<Layer[]> = fc
  .record({
    filters: fc.constantFrom(1, 2, 3, 8),
    activation: fc.constantFrom('linear' as const, 'relu' as const, 'tanh' as const),
    batchNorm: fc.boolean(),
    nests: fc.boolean(),
  })
  .map(({ filters, activation, batchNorm, nests }): Layer[] => {
    const inner = convolution({ filters, batchNorm });
    const nested: Layer[] = nests
      ? [{ type: 'residual', layers: [convolution({ filters, kernel: 1 })], activation: 'linear' }]
      : [];
    return [
      convolution({ filters }),
      { type: 'residual', layers: [inner, ...nested, convolution({ filters, activation: 'linear' })], activation },
    ];
  });
/** Networks of convolutions, pools, residual blocks and dense layers, which fit their images. */
export const networks = fc
  .record({
    side: fc.constantFrom(4, 5, 6),
    layers: fc.array(layer, { minLength: 1, maxLength: 3 }),
    block: fc.option(block),
    end,
  })
  .map(({ side, layers, block, end }): Network => {
    return { inputs: side * side * 3, layers: [...layers, ...(block ?? []), ...end, output] };
  })
  .filter((network) => {
    try {
      return opsOf(network).length > 0;
    } catch {
      return false; // windows that do not fit, or a pool that comes first
    }
  });
