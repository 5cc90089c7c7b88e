import type { DataSummary, Spread } from '../../results/inspection.ts';
import { partNames } from '../split.ts';
import type { PartOf } from './findings.ts';
import { classNameOf, type Survey } from './survey.ts';

/** @param survey  of at least one readable picture */
export function summarize(survey: Survey, partOf: PartOf): DataSummary {
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
