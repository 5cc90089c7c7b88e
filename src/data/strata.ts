import type { Random } from '../random.ts';

/** The pictures of one label, in one group for each class that they have in their source.
 *  @param strata  (m)  those classes; null where they are what the labels say
 *  @returns ascending indices, the groups in the order of their classes */
export function groupsOf(labels: Uint8Array, strata: Uint32Array | null, label: number): Int32Array[] {
  const groups = new Map<number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== label) continue;
    const stratum = strata?.[i] ?? label;
    const group = groups.get(stratum);
    if (group) group.push(i);
    else groups.set(stratum, [i]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, members]) => Int32Array.from(members));
}

/**
 * How many of each group every part takes, so that each part holds the groups in the shares that they have in all: of the smallest
 * part first, rounded by largest remainder, equal ones by lot.
 * @param counts  that each part takes of all groups together; no more than there are
 * @param sizes   of the groups
 * @returns [part][group]
 */
export function apportion(counts: readonly number[], sizes: readonly number[], random: Random): number[][] {
  if (sizes.length === 1) return counts.map((count) => [count]);
  const left = [...sizes];
  const out: number[][] = counts.map(() => []);
  for (const part of [...counts.keys()].sort((a, b) => counts[a]! - counts[b]!)) {
    const total = left.reduce((sum, n) => sum + n, 0);
    const exact = left.map((n) => (n === 0 ? 0 : (counts[part]! * n) / total));
    const taken = exact.map(Math.floor);
    const missing = counts[part]! - taken.reduce((sum, n) => sum + n, 0);
    const byRemainder = Array.from(random.permutation(sizes.length))
      .filter((group) => taken[group]! < left[group]!)
      .sort((a, b) => exact[b]! - taken[b]! - (exact[a]! - taken[a]!));
    for (const group of byRemainder.slice(0, missing)) taken[group]!++;
    for (const [group, n] of taken.entries()) left[group]! -= n;
    out[part] = taken;
  }
  return out;
}
