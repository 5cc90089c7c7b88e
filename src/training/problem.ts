import { isStored, type Pixels } from '../data/pixels.ts';
import type { Batch, Floats, InputScaling, Kernels } from '../kernels/kernels.ts';
import { type Network, type Parameters, parametersOver } from '../model/network.ts';
import { segmentNorm } from './divergence.ts';
import { readPart } from './read-part.ts';

/** What the loop trains: a network over inputs, in whatever form its first layer has (form.ts). */
export interface Trainable {
  kernels: Kernels;
  network: Network;
  /** what the optimizer moves; a checkpoint and "the best epoch" keep these */
  parameters: Parameters;
  train: TrainableSplit;
  dev: TrainableSplit | null;
  /** ‖C·V‖² of coefficients laid out like the first layer's: of W1, of its gradient, of an update. */
  firstSquaredNorm(coefficients: Floats): number;
  /** Brings the weights that the caller gave up to date with `parameters`. */
  write(): void;
}

export interface TrainableSplit {
  labels: Uint8Array;
  /** The pictures at `indices`, or the first `count`; where they are read, those of the present span alone, and `indices` is a
   *  piece of the way's order itself. */
  batch(indices: Int32Array | null, count: number): Batch;
  /** The first `count` pictures, whatever the present span: for a try. */
  first(count: number): Batch;
  /** An epoch's way in spans: while one lasts, `rows` finds its pictures. Where they are read, the next span is on its way. */
  windows(way: SampleOrder): AsyncIterable<Window>;
}

/** In which order pictures are wanted. */
export interface SampleOrder {
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
export interface Window {
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
export interface TrainableOptions {
  network: Network;
  parameters: Parameters;
  scaling: InputScaling;
  train: FitPart;
  dev: FitPart | null;
}

/** The network over the pixels, on a copy of its parameters where the kernels need not copy them at every call. */
export function directTrainable({ network, parameters, scaling, train, dev }: TrainableOptions, kernels: Kernels): Trainable {
  const part = (of: FitPart) =>
    isStored(of.pixels)
      ? readPart(of.labels, of.pixels, scaling, kernels)
      : inMemorySplit(of.labels, of.pixels, scaling, kernels);
  const own = parametersOver(network, kernels.allocate(parameters.values.length));
  own.values.set(parameters.values);
  const write = () => parameters.values.set(own.values);
  return { kernels, network, parameters: own, train: part(train), dev: dev && part(dev), firstSquaredNorm: squaredNorm, write };
}

/** Pictures in memory, which the kernels read without copying where there is room. */
function inMemorySplit(labels: Uint8Array, pixels: Uint8Array, scaling: InputScaling, kernels: Kernels): TrainableSplit {
  const features = scaling.scale.length;
  const bytes = kernels.pin(pixels);
  const rows = (indices: Int32Array | null, count: number) =>
    ({ kind: 'bytes', bytes, indices, count, features, scaling }) as const;
  return { labels, batch: rows, first: (count) => rows(null, count), windows: (way) => oneWindow(way) };
}

/** The one span of pictures that need not be read. */
export async function* oneWindow({ order, from }: SampleOrder): AsyncGenerator<Window> {
  yield { first: from, end: order.length };
}

/** ‖·‖² */
export function squaredNorm(values: Floats): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}

/** ‖W[l]‖ of parameters, or of a gradient laid out like them. */
export function weightsNorm(problem: Trainable, parameters: Parameters, layer: number): number {
  if (layer === 0) return Math.sqrt(problem.firstSquaredNorm(parameters.layers[0]!.weights));
  return segmentNorm(parameters, parameters.specs.find((segment) => segment.decayed && segment.layer === layer)!);
}
