import type { Floats } from '../kernels/kernels.ts';
import type { Random } from '../random.ts';
import { type ActivationName, activations } from './activations.ts';

const entries = {
  he: { summary: '√(2/n_in), for ReLU', deviation: (shape) => Math.sqrt(2 / shape.nIn) },
  xavier: { summary: '√(1/n_in), for tanh and sigmoid', deviation: (shape) => Math.sqrt(1 / shape.nIn) },
  glorot: { summary: '√(2/(n_in + n_out))', deviation: (shape) => Math.sqrt(2 / (shape.nIn + shape.nOut)) },
  random: { summary: '`factor`', deviation: (shape) => shape.factor },
  zeros: { summary: 'all weights 0: right for logistic regression alone', deviation: () => 0 },
} satisfies Record<string, Initializer>;

export interface Initializer {
  summary: string;
  deviation(shape: { nIn: number; nOut: number; factor: number }): number;
}

export type InitializerName = keyof typeof entries;
/** The standard deviation of the normal distribution that a layer's weights are drawn from.
 *  The course calls √(1/n_in) Xavier; Keras and PyTorch call √(2/(n_in + n_out)) so, which is `glorot` here. */
export const initializers: Record<InitializerName, Initializer> = entries;
export interface Init {
  name: InitializerName;
  factor: number;
}
export const defaultFactor = 0.01;

/** The initialiser that fits: zeros without hidden layers, else what the layer's activation asks for. */
export function fittingInit(activation: ActivationName, hiddenLayers: number): Init {
  return { name: hiddenLayers === 0 ? 'zeros' : activations[activation].init, factor: defaultFactor };
}

/** Fills W (n_out, n_in), row after row, from one stream; `zeros` draws nothing. */
export function initialize(weights: Floats, shape: { nIn: number; nOut: number }, init: Init, random: Random): void {
  if (init.name === 'zeros') return void weights.fill(0);
  const deviation = initializers[init.name].deviation({ ...shape, factor: init.factor });
  for (let i = 0; i < weights.length; i++) weights[i] = random.normal() * deviation;
}
