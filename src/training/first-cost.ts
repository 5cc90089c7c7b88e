/** The cost of answering 0.5 for every picture. */
const guessing = Math.LN2;
/** How many times that a first cost may be: cautious first weights of all initialisers stay near it. */
const usual = 10;

/** What a cost before the first step says of the first weights; null where it is usual. */
export function startsFar(cost: number): string | null {
  if (cost <= usual * guessing) return null;
  return (
    `the cost starts at ${cost.toPrecision(4)}, where ${guessing.toFixed(2)} is that of guessing: the first weights are too large, ` +
    'and training begins by undoing them. Remedies: --set model.init=auto, --set data.normalize=scale'
  );
}
