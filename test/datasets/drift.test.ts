import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import type { ExampleSet } from '../../src/data/examples.ts';
import {
  allocateStatistics,
  type ImageStatistic,
  imageStatisticNames,
  setStatistics,
} from '../../src/data/inspection/measure.ts';
import type { StoredPixels } from '../../src/data/pixels.ts';
import { stratifiedSplit } from '../../src/data/split.ts';
import { compareSplits, driftBounds, driftNotes, type SplitSample, sampleSplits, spreadRows } from '../../src/datasets/drift.ts';
import { prepareData } from '../../src/datasets/prepare.ts';
import { namedRandom, numpyRandom } from '../../src/random.ts';
import type { PartDifference } from '../../src/results/inspection.ts';
import { sharedData, withoutShared } from '../shared.ts';

const side = 8;
const features = side * side * 3;
const classes = { positive: 'cat', negative: 'noncat' };

/** Squares of noise about a colour of their own each. @param paint  changes a colour value, to plant a difference */
function pictures(m: number, seed: number, paint: (value: number, channel: number) => number = (value) => value): ExampleSet {
  const random = numpyRandom(seed);
  const pixels = new Uint8ClampedArray(m * features);
  for (let i = 0; i < m; i++) {
    const colour = [0, 1, 2].map(() => 90 + 60 * random.uniform());
    const contrast = 20 + 30 * random.uniform();
    for (let k = 0; k < features; k++) pixels[i * features + k] = paint(colour[k % 3]! + contrast * random.normal(), k % 3);
  }
  const labels = Uint8Array.from({ length: m }, (_, i) => i % 2);
  const names = Array.from({ length: m }, (_, i) => `${i}`);
  return { features, pixels: new Uint8Array(pixels.buffer), labels, names, hashes: names };
}

/** The same pictures where they are read in pieces. */
function stored(examples: ExampleSet): ExampleSet {
  const bytes = examples.pixels as Uint8Array;
  const over = (rows: Int32Array): StoredPixels => {
    const readNow = (wanted: Int32Array, out: Uint8Array) => {
      for (const [i, row] of wanted.entries())
        out.set(bytes.subarray(rows[row]! * features, (rows[row]! + 1) * features), i * features);
    };
    const read = async (wanted: Int32Array, out: Uint8Array) => readNow(wanted, out);
    const select = (wanted: Int32Array) => over(wanted.map((row) => rows[row]!));
    return { count: rows.length, features, budgetBytes: 7 * features, read, readNow, select };
  };
  return { ...examples, pixels: over(Int32Array.from(examples.labels.keys())) };
}

const compare = async (train: ExampleSet, test: ExampleSet, seed = 1) =>
  compareSplits(await sampleSplits({ train, test }, side, seed), classes);
const differing = (found: readonly PartDifference[]) => found.flatMap(({ what, differs }) => (differs ? [what] : []));

describe('parts that differ are told by what differs, and nothing else', () => {
  test.each<[string, (value: number, channel: number) => number, ImageStatistic[]]>([
    ['nothing', (value) => value, []],
    ['lighter pictures', (value) => value + 15, ['brightness']],
    ['redder pictures', (value, channel) => value + [15, -8, -8][channel]!, ['red']], // as light as before
    ['less blue', (value, channel) => value - (channel === 2 ? 20 : 0), ['blue']],
  ])('%s', async (_, paint, expected) => {
    expect(differing(await compare(pictures(300, 1), pictures(100, 2, paint)))).toEqual(expected);
  });

  test('more contrast', async () => {
    const stronger = pictures(100, 2);
    const bytes = stronger.pixels as Uint8Array;
    for (let i = 0; i < 100; i++) {
      const own = bytes.subarray(i * features, (i + 1) * features);
      for (let c = 0; c < 3; c++) {
        let mean = 0;
        for (let k = c; k < features; k += 3) mean += (3 * own[k]!) / features;
        for (let k = c; k < features; k += 3) own[k] = Math.max(0, Math.min(255, mean + 1.4 * (own[k]! - mean)));
      }
    }
    expect(differing(await compare(pictures(300, 1), stronger))).toEqual(['contrast']);
  });

  test('blurred pictures', async () => {
    const blurred = pictures(100, 2);
    const bytes = blurred.pixels as Uint8Array;
    const sharp = bytes.slice();
    // each pixel with its right neighbour
    for (let p = 0; p + 3 < bytes.length; p++) if (p % (side * 3) < (side - 1) * 3) bytes[p] = (sharp[p]! + sharp[p + 3]!) / 2;
    expect(differing(await compare(pictures(300, 1), blurred))).toContain('sharpness');
  });

  test('shares of the classes', async () => {
    const few = pictures(100, 2);
    const found = await compare(pictures(300, 1), { ...few, labels: few.labels.map((_, i) => (i < 20 ? 1 : 0)) });
    expect(differing(found)).toEqual(['class']);
    expect(driftNotes(found)).toEqual([
      expect.stringMatching(/^data: train and test differ more than chance explains: 50\.0% of train are cat, 20\.0% of test\. /),
    ]);
  });
});

describe('chance and size are both asked for', () => {
  const seen = (part: SplitSample['split'], positive: number, total: number): SplitSample => ({
    split: part,
    positive,
    total,
    statistics: allocateStatistics(0),
  });
  const ofClasses = (a: [number, number], b: [number, number]) =>
    compareSplits([seen('train', ...a), { ...seen('test', ...b), total: b[1] }], classes)[0]!;

  test.each<[string, [number, number], [number, number], boolean]>([
    ['a trifle that is certain, of a million', [500_000, 1_000_000], [104_000, 200_000], false],
    ['as much as the bound, of a million', [500_000, 1_000_000], [110_000, 200_000], true],
    ['much, of ten', [5, 10], [9, 10], false],
    ["the course's", [72, 209], [33, 50], true],
  ])('%s', (_, a, b, expected) => {
    const found = ofClasses(a, b);
    expect(found.differs).toBe(expected);
  });

  test('a million pictures that are lighter by a trifle', () => {
    const random = numpyRandom(3);
    const shifted = (part: SplitSample['split'], by: number): SplitSample => {
      const squares = allocateStatistics(20_000);
      for (const name of imageStatisticNames) squares[name] = squares[name].map(() => random.normal() + by);
      return { ...seen(part, 10_000, 20_000), statistics: squares };
    };
    const found = compareSplits([shifted('train', 0), shifted('test', 0.2)], classes).filter(({ what }) => what !== 'class');
    expect(Math.max(...found.map(({ chance }) => chance))).toBeLessThan(1e-20);
    expect(differing(found)).toEqual([]);
    expect(differing(compareSplits([shifted('train', 0), shifted('test', 0.4)], classes))).toEqual([...imageStatisticNames]);
  });

  test('every further test makes chance likelier', () => {
    const three = [seen('train', 50, 100), seen('dev', 20, 100), seen('test', 50, 100)];
    const found = compareSplits(three, classes);
    expect(found.filter(({ what }) => what === 'class').map(({ parts }) => parts.join())).toEqual([
      'train,dev',
      'train,test',
      'dev,test',
    ]);
    const [first] = found;
    const alone = compareSplits([three[0]!, three[1]!], classes)[0]!;
    expect(first!.chance / alone.chance).toBeCloseTo(3, 9);
  });

  test('parts of fewer pictures than the t test needs are compared by class alone', async () => {
    const found = await compare(
      pictures(driftBounds.leastImages - 1, 1),
      pictures(300, 2, (value) => value + 60),
    );
    expect(found.map(({ what }) => what)).toEqual(['class']);
  });
});

describe('false alarms', () => {
  test('a stratified split of one collection has none, with 300 seeds', () => {
    const m = 240;
    const all = pictures(m, 7);
    const columns = allocateStatistics(m);
    for (let i = 0; i < m; i++)
      setStatistics(columns, i, (all.pixels as Uint8Array).subarray(i * features, (i + 1) * features), side);
    const alarms = Array.from({ length: 300 }, (_, seed) => {
      const indices = stratifiedSplit(all.labels, 'auto', namedRandom(seed, 'split'));
      const seen = (['train', 'dev', 'test'] as const).map((part): SplitSample => {
        const squares = allocateStatistics(indices[part].length);
        for (const name of imageStatisticNames) squares[name].set(Float32Array.from(indices[part], (i) => columns[name][i]!));
        const positive = indices[part].filter((i) => all.labels[i] === 1).length;
        return { split: part, positive, total: indices[part].length, statistics: squares };
      });
      return driftNotes(compareSplits(seen, classes)).length;
    });
    // one in a thousand is what the bound allows of each
    expect(alarms.filter((count) => count > 0).length).toBeLessThanOrEqual(2);
  });
});

describe('the pictures that are looked at', () => {
  test('are the same in memory and streamed, and few', async () => {
    const [train, test] = [pictures(driftBounds.mostImages + 500, 1), pictures(90, 2)];
    const inMemory = await sampleSplits({ train, test }, side, 4);
    expect(await sampleSplits({ train: stored(train), test: stored(test) }, side, 4)).toEqual(inMemory);
    expect(inMemory.map(({ statistics: squares }) => squares.brightness.length)).toEqual([driftBounds.mostImages, 90]);
    expect(inMemory.map(({ total, positive }) => [total, positive])).toEqual([
      [1500, 750],
      [90, 45],
    ]);
  });

  test('are spread over the part, each once, by the seed', () => {
    const m = 2_345_678;
    const rows = spreadRows(m, 'train', 1);
    expect(rows.every((row, i) => i === 0 || row > rows[i - 1]!)).toBe(true);
    for (const [i, row] of rows.entries()) expect(Math.floor((row * rows.length) / m)).toBeGreaterThanOrEqual(i - 1);
    expect(rows).not.toEqual(spreadRows(m, 'train', 2));
    expect([...spreadRows(5, 'dev', 1)]).toEqual([0, 1, 2, 3, 4]);
  });

  test('of one part alone are none', async () => {
    expect(await sampleSplits({ train: pictures(10, 1) }, side, 1)).toEqual([]);
  });
});

describe.skipIf(sharedData === null)(`the course's files (${withoutShared})`, () => {
  const at = (part: string) => ({ type: 'hdf5', path: `${sharedData}/course-catvnoncat/${part}_catvnoncat.h5` });
  const notes = async (data: object, seed: number) => {
    const config = checkConfig({ seed, data: { imageSize: 64, ...data } }, 'test');
    return (await prepareData({ config, folder: '/', file: 'test' }, { strict: true })).notes;
  };

  test('differ in their cats: 34% in train, 66% in test', async () => {
    expect(await notes({ train: at('train'), test: at('test') }, 1)).toContainEqual(
      expect.stringMatching(/^data: train and test differ .*34\.4% of train are cat, 66\.0% of test\./),
    );
  });

  test('of which one is split do not', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const found = await notes({ source: at('train') }, seed);
      expect(found.filter((note) => note.includes('differ'))).toEqual([]);
    }
  });
});
