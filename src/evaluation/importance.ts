import { namedRandom } from '../random.ts';

/** How much one parameter of a search decides by itself. */

/** What one parameter had in each trial: a number, or one of some choices. */
export interface SearchedParameter {
  name: string;
  kind: 'number' | 'choice';
  /** of each trial; choices as text */
  values: readonly (number | string)[];
}

export interface Importance {
  name: string;
  /** 0 to 1: the share of the variance of ranks, less what chance explains on average */
  share: number;
  /** the probability that chance explains as much, times the number of parameters, 1 at most */
  chance: number;
}

/** With fewer trials, groups are so small that chance explains a third of the variance and more. */
export const leastTrials = 20;
/** Of chance, below which a parameter is called important. */
export const certainBelow = 0.05;
const leastOfGroup = 5;
const mostGroups = 8;
const shuffles = 2000;

/** The share of the variance of the trials' ranks that groups of one parameter's values explain: 1 − (1 − η²)(n − 1)/(n − k), η² = Σ nᵢ (r̄ᵢ − r̄)² / Σ (r − r̄)².
 *  Numbers are grouped by quantiles, so that a best value in the middle counts as much as a slope; choices each by themselves. Ranks, since costs
 *  of trials that fail are far out or none. How often ranks that are shuffled explain as much says what is chance.
 *  @param costs  of each trial, the less the better; a failed one has infinity
 *  @returns null with fewer than `leastTrials`
 *  @see Fisher 1925, correlation ratio; Ezekiel 1930, its correction; Bonferroni for the number of parameters */
export function parameterImportance(costs: readonly number[], parameters: readonly SearchedParameter[]): Importance[] | null {
  const n = costs.length;
  if (n < leastTrials) return null;
  const ranks = ranksOf(costs);
  return parameters.map((parameter) => {
    const groups = groupsOf(parameter);
    const found = varianceShare(ranks, groups);
    const random = namedRandom(0, `importance ${parameter.name}`);
    const shuffled = Float64Array.from(ranks);
    let asMuch = 1; // what was found is one of all orders
    for (let i = 0; i < shuffles; i++) if (varianceShare(random.shuffle(shuffled), groups) >= found - 1e-12) asMuch++;
    const k = new Set(groups).size;
    const adjusted = k < n ? 1 - ((1 - found) * (n - 1)) / (n - k) : 0;
    return {
      name: parameter.name,
      share: Math.max(0, adjusted),
      chance: Math.min(1, (asMuch / (shuffles + 1)) * parameters.length),
    };
  });
}

/** From 0; equal values share the mean of their places. */
export function ranksOf(values: readonly number[]): Float64Array {
  const order = Array.from(values.keys()).sort((a, b) => (values[a] === values[b] ? 0 : values[a]! < values[b]! ? -1 : 1));
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to + 1 < order.length && values[order[to + 1]!] === values[order[from]!]) to++;
    for (let i = from; i <= to; i++) ranks[order[i]!] = (from + to) / 2;
    from = to + 1;
  }
  return ranks;
}

/** The group of each trial, from 0. Equal numbers stand in one group. */
function groupsOf({ kind, values }: SearchedParameter): number[] {
  const distinct = [...new Set(values)];
  const most = Math.min(mostGroups, Math.floor(values.length / leastOfGroup));
  if (kind === 'choice' || distinct.length <= most) return values.map((value) => distinct.indexOf(value));
  const places = ranksOf(values as readonly number[]);
  return Array.from(places, (place) => Math.floor(((place + 0.5) / values.length) * most));
}

/** η²: 0 where all values are equal. */
function varianceShare(values: Float64Array, groups: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const sums = new Map<number, { sum: number; n: number }>();
  let total = 0;
  for (const [i, value] of values.entries()) {
    const own = sums.get(groups[i]!) ?? { sum: 0, n: 0 };
    sums.set(groups[i]!, { sum: own.sum + value - mean, n: own.n + 1 });
    total += (value - mean) ** 2;
  }
  const between = [...sums.values()].reduce((sum, own) => sum + own.sum ** 2 / own.n, 0);
  return total === 0 ? 0 : between / total;
}
