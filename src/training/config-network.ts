import type { Config, InitConfig } from '../config/schema.ts';
import { defaultSlope } from '../nn/activations.ts';
import type { Layer, Network } from '../nn/build.ts';
import { defaultFactor, fittingInit, type Init } from '../nn/initializers.ts';

/** The network that a config describes, for pictures of n_x features. */
export function networkOf({ model }: Config, inputs: number): Network {
  const hidden = model.layers.length;
  const pick = (activation: Layer['activation'], own?: InitConfig): Init =>
    resolveInit(own ?? model.init) ?? fittingInit(activation, hidden);
  const layers = model.layers.map(({ type: _, init, ...layer }): Layer => ({ ...layer, init: pick(layer.activation, init) }));
  const output: Layer = {
    units: 1,
    activation: 'sigmoid',
    slope: defaultSlope,
    init: pick('sigmoid'),
    keepProb: 1,
    batchNorm: false,
  };
  return { inputs, layers: [...layers, output] };
}

/** null for "auto". */
function resolveInit(init: InitConfig): Init | null {
  if (init === 'auto') return null;
  return typeof init === 'string' ? { name: init, factor: defaultFactor } : init;
}
