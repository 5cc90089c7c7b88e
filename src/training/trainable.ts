import { isStored, type Pixels } from '../data/pixels.ts';
import { bytesInMemory, inMemory, type Samples, stored } from '../datasets/samples.ts';
import type { InputScaling, Kernels } from '../kernels/kernels.ts';
import type { Network } from '../nn/build.ts';
import { dualForm } from '../nn/input/dual.ts';
import { directForm, type Form, type InputForm } from '../nn/input/input-form.ts';
import type { ProductMemory } from '../nn/input/product-memory.ts';
import type { Parameters } from '../nn/network.ts';

/** What the loop trains: a network in the form of its first op, and the images that it is trained and evaluated on. */
export interface Trainable {
  form: InputForm;
  train: Samples;
  dev: Samples | null;
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
  products?: ProductMemory | undefined;
}

export function trainableOf(options: TrainableOptions & { form: Form }, kernels: Kernels): Trainable {
  const { scaling, train, dev } = options;
  if (options.form === 'dual') {
    const dual = dualForm({ ...options, train: held(train), dev: dev && held(dev) }, kernels);
    return { form: dual, train: inMemory(train.labels, dual.train), dev: dev && inMemory(dev.labels, dual.dev!) };
  }
  const split = ({ labels, pixels }: FitPart) =>
    isStored(pixels) ? stored(labels, pixels, scaling, kernels) : inMemory(labels, bytesInMemory(pixels, scaling, kernels));
  return { form: directForm(options, kernels), train: split(train), dev: dev && split(dev) };
}

/** The dual form needs all pictures at once: `prepareFit` has brought them into memory. */
function held({ labels, pixels }: FitPart): { labels: Uint8Array; pixels: Uint8Array } {
  if (isStored(pixels)) throw new Error('the dual form of pictures that are not in memory');
  return { labels, pixels };
}
