import { type PartName, partNames } from '../split.ts';
import type { PartOf } from './findings.ts';
import { classNameOf, type Survey } from './survey.ts';

/** What a data set is, in numbers. */
export interface Summary {
  total: number;
  readable: number;
  /** of the readable pictures, by class */
  classes: Record<string, number>;
  /** of each part, by class; null where the data has no parts */
  parts: Partial<Record<PartName, Record<string, number>>> | null;
  /** pixels of the originals, as they are shown */
  width: Spread;
  height: Spread;
  /** different sizes */
  sizes: number;
  /** of the files */
  bytes: Spread;
  formats: Record<string, number>;
  /** pictures that are turned or mirrored by their EXIF orientation */
  turned: number;
}

export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** @param survey  of at least one readable picture */
export function summarize(survey: Survey, partOf: PartOf): Summary {
  const { sources, sourceOf, indexOf, count, widths, heights, formats, formatNames, turned } = survey;
  const all = Array.from(Array(count).keys());
  const names = [survey.classes.positive, ...sources.flatMap(({ source }) => source.classes)];
  const byClass = (indices: readonly number[]) => {
    const counts = new Map(names.map((name) => [name, 0]));
    for (const i of indices) {
      const name = classNameOf(sources[sourceOf[i]!]!, indexOf[i]!);
      counts.set(name, counts.get(name)! + 1);
    }
    return Object.fromEntries(counts);
  };
  const parts = partNames.flatMap((part) => {
    const members = all.filter((i) => partOf(i) === part);
    return members.length > 0 ? [[part, byClass(members)] as const] : [];
  });
  return {
    total: count + survey.unreadable.length,
    readable: count,
    classes: byClass(all),
    parts: parts.length > 0 ? Object.fromEntries(parts) : null,
    width: spreadOf(widths.subarray(0, count)),
    height: spreadOf(heights.subarray(0, count)),
    sizes: new Set(all.map((i) => widths[i]! * 2 ** 26 + heights[i]!)).size,
    bytes: spreadOf(survey.bytes.subarray(0, count)),
    formats: Object.fromEntries(formatNames.map((name, f) => [name, all.filter((i) => formats[i] === f).length])),
    turned: all.filter((i) => turned[i] === 1).length,
  };
}

/** The median of an even number is the lower of the two in the middle: a size that there is. */
function spreadOf(values: Uint32Array): Spread {
  const sorted = values.toSorted();
  return { min: sorted[0]!, median: sorted[Math.floor((sorted.length - 1) / 2)]!, max: sorted[sorted.length - 1]! };
}
