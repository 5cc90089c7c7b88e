import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { planTraining } from '../../src/training/plan.ts';
import { choiceWarnings, leastToChooseBy } from '../../src/training/plan-warnings.ts';
import { kernels, noisePictures } from './problems.ts';

const planOf = (m: number, { layers, ...rest }: { layers: object[]; [field: string]: unknown }) => {
  const { init, ...training } = rest;
  const config = checkConfig(
    { data: { source: { type: 'drawn' }, imageSize: 4 }, model: { layers, ...(init ? { init } : {}) }, training },
    'test',
  );
  return planTraining(config, { train: noisePictures(m) }, kernels);
};
const normed = { units: 4, batchNorm: true };

describe('batch norm', () => {
  test('over one picture is refused by name', () => {
    const plan = () => planOf(50, { layers: [{ units: 4 }, normed], batchSize: 1 });
    expect(plan).toThrow(/training\.batchSize: expected 2 or more beside model\.layers\.1\.batchNorm, found 1: .*no variance/);
    expect(() => planOf(50, { layers: [{ units: 4 }], batchSize: 1 })).not.toThrow();
  });

  test.each<[number, number, RegExp | null]>([
    [50, 2, /batch norm over 2 pictures is mostly noise/],
    [50, 15, /batch norm over 15 pictures is mostly noise/],
    [10, 64, /batch norm over 10 pictures is mostly noise/], // all there are
    [49, 16, /the last of each epoch's batches of 16 holds one picture.*--set training\.batchSize=17$/],
    [61, 20, /the last of each epoch's batches of 20 holds one picture.*--set training\.batchSize=21$/],
    [241, 40, /the last .*--set training\.batchSize=41$/],
    [50, 16, null],
    [50, 50, null],
  ])('of %i pictures in batches of %i: %s', (m, batchSize, told) => {
    const { warnings } = planOf(m, { layers: [normed], batchSize, epochs: 100 });
    if (told === null) expect(warnings).toEqual([]);
    else expect(warnings).toEqual([expect.stringMatching(told)]);
  });

  test('the batch that is proposed leaves no single picture', () => {
    for (let m = 17; m < 300; m++) {
      for (let batchSize = 16; batchSize < m; batchSize++) {
        if (m % batchSize !== 1) continue;
        const { warnings } = planOf(m, { layers: [normed], batchSize, epochs: 100 });
        const proposed = Number(/batchSize=(\d+)$/.exec(warnings.join())![1]);
        expect(planOf(m, { layers: [normed], batchSize: proposed, epochs: 100 }).warnings).toEqual([]);
      }
    }
  });

  // 0.9^28 is 5.2%, 0.9^29 is 4.7%
  test('that took too few steps for its moving averages is told', () => {
    expect(planOf(50, { layers: [normed], batchSize: 'full', epochs: 10 }).warnings).toEqual([
      expect.stringMatching(/after 10 steps 35% of them is still what they began as: take 29 steps or more/),
    ]);
    expect(planOf(50, { layers: [normed], batchSize: 'full', epochs: 28 }).warnings).toHaveLength(1);
    expect(planOf(50, { layers: [normed], batchSize: 'full', epochs: 29 }).warnings).toEqual([]);
    expect(planOf(50, { layers: [normed], batchSize: 25, epochs: 15 }).warnings).toEqual([]);
    expect(planOf(50, { layers: [{ units: 4 }], batchSize: 'full', epochs: 1 }).warnings).toEqual([]);
  });
});

describe('choices by too few pictures', () => {
  const toldOf = (training: object, dev: [number, number] | null, split?: object) => {
    const config = checkConfig({ data: { source: { type: 'drawn' }, ...(split && { split }) }, training }, 'test');
    const of = ([positive, negative]: [number, number]) => ({ total: positive + negative, positive });
    return choiceWarnings(config, { train: of([6, 100]), dev: of(dev ?? [0, 0]) });
  };

  test('a threshold that is chosen on a dev part with few of a class', () => {
    const threshold = { threshold: 'balancedAccuracy' };
    const few =
      /training\.threshold: the one of best balancedAccuracy is chosen on dev, which has 1 picture of the smaller class: .*mostly chance.*folds/;
    expect(toldOf(threshold, [1, 60])).toEqual([expect.stringMatching(few)]);
    expect(toldOf(threshold, [60, 1])).toEqual([expect.stringMatching(few)]);
    expect(toldOf(threshold, [leastToChooseBy - 1, 60])[0]).toMatch(/has 19 pictures of the smaller class/);
    expect(toldOf(threshold, [leastToChooseBy, 60])).toEqual([]);
    expect(toldOf({ threshold: 0.3 }, [1, 60])).toEqual([]);
    expect(toldOf(threshold, null)).toEqual([]); // refused elsewhere
  });

  test('or on all folds together', () => {
    expect(toldOf({ threshold: 'f1' }, null, { folds: 3 })).toEqual([
      expect.stringMatching(
        /chosen on all folds together, which have 6 pictures of the smaller class: .*Take 20 or more of each class$/,
      ),
    ]);
  });

  test('early stopping by a dev part of few pictures', () => {
    const earlyStopping = { earlyStopping: { patience: 5 } };
    expect(toldOf(earlyStopping, [4, 4])).toEqual([
      expect.stringMatching(/training\.earlyStopping: .* dev, which has 8 pictures: /),
    ]);
    expect(toldOf(earlyStopping, [10, 10])).toEqual([]);
    expect(toldOf(earlyStopping, null, { folds: 3 })).toEqual([]);
  });
});

describe('units that start alike', () => {
  const told = (layers: object[], init?: unknown) => planOf(50, { layers, init }).warnings;

  test.each<[string, object[], unknown]>([
    ['zeros', [{ units: 4 }], 'zeros'],
    ['a factor of 0', [{ units: 4 }], { name: 'random', factor: 0 }],
    ['zeros in the second layer', [{ units: 4 }, { units: 3, init: 'zeros' }], 'auto'],
  ])('%s is told', (_, layers, init) => {
    expect(told(layers, init)).toEqual([expect.stringMatching(/starts with zeros: all its units stay alike/)]);
  });

  test('an output layer of zeros is sound: it is one unit, and hidden ones that differ move apart', () => {
    expect(told([{ units: 4, init: 'he' }], 'zeros')).toEqual([]);
    expect(told([], 'zeros')).toEqual([]);
    expect(told([{ units: 4 }], { name: 'random', factor: 1e-3 })).toEqual([]);
  });
});
