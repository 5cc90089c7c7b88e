import { ascending, batchOrder } from '../data/batches.ts';
import { exp } from '../elementary.ts';
import { weightedLayers } from '../nn/build.ts';
import type { Break } from '../results/summary.ts';
import { DivergedError } from './divergence.ts';
import { eventLoop } from './fit.ts';
import { type EpochTotals, type FitOptions, newTotals, type Training, withTraining } from './state.ts';
import { isSilent, trainStep } from './step.ts';

/** The range test: from a rate at which nothing moves to one at which everything breaks, so many to a decade. */
const lowestRate = 1e-10;
const decades = 12;
const highestRate = 100;
const perDecade = 12;
/** A cost is a mean over at least this many examples, so that small batches do not drown it in noise. */
const examplesEach = 64;
/** A cost is smoothed until the noise of those at which nothing moves is this share of them, by at most so many on either side. */
const noiseLeft = 0.02;
const mostSmoothing = 4;
/** Costs of the lowest rates, at which nothing moves: what they differ by is noise. */
const still = 2 * perDecade;
/** A short training came to the highest of so many last costs: one that jumps has not come to its lowest. */
const lastCosts = 5;
/** The test ends where the cost stands above its least by this share of its start. */
const blownUp = 0.5;
/** Costs at the end of the test that must all stand so high: one may be chance. */
const blownUpFor = 2;

/** Rates are tried in trainings of so many steps (each of at least `examplesEach` examples) … */
const trialSteps = 30;
/** … each this many times smaller than the one before … */
const trialFactor = 3;
/** … and one breaks off where a cost is above so many times that of no step: RMSprop and Adam may start with a leap that heals. */
const riseAllowed = 3;
/** No smaller rate is tried after so many that end above the best by this share of what the best fell. */
const givenUp = 0.1;
const worseNeeded = 2;
/** A cost that falls by a smaller share than this has not moved. */
const movedBy = 1e-4;

export type RateEvent = SweepEvent | TrialEvent | RateFound;

/** A step of the range test. Of per-layer rates `rate` is the largest; the others keep their share of it. */
export interface SweepEvent {
  type: 'sweep';
  rate: number;
  /** with L2's share, before the step */
  cost: number;
  done: number;
  total: number;
}

/** A step of a short training at one rate. */
export interface TrialEvent {
  type: 'trial';
  rate: number;
  done: number;
  total: number;
}

export interface Trial {
  rate: number;
  /** the highest of its last costs; null where it broke off */
  cost: number | null;
  broke: Break | null;
}

/** The last event. */
export interface RateFound {
  type: 'found';
  rates: number[];
  costs: number[];
  /** the costs with less of the noise of batches; the same where there is none */
  smoothed: number[];
  /** the rate of the range test at which it broke, and how; null where it did not */
  diverged: number | null;
  broke: Break | null;
  /** steps of a short training */
  steps: number;
  trials: Trial[];
  /** null where no rate brought the cost down calmly */
  proposed: number | null;
  /** the proposal, one a layer */
  learningRates: number[] | null;
}

/**
 * Finds a learning rate. First a range test: one training whose rate rises exponentially, until the cost blows up. It
 * flatters large rates, which it reaches when small ones have done the work; so trials decide. From three times the rate
 * at which it broke downwards, by factors of three, each rate trains for 30 steps from the first weights, on the same batches, until
 * two end clearly higher than the best. The one that ends lowest is proposed, of those below every rate that broke off and below
 * what a training comes to that does not move. The weights of `options` are put back at the end.
 * @see Smith 2017, "Cyclical learning rates for training neural networks", section 3.3
 */
export async function* findRate(options: FitOptions): AsyncGenerator<RateEvent> {
  const first = options.parameters.values.slice();
  const largest = Math.max(...options.learningRates);
  const shares = options.learningRates.map((rate) => rate / largest);
  const walk = (rates: readonly number[]) => {
    options.parameters.values.set(first);
    return withTraining({ ...options, dev: null, stages: [], schedule: { name: 'none' } }, (run) =>
      walkRates(run, rates, shares),
    );
  };
  try {
    const sweep = yield* sweepRates(walk);
    const still = (yield* tryRate(walk, lowestRate, Number.POSITIVE_INFINITY)).cost ?? Number.NaN;
    const trials = yield* tryRates(walk, sweep, still);
    const proposed = leastCost(trials, still)?.rate ?? null;
    const learningRates = proposed === null ? null : shares.map((share) => rounded(proposed * share));
    yield { type: 'found', ...sweep, trials, steps: trialSteps, proposed, learningRates };
  } finally {
    options.parameters.values.set(first);
  }
}

/** Yields the cost before each step, and whether a hidden layer gave 0 for all that it saw; it ends where numbers overflow. */
type Walk = (rates: readonly number[]) => AsyncGenerator<{ cost: number; dead: boolean }>;
type Sweep = Pick<RateFound, 'rates' | 'costs' | 'smoothed' | 'diverged' | 'broke'>;

/** The range test. */
async function* sweepRates(walk: Walk): AsyncGenerator<SweepEvent, Sweep> {
  const total = decades * perDecade + 1;
  const all = Array.from({ length: total }, (_, k) => rounded(lowestRate * exp((k * Math.LN10) / perDecade)));
  const costs: number[] = [];
  const sweep = (diverged: number | null, broke: Break | null): Sweep => {
    return { rates: all.slice(0, costs.length), costs, smoothed: smoothed(costs), diverged, broke };
  };
  let least = Number.POSITIVE_INFINITY;
  let above = 0;
  for await (const { cost, dead } of walk(all)) {
    if (dead) return sweep(all[costs.length]!, 'died');
    costs.push(cost);
    least = Math.min(least, cost);
    yield { type: 'sweep', rate: all[costs.length - 1]!, cost, done: costs.length, total };
    above = cost > least + blownUp * costs[0]! ? above + 1 : 0;
    if (above === blownUpFor) return sweep(all[costs.length - blownUpFor]!, 'rose');
  }
  return costs.length < total ? sweep(all[costs.length]!, 'overflowed') : sweep(null, null);
}

/** Short trainings, from above where the range test broke downwards, until some on end are clearly worse: where units died, a rate
 *  that is much too large may seem calm.
 *  @param still  what a training at which nothing moves comes to, on the same batches */
async function* tryRates(walk: Walk, { diverged }: Sweep, still: number): AsyncGenerator<TrialEvent, Trial[]> {
  const trials: Trial[] = [];
  let worse = 0;
  for (let rate = (diverged ?? highestRate) * trialFactor; rate > lowestRate && worse < worseNeeded; rate /= trialFactor) {
    const trial = yield* tryRate(walk, Number(rate.toPrecision(2)), still);
    trials.push(trial);
    const best = leastCost(trials, still);
    const isWorse = best && trial.cost !== null && trial.cost - best.cost > givenUp * (still - best.cost);
    worse = isWorse ? worse + 1 : 0;
  }
  return trials;
}

async function* tryRate(walk: Walk, rate: number, still: number): AsyncGenerator<TrialEvent, Trial> {
  const costs: number[] = [];
  for await (const { cost, dead } of walk(new Array<number>(trialSteps).fill(rate))) {
    if (dead) return { rate, cost: null, broke: 'died' };
    if (cost > riseAllowed * still) return { rate, cost: null, broke: 'rose' };
    costs.push(cost);
    yield { type: 'trial', rate, done: costs.length, total: trialSteps };
  }
  if (costs.length < trialSteps) return { rate, cost: null, broke: 'overflowed' };
  return { rate, cost: Math.max(...costs.slice(-lastCosts)), broke: null };
}

/** The trial that ends lowest, of those that brought the cost down; none counts where a smaller rate broke off. */
function leastCost(trials: readonly Trial[], still: number): { rate: number; cost: number } | undefined {
  let best: { rate: number; cost: number } | undefined;
  for (const { rate, cost } of trials) {
    if (cost === null) best = undefined;
    else if (cost < (best?.cost ?? still * (1 - movedBy))) best = { rate, cost };
  }
  return best;
}

/** Trains at one rate after the other, each for `examplesEach` examples or more. */
async function* walkRates(run: Training, rates: readonly number[], shares: readonly number[]): ReturnType<Walk> {
  const { options } = run;
  const wanted = Math.min(examplesEach, options.train.labels.length);
  const batches = endlessBatches(run);
  const loop = eventLoop();
  try {
    for (const rate of rates) {
      run.options = { ...run.options, learningRates: shares.map((share) => rate * share) };
      const sums: EpochTotals = newTotals();
      const silent = new Set(ascending(weightedLayers(run.options.network).length - 1)); // hidden layers that gave 0 for all so far
      while (sums.examples < wanted) {
        const { indices, epoch } = (await batches.next()).value;
        if (!tookStep(() => trainStep(run, indices, { epoch, norms: false }, sums))) return;
        for (const layer of silent) if (!isSilent(run, layer)) silent.delete(layer);
        if (loop.isDue()) await loop.turn();
      }
      yield { cost: sums.cost / sums.examples + sums.l2Cost / sums.batches, dead: silent.size > 0 };
    }
  } finally {
    await batches.return(undefined as never);
  }
}

/** Whether a step went well; false where training diverged in it. */
function tookStep(step: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    if (error instanceof DivergedError) return false;
    throw error;
  }
}

async function* endlessBatches({
  trainable,
  batchLength: batch,
  options,
}: Training): AsyncGenerator<{ indices: Int32Array; epoch: number }, never> {
  const { seed, shuffle } = options;
  const m = trainable.train.labels.length;
  for (let epoch = 1; ; epoch++) {
    const { order, ends } = batchOrder(m, batch, { shuffle, seed, epoch });
    for await (const span of trainable.train.windows({ order, ends, batch, from: 0 })) {
      for (let first = span.first; first < span.end; first += batch) {
        yield { indices: order.subarray(first, Math.min(span.end, first + batch)), epoch };
      }
    }
  }
}

/** Each with the median of its neighbours: as many as the noise asks for, and a cost that blows up stays where it does. */
function smoothed(costs: readonly number[]): number[] {
  const { mean, deviation } = noiseOf(costs);
  const wanted = Math.ceil(((deviation / mean / noiseLeft) ** 2 - 1) / 2);
  const each = Math.max(0, Math.min(mostSmoothing, wanted));
  return costs.map((_, i) => medianOf(costs.slice(Math.max(0, i - each), i + each + 1)));
}

/** What costs differ by at the lowest rates, where nothing moves. */
function noiseOf(costs: readonly number[]): { mean: number; deviation: number } {
  const calm = costs.slice(0, still);
  const mean = meanOf(calm);
  return { mean, deviation: Math.sqrt(meanOf(calm.map((cost) => (cost - mean) * (cost - mean)))) };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function rounded(rate: number): number {
  return Number(rate.toPrecision(3));
}
