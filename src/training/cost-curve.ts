import { log } from '../elementary.ts';
import { type LossName, losses } from '../nn/losses.ts';
import { type RateScale, smallerRates } from './learning-rate.ts';

/** What the costs of a training's epochs say. All are costs as trained: with class weights, without L2. */

/** The pictures of each class, and what each counts in the cost. */
export interface Balance {
  loss: LossName;
  /** of the negative and of the positive class */
  counts: readonly [number, number];
  weights: readonly [number, number];
}

/** The mean cost of one probability for every picture. */
function costOfAnswer(p: number, { loss, counts: [negatives, positives], weights }: Balance): number {
  const z = log(p / (1 - p));
  const { value } = losses[loss];
  return (negatives * weights[0] * value(z, 0) + positives * weights[1] * value(z, 1)) / (negatives + positives);
}

/** The cost of guessing: ½ for every picture; ln 2 by cross-entropy without weights. */
export const guessingCost = (balance: Balance) => costOfAnswer(0.5, balance);

/** The unweighted cost of a network that sees nothing: the larger of those of ½ and of the one answer that training would come to,
 *  which weights may draw far from the share of positives. */
export function blindCost({ loss, counts, weights }: Balance): number {
  const plain: Balance = { loss, counts, weights: [1, 1] };
  const [negatives, positives] = [counts[0] * weights[0], counts[1] * weights[1]];
  const isMixed = negatives > 0 && positives > 0;
  return Math.max(guessingCost(plain), isMixed ? costOfAnswer(positives / (negatives + positives), plain) : 0);
}

/** How many times that of guessing a first cost may be. Cautious first weights of all initialisers stay near 1; cross-entropy has
 *  no bound, and squared error comes to twice that of guessing where half of all answers are wrong and certain. */
const usual: Record<LossName, number> = { crossEntropy: 10, squaredError: 1.6 };

/** What a cost before the first step says of the first weights; null where it is usual. */
export function startsFar(cost: number, balance: Balance): string | null {
  const guessing = guessingCost(balance);
  if (cost <= usual[balance.loss] * guessing) return null;
  return (
    `the cost starts at ${cost.toPrecision(4)}, where ${guessing.toPrecision(2)} is that of guessing: the first weights are too large, ` +
    'and training begins by undoing them. Remedies: --set model.init=auto, --set data.normalize=standardizeChannels'
  );
}

/** An epoch's cost that is so many times that of guessing is not of cautious first weights either. */
const leap: Record<LossName, number> = { crossEntropy: 3, squaredError: 1.6 };

/** Whether steps brought a cost far above that of guessing, and above its start where that was far.
 *  @param options.startedNear  whether the first weights answered about ½ */
export function leaptUp(costs: readonly number[], balance: Balance, { startedNear }: { startedNear: boolean }): boolean {
  const guessing = guessingCost(balance);
  const start = startedNear ? guessing : Math.max(guessing, costs[0] ?? guessing);
  return costs.some((cost) => cost > leap[balance.loss] * start);
}

/** Where a cost goes in the last half of a training: by more than chance explains, and by more than a hundredth. */
export type Trend = 'falling' | 'level' | 'rising';
const leastMove = 0.01;
const leastEpochs = 4;

/** @returns null of too few epochs to tell */
export function trendOf(costs: readonly number[]): Trend | null {
  if (costs.length < leastEpochs) return null;
  const half = lastHalf(costs);
  const middle = half.length >> 1;
  const [before, after] = [meanOf(half.slice(0, middle)), meanOf(half.slice(middle))];
  const chance = 2 * noiseOf(half) * Math.sqrt(1 / middle + 1 / (half.length - middle));
  const move = after - before;
  if (Math.abs(move) <= Math.max(chance, leastMove * before)) return 'level';
  return move < 0 ? 'falling' : 'rising';
}

/** How far a cost rises from an epoch to the next, in the last half: the root of the mean square, falls counting 0. */
export function risesOf(costs: readonly number[]): number {
  return costs.length < leastEpochs ? 0 : rootMeanSquare(steps(lastHalf(costs)).map((step) => Math.max(0, step)));
}

/** The deviation of costs from their trend, from the steps between neighbours. @see von Neumann 1941 */
const noiseOf = (costs: readonly number[]) => rootMeanSquare(steps(costs)) / Math.SQRT2;
const steps = (costs: readonly number[]) => costs.slice(1).map((cost, i) => cost - costs[i]!);
const rootMeanSquare = (values: readonly number[]) => Math.sqrt(meanOf(values.map((value) => value * value)));
const lastHalf = (costs: readonly number[]) => costs.slice(-Math.max(leastEpochs, Math.ceil(costs.length / 2)));
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** What looks at dev have shown: its least cost, and its last. */
export interface DevCourse {
  leastCost: number;
  leastEpoch: number;
  lastCost: number;
}

export function nextDevCourse(before: DevCourse | null, epoch: number, cost: number): DevCourse {
  const isLeast = before === null || cost < before.leastCost;
  return isLeast ? { leastCost: cost, leastEpoch: epoch, lastCost: cost } : { ...before, lastCost: cost };
}

/** A cost that turns this often, as a share of the epochs, goes up and down rather than down. */
const turningShare = 0.25;
/** Fewer turns than this tell nothing. */
const leastTurns = 10;

/** Says when the cost of full batches zigzags to the end, as it does where the learning rate is nearly too large; null
 *  where it does not, or no more: the course's own logistic regression zigzags for 300 epochs of 2,000. */
export function costOscillates(costs: readonly number[], rates: RateScale): string | null {
  const turns = turnsOf(costs);
  const half = costs.slice(Math.floor(costs.length / 2));
  if (turns < leastTurns || turns < turningShare * costs.length || turnsOf(half) < turningShare * half.length) return null;
  return (
    `the cost oscillates: it rose and fell again ${turns} times in ${costs.length} epochs. ` +
    `The learning rate ${rates.learningRates[0]} overshoots at times; a smaller one falls smoothly, though it may need more epochs: ` +
    `--set training.learningRate=${JSON.stringify(smallerRates(rates, 'oscillates'))}.`
  );
}

/** How often the cost rises and then falls. */
function turnsOf(costs: readonly number[]): number {
  let turns = 0;
  for (let i = 2; i < costs.length; i++) {
    const [before, middle, after] = [costs[i - 2]!, costs[i - 1]!, costs[i]!];
    if (middle > before && middle > after) turns++;
  }
  return turns;
}
