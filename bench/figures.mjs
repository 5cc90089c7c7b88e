// The arithmetic of the table: pure functions, tested in test/bench/.

/** Median, least and most of some times; of an even number of times the middle of the two in the middle. */
export function spreadOf(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
  return { median, least: sorted[0], most: sorted[sorted.length - 1] };
}

/** The distance of two lists of numbers: the largest of each number's, as a share of the reference's, or the mean of all. */
export const distances = {
  relative: (found, wanted) => Math.max(...found.map((value, i) => Math.abs(value / wanted[i] - 1))),
  mean: (found, wanted) => found.reduce((sum, value, i) => sum + Math.abs(value - wanted[i]), 0) / found.length,
};

/**
 * How far a competitor's numbers may be from the reference's; `first` is how many of them a limit is for.
 * Decoders differ in their filters: by 3 levels of 255 on average at most. float32 is held to 0.2%; over a whole training, where
 * the rounding of the first weights alone moves the costs by a fifth in the end, the costs of iterations 0, 100 and 200 are, and
 * the others to 30%.
 */
export function allowed({ kind }, { exact }) {
  if (kind === 'decode') return [{ by: 'mean', limit: 3 }];
  if (exact) return [{ by: 'relative', limit: 1e-9 }];
  if (kind !== 'whole') return [{ by: 'relative', limit: 2e-3 }];
  return [
    { by: 'relative', limit: 2e-3, first: 3 },
    { by: 'relative', limit: 0.3 },
  ];
}

/** @returns null where `found` agrees with `wanted` within all limits, else a sentence */
export function disagreement(found, wanted, limits) {
  if (found.length !== wanted.length) return `gives ${found.length} numbers, not ${wanted.length}`;
  for (const { by, limit, first } of limits) {
    const [ours, theirs] = [found.slice(0, first), wanted.slice(0, first)];
    const distance = distances[by](ours, theirs);
    if (distance <= limit) continue; // not >: a distance that is no number disagrees
    const worst = ours.findIndex((value, i) => !(distances[by]([value], [theirs[i]]) <= limit));
    return `differs (${by}: ${distance.toPrecision(2)}, at most ${limit}): ${ours[worst]}, not ${theirs[worst]}`;
  }
  return null;
}

/** Gigabytes a second. */
export const rateOf = (bytes, ms) => bytes / ms / 1e6;
