import type { Config } from '../../src/config/schema.ts';
import type { Augmentation } from '../../src/data/augment.ts';
import type { Examples } from '../../src/data/examples.ts';
import { loadExamples } from '../../src/data/load.ts';
import { normalizers } from '../../src/data/normalize.ts';
import { openSource } from '../../src/data/sources/sources.ts';
import { type PreparedData, prepareData } from '../../src/datasets/prepare.ts';
import type { Kernels } from '../../src/kernels/kernels.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import type { Layer, Network } from '../../src/nn/build.ts';
import { initialParameters } from '../../src/nn/network.ts';
import { namedRandom, numpyRandom } from '../../src/random.ts';
import { type EpochEvent, type FitOptions, fit } from '../../src/training/fit.ts';
import type { FitPart } from '../../src/training/trainable.ts';
import { noAugmentation } from '../data/pictures.ts';
import { dense } from '../nn/networks.ts';

export const kernels = kernelsFor('float64');

/** Byte pictures of noise, whose left half is a little brighter in the positive class.
 *  @param options.contrast  by how many bytes
 *  @param options.positives  share of the positive class */
export function noisePictures(
  m: number,
  {
    side = 4,
    seed = 1,
    contrast = 40,
    positives = 0.5,
  }: { side?: number; seed?: number; contrast?: number; positives?: number } = {},
): Examples {
  const random = namedRandom(seed, 'test pictures');
  const features = side * side * 3;
  const labels = Uint8Array.from({ length: m }, (_, i) => (i < Math.round(positives * m) ? 1 : 0));
  random.shuffle(labels);
  const pixels = new Uint8Array(m * features);
  for (let i = 0; i < pixels.length; i++) {
    const left = Math.floor((i % features) / 3) % side < side / 2;
    const bright = left && labels[Math.floor(i / features)] === 1 ? contrast : 0;
    pixels[i] = Math.max(0, Math.min(255, Math.round(110 + bright + 40 * random.normal())));
  }
  return named({ features, pixels, labels });
}

export function named({ features, pixels, labels }: Pick<Examples, 'features' | 'pixels' | 'labels'>): Examples {
  const names = Array.from(labels, (_, i) => `picture ${i}`);
  return { features, pixels, labels, names, hashes: names };
}

/** Drawn pictures, easy ones. */
export async function drawnPictures(count: number, imageSize: number): Promise<Examples> {
  const source = await openSource({ type: 'drawn', count, seed: 1, difficulty: 'easy' });
  const options = { preprocessing: { imageSize, fit: 'cover' }, positive: undefined, strict: true } as const;
  return (await loadExamples(source, options)).examples;
}

export function networkWith(inputs: number, hidden: readonly Layer[]): Network {
  return { inputs, layers: [...hidden, dense(1, { activation: 'sigmoid' })] };
}

type HeldPart = FitPart & { pixels: Uint8Array };
/** Of a training on pictures in memory. */
export type HeldOptions = Omit<FitOptions, 'train' | 'dev'> & { train: HeldPart; dev: HeldPart | null };

export type Wishes = Partial<Omit<HeldOptions, 'augmentation'>> & { hidden?: Layer[]; augmentation?: Partial<Augmentation> };

/** What `fit` takes, with what a test does not care about filled in: gradient descent with full batches on noise pictures. */
export function problem({ hidden = [], augmentation, ...wishes }: Wishes = {}): HeldOptions {
  const train = wishes.train ?? noisePictures(30);
  const inputs = train.pixels.length / train.labels.length;
  const network = wishes.network ?? networkWith(inputs, hidden);
  const own: Kernels = wishes.kernels ?? kernels;
  return {
    network,
    parameters: initialParameters(network, own, numpyRandom(wishes.seed ?? 1)),
    kernels: own,
    scaling: normalizers.scale.fit(train.pixels, inputs),
    train,
    dev: null,
    seed: 1,
    epochs: 5,
    batchSize: 'full',
    shuffle: 'auto',
    form: 'direct',
    loss: 'crossEntropy',
    classWeights: [1, 1],
    softTargets: null,
    optimizer: { name: 'gradientDescent' },
    learningRates: network.layers.map(() => 0.05),
    autoRate: 0.05,
    featureLearningRates: null,
    schedule: { name: 'none' },
    l2: 0,
    clipNorm: null,
    averageWeights: null,
    averageMirrored: false,
    mixup: 0,
    augmentation: { ...noAugmentation, ...augmentation },
    imageSize: Math.round(Math.sqrt(inputs / 3)),
    stages: [],
    earlyStopping: null,
    evaluateEvery: 1,
    maxMinutes: null,
    threshold: 0.5,
    ...wishes,
  };
}

/** Kernels of which some are replaced, also in their scopes. */
export function withFault(kernels: Kernels, fault: (whole: Kernels) => Partial<Kernels>): Kernels {
  const scope: Kernels['scope'] = () => {
    const own = kernels.scope();
    return { ...withFault(own, fault), release: own.release };
  };
  return { ...kernels, ...fault(kernels), scope };
}

/** The pictures of a config, which are all in memory. */
export interface HeldData extends PreparedData {
  splits: { train: Examples; dev?: Examples; test?: Examples };
}

export async function prepareHeld(config: Config): Promise<HeldData> {
  return (await prepareData({ config, folder: '.', file: 'test' }, { strict: true })) as HeldData;
}

/** Trains to the end; what happened in each epoch. */
export async function epochsOf(options: FitOptions): Promise<EpochEvent[]> {
  const events: EpochEvent[] = [];
  for await (const event of fit(options)) if (event.type === 'epoch') events.push(event);
  return events;
}
