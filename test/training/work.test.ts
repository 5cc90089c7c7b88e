import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { durationOf, timesOfOneMore, workOf } from '../../src/training/work.ts';

/** The course's four-layer network on its 209 pictures. */
const course = (changes: readonly string[] = []): Config =>
  checkConfig(
    {
      data: { source: { type: 'folder', path: 'a' }, normalize: 'scale' },
      precision: 'float64',
      model: { layers: [{ units: 20 }, { units: 7 }, { units: 5 }] },
      training: { epochs: 2500, learningRate: 0.0075, evaluateEvery: 100 },
    },
    'test',
    changes,
  );
const pictures = { features: 12288, train: 209, dev: 0 };
const times = (set: readonly string[], config = course(), epochs = config.training.epochs) =>
  durationOf(config, set, pictures, epochs);
const augmented = ['data.augment.flipHorizontal=true', 'data.augment.shift=0.05'];

describe('a training with a remedy, beside the one without it', () => {
  // measured on the course's pictures, two cores: 3.6 s; with Adam 99 s; an epoch with augmentation takes 1.9 times one with Adam
  // (36.8 and 19.5 ms, medians of eight trainings each, by turns)
  test('what ends the dual form takes as much longer as it was seen to, within a factor of two', () => {
    const adam = times(['training.optimizer.name=adam', 'training.learningRate=auto']).timesAsLong!;
    expect(adam).toBeGreaterThan(27 / 2);
    expect(adam).toBeLessThan(27 * 2);
    const augmentation = times(augmented).timesAsLong!;
    expect(augmentation).toBeGreaterThan(51 / 2);
    expect(augmentation).toBeLessThan(51 * 2);
  });

  test.each<[string, string[], number, number]>([
    ['twice the epochs', ['training.epochs=5000'], 1.5, 2],
    ['L2', ['training.l2=0.5'], 1, 1],
    ['another rate', ['training.learningRate=0.001'], 1, 1],
    ['dropout', ['model.layers.0.keepProb=0.7'], 1, 1],
    ['centred inputs', ['data.normalize=standardizeChannels'], 1, 1],
    ['half the units', ['model.layers.0.units=10'], 0.5, 1],
    ['twice the units', ['model.layers.0.units=40'], 1, 2],
  ])('%s', (_, set, least, most) => {
    const { timesAsLong, affordable } = times(set);
    expect(timesAsLong).toBeGreaterThanOrEqual(least);
    expect(timesAsLong).toBeLessThanOrEqual(most);
    expect(affordable).toBeNull();
  });

  test('what changes no field takes nothing that could be told', () => {
    expect(times([])).toEqual({ timesAsLong: null, affordable: null });
  });

  test('more drawn pictures take as much longer', () => {
    const drawn = checkConfig(
      { data: { source: { type: 'drawn', count: 1000 } }, training: { epochs: 500, batchSize: 64 } },
      'test',
    );
    const { timesAsLong } = durationOf(drawn, ['data.source.count=2000'], { features: 12288, train: 600, dev: 200 }, 500);
    expect(timesAsLong).toBeGreaterThan(1.5);
    expect(timesAsLong).toBeLessThanOrEqual(2);
  });

  test('after early stopping it is held against the epochs that were trained', () => {
    const stopping = course(['training.earlyStopping={"patience":50}']);
    const patience = ['training.earlyStopping.patience=200'];
    const many = durationOf(stopping, patience, pictures, 1000).timesAsLong!;
    expect(many).toBeGreaterThan(1);
    expect(many).toBeLessThanOrEqual(1.15); // 1,150 epochs at most
    expect(durationOf(stopping, patience, pictures, 2500).timesAsLong).toBe(1); // there are no more
    expect(durationOf(stopping, ['training.l2=1'], pictures, 700).timesAsLong).toBe(1);
  });

  test('more minutes are more time', () => {
    const timed = course(['training.maxMinutes=5', 'training.epochs=1000000']);
    expect(durationOf(timed, ['training.maxMinutes=10'], pictures, 100_000).timesAsLong).toBeCloseTo(2, 0);
  });
});

// bench/work.mjs, AMD EPYC, Node 20: an epoch of one thread, beside one of 20 units on 200 pictures (3.88 ms); 72.4, 14.6 and 226 ms
describe('an epoch of convolutions takes as much longer as was seen, within a factor of two', () => {
  const conv = (filters: number, of = {}) => ({ type: 'conv', filters, batchNorm: true, ...of });
  const pool = { type: 'maxPool', size: 2 };
  const mean = { type: 'globalAveragePool' };
  const epoch = (layers: unknown[], { m, side, batchSize }: { m: number; side: number; batchSize: number | 'full' }) => {
    const data = { source: { type: 'drawn' }, imageSize: side };
    const config = checkConfig({ data, model: { layers }, training: { batchSize, form: 'direct' } }, 'test');
    const sizes = { features: side * side * 3, train: m, dev: 0 };
    return workOf(config, sizes, 2) - workOf(config, sizes, 1);
  };
  const dense = epoch([{ units: 20 }], { m: 200, side: 64, batchSize: 'full' });
  const seven = [
    conv(24, { kernel: 4, stride: 2 }),
    ...[conv(32), pool, conv(32), conv(64), pool, conv(64), conv(96), pool, conv(96), mean],
  ];
  test.each([
    ['of 8, 16 and 32 filters', [conv(8), pool, conv(16), pool, conv(32), mean], { m: 128, side: 64, batchSize: 32 }, 18.7],
    ['of 16 filters on small pictures', [conv(16), mean], { m: 128, side: 32, batchSize: 32 }, 3.8],
    ['seven', seven, { m: 128, side: 64, batchSize: 64 }, 58],
  ])('%s', (_, layers, sizes, times) => {
    const counted = epoch(layers, sizes) / dense;
    expect(counted).toBeGreaterThan(times / 2);
    expect(counted).toBeLessThan(times * 2);
  });
});

test('one more training is not counted the inner products that others made', () => {
  const many = { features: 12288, train: 1200, dev: 400 };
  const adam = ['training.optimizer.name=adam', 'training.learningRate=auto'];
  const config = course(['training.epochs=200', 'training.evaluateEvery=1']);
  expect(timesOfOneMore(config, [], many)).toBe(1);
  expect(timesOfOneMore(config, ['training.epochs=400'], many)).toBeGreaterThan(1.7); // hardly anything else is left
  expect(durationOf(config, ['training.epochs=400'], many, 200).timesAsLong).toBeLessThan(1.5);
  expect(timesOfOneMore(config, adam, many)).toBeGreaterThan(1.5 * durationOf(config, adam, many, 200).timesAsLong!);
});

describe('what takes a hundred times as long or more', () => {
  test('is made affordable by smaller batches for as many steps', () => {
    const noisy = [...augmented, 'data.augment.noise=0.02'];
    const { timesAsLong, affordable } = times(noisy);
    expect(timesAsLong).toBeGreaterThanOrEqual(100);
    expect(affordable!.set).toEqual(['training.batchSize=16', 'training.epochs=179']); // 14 batches an epoch: 2,506 steps
    expect(affordable!.timesAsLong).toBeLessThan(timesAsLong! / 5);
    expect(() => course([...noisy, ...affordable!.set])).not.toThrow();
  });

  test('where batches are small already, fewer epochs', () => {
    const small = course(['training.batchSize=16']);
    const { timesAsLong, affordable } = durationOf(
      small,
      [...augmented, 'data.augment.noise=0.1', 'training.epochs=250000'],
      pictures,
      2500,
    );
    expect(timesAsLong).toBeGreaterThanOrEqual(100);
    expect(affordable!.set).toEqual(['training.epochs=250']);
  });
});
