import type { InputMap, Kernels, Rows } from '../kernels/kernels.ts';
import type { Network, Parameters } from '../model/network.ts';

/** What the loop trains: a network over inputs, in whatever form its first layer has (form.ts). */
export interface Problem {
  kernels: Kernels;
  network: Network;
  /** what the optimizer moves; a checkpoint and "the best epoch" keep these */
  parameters: Parameters;
  train: ProblemPart;
  dev: ProblemPart | null;
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

/** The network over the pixels: nothing is another than it is. */
export function directProblem({ network, parameters, map, train, dev }: ProblemOptions, kernels: Kernels): Problem {
  const part = ({ pixels, labels }: FitPart): ProblemPart => {
    const bytes = kernels.resident(pixels);
    const rows = (indices: Int32Array | null, count: number) =>
      ({ kind: 'bytes', bytes, indices, count, features: network.inputs, map }) as const;
    return { labels, rows };
  };
  return { kernels, network, parameters, train: part(train), dev: dev && part(dev), write: () => {} };
}
