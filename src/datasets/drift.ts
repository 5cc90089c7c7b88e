import type { Classes } from '../data/classes.ts';
import { countPositive, type ExampleSet } from '../data/examples.ts';
import {
  allocateStatistics,
  imageStatisticNames,
  imageStatistics,
  type StatisticColumns,
  setStatistics,
} from '../data/inspection/measure.ts';
import { fewImages, isStored, pixelBlocks } from '../data/pixels.ts';
import { type SplitName, splitNames } from '../data/split.ts';
import { deviationsApart, fisherExact, type Share, sampleOf, welchTest } from '../evaluation/statistics.ts';
import { namedRandom } from '../random.ts';
import type { PartDifference } from '../results/inspection.ts';

/** When two parts differ: chance must hardly explain it, and it must be large enough to matter, since of a million pictures
 *  every trifle is certain. Both are asked for. Nothing is learnt from dev or test: this only warns. */
export const driftBounds = {
  /** Chance explains a difference with a probability below this, times the number of tests (Bonferroni). Of a thousand
   *  divisions of one collection by chance, one may be called different; the bounds below make it fewer. */
  chance: 0.001,
  /** By so much the shares of a class differ. The course's parts are 0.32 apart; below 0.05 the accuracy of always answering the
   *  larger class moves by less than the interval of an accuracy on 400 pictures is wide. */
  share: 0.05,
  /** By so many standard deviations the means of a measure differ. Cohen calls 0.2 small and 0.5 medium; docs/differences.md has
   *  what collections of photographs are apart. */
  deviations: 0.3,
  /** With fewer pictures in a part the t test relies on their distribution; classes are still compared, exactly. */
  leastImages: 20,
  /** Of a part so many pictures are measured, spread over all of it. With 1,000, means 0.3 deviations apart are 6.7 standard errors
   *  apart, so more would find nothing else; and packed pictures need not be read twice. */
  mostImages: 1000,
} as const;

/** What is known of a part. */
export interface SplitSample extends Share {
  split: SplitName;
  /** of some of its pictures */
  statistics: StatisticColumns;
}

/** Every two parts in everything that is compared. */
export function compareSplits(samples: readonly SplitSample[], classes: Classes): PartDifference[] {
  const pairs = samples.flatMap((a, i) => samples.slice(i + 1).map((b) => [a, b] as const));
  const compared = pairs.flatMap(([a, b]) => [compareClasses(a, b, classes), ...compareStatistics(a, b)]);
  return compared.map((one) => {
    const chance = Math.min(1, one.chance * compared.length);
    const least = one.what === 'class' ? driftBounds.share : driftBounds.deviations;
    return { ...one, chance, differs: chance < driftBounds.chance && one.size >= least };
  });
}

type Compared = Omit<PartDifference, 'differs'>;

function compareClasses(a: SplitSample, b: SplitSample, { positive }: Classes): Compared {
  const values: [number, number] = [a.positive / a.total, b.positive / b.total];
  const size = Math.abs(values[0] - values[1]);
  return { parts: [a.split, b.split], what: 'class', title: positive, values, size, chance: fisherExact(a, b) };
}

function compareStatistics(a: SplitSample, b: SplitSample): Compared[] {
  if (Math.min(a.total, b.total) < driftBounds.leastImages) return [];
  return imageStatisticNames.map((what) => {
    const [x, y] = [sampleOf(a.statistics[what]), sampleOf(b.statistics[what])];
    const values: [number, number] = [x.mean, y.mean];
    const { title } = imageStatistics[what];
    return { parts: [a.split, b.split], what, title, values, size: deviationsApart(x, y), chance: welchTest(x, y) };
  });
}

/** A sentence for every two parts that differ, as a warning. */
export function driftNotes(found: readonly PartDifference[]): string[] {
  const pairs = new Map<string, PartDifference[]>();
  for (const one of found) if (one.differs) pairs.set(one.parts.join(), [...(pairs.get(one.parts.join()) ?? []), one]);
  return [...pairs.values()].map((differences) => {
    const [a, b] = differences[0]!.parts;
    const told = differences.map(({ what, title, values, size }) =>
      what === 'class'
        ? `${percent(values[0])} of ${a} are ${title}, ${percent(values[1])} of ${b}`
        : `${title} ${values[0].toFixed(1)} in ${a}, ${values[1].toFixed(1)} in ${b} (${size.toFixed(1)} standard deviations)`,
    );
    return `data: ${a} and ${b} differ more than chance explains: ${told.join('; ')}. ${advice}`;
  });
}

const advice =
  'What holds for the one need not hold for the other: put the pictures together as data.source and let data.split divide them, if you can';

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

/** The parts of a training, each seen by some of its pictures: the same in memory and streamed.
 *  @param side  of the squares, in pixels */
export async function sampleSplits(
  parts: Partial<Record<SplitName, ExampleSet>>,
  side: number,
  seed: number,
): Promise<SplitSample[]> {
  const present = splitNames.flatMap((split) => (parts[split] === undefined ? [] : [{ split, examples: parts[split] }]));
  if (present.length < 2) return [];
  const samples: SplitSample[] = [];
  for (const { split, examples } of present) {
    const { labels, pixels, features } = examples;
    const rows = spreadRows(labels.length, split, seed);
    const statistics = allocateStatistics(rows.length);
    let at = 0;
    const chosen = isStored(pixels) ? pixels.select(rows) : fewImages(pixels, rows, features);
    for await (const { bytes, count } of pixelBlocks(chosen, features))
      for (let i = 0; i < count; i++) setStatistics(statistics, at++, bytes.subarray(i * features, (i + 1) * features), side);
    samples.push({ split, total: labels.length, positive: countPositive(labels), statistics });
  }
  return samples;
}

/** Which pictures of a part are looked at: one by chance of every stretch of equal length, ascending. */
export function spreadRows(m: number, split: SplitName, seed: number): Int32Array {
  const count = Math.min(m, driftBounds.mostImages);
  const random = namedRandom(seed, `differences ${split}`);
  return Int32Array.from({ length: count }, (_, i) => {
    const [from, to] = [Math.floor((i * m) / count), Math.floor(((i + 1) * m) / count)];
    return from + random.integer(to - from - 1);
  });
}
