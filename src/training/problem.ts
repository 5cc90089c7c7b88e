import { isStored, type Pixels } from '../data/pixels.ts';
import type { Floats, InputMap, Kernels, Rows } from '../kernels/kernels.ts';
import { type Network, type Parameters, parametersOver } from '../model/network.ts';
import { segmentNorm } from './divergence.ts';
import { readPart } from './read-part.ts';

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
  /** The pictures at `indices`, or the first `count`; where they are read, those of the present span alone, and `indices` is a
   *  piece of the way's order itself. */
  rows(indices: Int32Array | null, count: number): Rows;
  /** The first `count` pictures, whatever the present span: for a try. */
  first(count: number): Rows;
  /** An epoch's way in spans: while one lasts, `rows` finds its pictures. Where they are read, the next span is on its way. */
  spans(way: Way): AsyncIterable<Span>;
}

/** In which order pictures are wanted. */
export interface Way {
  /** every example once */
  order: Int32Array;
  /** where a span may end, ascending, the last at the end: what lies between two of them is read well in one piece */
  ends: readonly number[];
  /** examples that are taken together; no span parts them */
  batch: number;
  /** the first position that is wanted, where a batch begins */
  from: number;
}

/** Positions in the order. */
export interface Span {
  first: number;
  /** the one after the last */
  end: number;
}

/** The pictures of a part as bytes. */
export interface FitPart {
  /** [m, n_x] */
  pixels: Pixels;
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
  const part = (of: FitPart) =>
    isStored(of.pixels) ? readPart(of.labels, of.pixels, map, kernels) : heldPart(of.labels, of.pixels, map, kernels);
  const own = parametersOver(network, kernels.floats(parameters.values.length));
  own.values.set(parameters.values);
  const write = () => parameters.values.set(own.values);
  return { kernels, network, parameters: own, train: part(train), dev: dev && part(dev), firstSquaredNorm: squaredNorm, write };
}

/** Pictures in memory, which the kernels read without copying where there is room. */
function heldPart(labels: Uint8Array, pixels: Uint8Array, map: InputMap, kernels: Kernels): ProblemPart {
  const features = map.multiply.length;
  const bytes = kernels.resident(pixels);
  const rows = (indices: Int32Array | null, count: number) => ({ kind: 'bytes', bytes, indices, count, features, map }) as const;
  return { labels, rows, first: (count) => rows(null, count), spans: (way) => wholeSpan(way) };
}

/** The one span of pictures that need not be read. */
export async function* wholeSpan({ order, from }: Way): AsyncGenerator<Span> {
  yield { first: from, end: order.length };
}

/** ‖·‖² */
export function squaredNorm(values: Floats): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}

/** ‖W[l]‖ of parameters, or of a gradient laid out like them. */
export function weightsNorm(problem: Problem, parameters: Parameters, layer: number): number {
  if (layer === 0) return Math.sqrt(problem.firstSquaredNorm(parameters.layers[0]!.weights));
  return segmentNorm(parameters, parameters.segments.find((segment) => segment.decayed && segment.layer === layer)!);
}
