import { isStored, type Pixels } from '../data/pixels.ts';
import type { Batch, InputScaling, Kernels } from '../kernels/kernels.ts';
import type { Network } from '../nn/build.ts';
import { directForm } from '../nn/input/direct.ts';
import { dualForm } from '../nn/input/dual.ts';
import type { BatchOf, Form, InputForm } from '../nn/input/input-form.ts';
import type { Parameters } from '../nn/network.ts';
import { readPart } from './read-part.ts';

/** What the loop trains: a network in the form of its first op, and the images that it is trained and evaluated on. */
export interface Trainable {
  form: InputForm;
  train: TrainableSplit;
  dev: TrainableSplit | null;
}

export interface TrainableSplit {
  labels: Uint8Array;
  /** The pictures at `indices`, or the first `count`; where they are read, those of the present window alone, and `indices` is a
   *  piece of the order itself. */
  batch: BatchOf;
  /** The first `count` pictures, whatever the present window: for a try. */
  first(count: number): Batch;
  /** An epoch's order in windows: while one lasts, `batch` finds its pictures. Where they are read, the next window is on its way. */
  windows(order: SampleOrder): AsyncIterable<Window>;
}

/** In which order pictures are wanted. */
export interface SampleOrder {
  /** every example once */
  order: Int32Array;
  /** where a window may end, ascending, the last at the end: what lies between two of them is read well in one piece */
  ends: readonly number[];
  /** examples that are taken together; no window parts them */
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

/** What a trainable is made of. */
export interface TrainableOptions {
  network: Network;
  parameters: Parameters;
  scaling: InputScaling;
  train: FitPart;
  dev: FitPart | null;
}

export function trainableOf(options: TrainableOptions & { form: Form }, kernels: Kernels): Trainable {
  const { scaling, train, dev } = options;
  if (options.form === 'dual') {
    const dual = dualForm({ ...options, train: held(train), dev: dev && held(dev) }, kernels);
    return { form: dual, train: inMemory(train.labels, dual.train), dev: dev && inMemory(dev.labels, dual.dev!) };
  }
  const split = ({ labels, pixels }: FitPart) =>
    isStored(pixels) ? readPart(labels, pixels, scaling, kernels) : inMemory(labels, bytesIn(pixels, scaling, kernels));
  return { form: directForm(options, kernels), train: split(train), dev: dev && split(dev) };
}

/** The dual form needs all pictures at once: `prepareFit` has brought them into memory. */
function held({ labels, pixels }: FitPart): { labels: Uint8Array; pixels: Uint8Array } {
  if (isStored(pixels)) throw new Error('the dual form of pictures that are not in memory');
  return { labels, pixels };
}

function inMemory(labels: Uint8Array, batch: BatchOf): TrainableSplit {
  return { labels, batch, first: (count) => batch(null, count), windows: oneWindow };
}

/** The one window of pictures that need not be read. */
async function* oneWindow({ order, from }: SampleOrder): AsyncGenerator<Window> {
  yield { first: from, end: order.length };
}

/** Pictures in memory, which the kernels read without copying where there is room. */
function bytesIn(pixels: Uint8Array, scaling: InputScaling, kernels: Kernels): BatchOf {
  const features = scaling.scale.length;
  const bytes = kernels.pin(pixels);
  return (indices, count) => ({ kind: 'bytes', bytes, indices, count, features, scaling });
}
