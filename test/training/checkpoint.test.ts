import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { type Checkpoint, inputDigests, packCheckpoint, unpackCheckpoint } from '../../src/training/checkpoint.ts';
import { noisePictures } from './problems.ts';

const checkpoint: Checkpoint = {
  version: '1.2.3',
  config: { seed: 1 },
  marks: { split: 'a', pixels: 'b', startFrom: 'c', rateByFeature: 'd' },
  journalBytes: 321,
  seconds: 0.1 + 0.2,
  told: { costs: [0.1, 1e-300, 5], gradients: { looks: { dead: 2 }, told: ['exploding'] }, warnings: ['careful'] },
  folds: null,
  state: {
    progress: {
      form: 'dual',
      epoch: 3,
      steps: 17,
      sums: { cost: 1 / 3, l2Cost: 0, correct: 4, batches: 1, examples: 8 },
      seconds: 1,
      watch: { bound: 69.3, above: 0 },
      best: { bestEpoch: 2, leastCost: 0.1, improvedCost: null, improvedEpoch: 0 },
      average: { steps: 17 },
      ended: null,
    },
    buffers: { parameters: Float64Array.of(0.1, -0), good: Float64Array.of(1, 2), best: Float64Array.of(3, 4) },
  },
};

/** As it comes back from a file. */
function stored(one: Checkpoint) {
  const { content, tensors } = packCheckpoint(one);
  return { content: JSON.parse(JSON.stringify(content)), tensors };
}

describe('a checkpoint', () => {
  test('comes back as it was, to the bit', () => {
    expect(unpackCheckpoint(stored(checkpoint), 'file')).toEqual(checkpoint);
  });

  test('comes back with the folds that are done', () => {
    const metrics = { accuracy: 0.5 } as never;
    const folds = { folds: [{ fold: 0, metrics, epochs: 3, bestEpoch: 2 }], logits: Float64Array.of(0.1, 0, -3) };
    expect(unpackCheckpoint(stored({ ...checkpoint, folds }), 'file').folds).toEqual(folds);
  });

  test.each(['version', 'config', 'marks', 'journalBytes', 'seconds', 'told', 'folds', 'progress'])(
    'without %s, or with something else in its place, is refused',
    (field) => {
      const { content, tensors } = stored(checkpoint);
      for (const value of [undefined, -1, [[]], field === 'version' ? null : 'text']) {
        const refuse = () => unpackCheckpoint({ content: { ...content, [field]: value }, tensors }, 'file');
        expect(refuse).toThrow(UserError);
        expect(refuse).toThrow(/^file: expected a checkpoint's content/);
      }
    },
  );

  test.each(['form', 'epoch', 'steps', 'sums', 'seconds', 'watch', 'best', 'ended'])('without its %s is refused', (field) => {
    const { content, tensors } = stored(checkpoint);
    const { [field]: _, ...progress } = content.progress;
    expect(() => unpackCheckpoint({ content: { ...content, progress }, tensors }, 'file')).toThrow(UserError);
  });

  test.each(['train', 'dev', 'learningRate', 'layers', 'stopped'])('that has ended without its %s is refused', (field) => {
    const { content, tensors } = stored(checkpoint);
    const whole = { epoch: 3, cost: 1, l2Cost: 0, train: { accuracy: 1 }, dev: null, learningRate: 1, seconds: 1, layers: null };
    const ended = { ...whole, bestEpoch: 3, stopped: 'finished' };
    const unpack = (other: object) =>
      unpackCheckpoint({ content: { ...content, progress: { ...content.progress, ended: other } }, tensors }, 'x');
    expect(unpack(ended).state.progress.ended).toEqual(ended);
    expect(() => unpack({ ...ended, [field]: undefined })).toThrow(UserError);
  });

  test('nested thousands deep is refused', () => {
    const { content, tensors } = packCheckpoint(checkpoint);
    const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`) as object;
    for (const where of ['config', 'more']) {
      expect(() => unpackCheckpoint({ content: { ...content, [where]: deep }, tensors }, 'x')).toThrow(
        /expected a checkpoint's content/,
      );
    }
  });

  test('without its costs is refused', () => {
    const { content, tensors } = stored(checkpoint);
    const { costs: _, ...others } = tensors;
    expect(() => unpackCheckpoint({ content, tensors: others }, 'file')).toThrow(
      'file: costs: expected float64 numbers, found none',
    );
  });
});

describe('the marks of what a run is given', () => {
  const train = noisePictures(30);
  const marks = (change: object = {}, extras: object = {}, split = 'rows') =>
    inputDigests(split, { train: { ...train, ...change } }, extras);

  test('are the same for the same', () => {
    expect(marks({ pixels: train.pixels.slice() })).toEqual(marks());
  });

  test('tell what changed', () => {
    const pixels = train.pixels.slice();
    pixels[7]! ^= 1;
    const differing = (other: ReturnType<typeof marks>) =>
      Object.entries(marks()).flatMap(([key, value]) => (other[key as keyof typeof other] === value ? [] : [key]));
    expect(differing(marks({ pixels }))).toEqual(['pixels']);
    expect(differing(marks({}, { initialWeights: Float32Array.of(1) }))).toEqual(['startFrom']);
    expect(differing(marks({}, { featureLearningRates: Float64Array.of(1) }))).toEqual(['rateByFeature']);
    expect(differing(marks({}, {}, 'other rows'))).toEqual(['split']);
  });
});
