import type { Floats, InputMap, Kernels, Rows } from '../kernels/kernels.ts';
import { type Network, type Parameters, parametersOver } from '../model/network.ts';

/** What the loop trains: a network over inputs, in whatever form its first layer has (form.ts). */
export interface Problem {
  kernels: Kernels;
  network: Network;
  /** what the optimizer moves; a checkpoint and "the best epoch" keep these */
  parameters: Parameters;
  train: ProblemPart;
  dev: ProblemPart | null;
  /** ‖C·V‖² of coefficients laid out like the first layer's: of W1, of its gradient, of an update. */
  firstSquaredNorm(coefficients: Floats): number;
  /** Brings the weights that the caller gave up to date with `parameters`. */
  write(): void;
}

export interface ProblemPart {
  labels: Uint8Array;
  /** The pictures at `indices`, or the first `count`. */
  rows(indices: Int32Array | null, count: number): Rows;
}

/** The pictures of a part as bytes. */
export interface FitPart {
  /** [m, n_x] */
  pixels: Uint8Array;
  labels: Uint8Array;
}

/** What a problem is made of. */
export interface ProblemOptions {
  network: Network;
  parameters: Parameters;
  map: InputMap;
  train: FitPart;
  dev: FitPart | null;
}

/** The network over the pixels, on a copy of its parameters where the kernels need not copy them at every call. */
export function directProblem({ network, parameters, map, train, dev }: ProblemOptions, kernels: Kernels): Problem {
  const part = ({ pixels, labels }: FitPart): ProblemPart => {
    const bytes = kernels.resident(pixels);
    const rows = (indices: Int32Array | null, count: number) =>
      ({ kind: 'bytes', bytes, indices, count, features: network.inputs, map }) as const;
    return { labels, rows };
  };
  const own = parametersOver(network, kernels.floats(parameters.values.length));
  own.values.set(parameters.values);
  const write = () => parameters.values.set(own.values);
  return { kernels, network, parameters: own, train: part(train), dev: dev && part(dev), firstSquaredNorm: squaredNorm, write };
}

/** ‖·‖² */
export function squaredNorm(values: Floats): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}
