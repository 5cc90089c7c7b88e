import { batchOrder } from '../data/batches.ts';
import { exp } from '../elementary.ts';
import { DivergedError } from './divergence.ts';
import { type FitOptions, type Run, withRun } from './fit-run.ts';
import { startPace } from './pace.ts';
import { type Sums, takeStep } from './step.ts';

/** The range test: from a rate at which nothing moves to one at which everything breaks, so many to a decade. */
const lowestRate = 1e-10;
const decades = 12;
const perDecade = 12;
/** A cost is a mean over at least this many examples, so that small batches do not drown it in noise. */
const examplesEach = 64;
/** Costs on either side that smooth a cost. */
const smoothing = 2;
/** The test ends where the cost stands above its least by this share of its start. */
const blownUp = 0.5;
/** Costs at the end of the test that must all stand so high: one may be chance. */
const blownUpFor = 2;

/** Rates are tried in trainings of so many steps (each of at least `examplesEach` examples) … */
const trialSteps = 30;
/** … each this many times smaller than the one before … */
const trialFactor = 3;
/** … and one breaks off where a cost is above so many times the first: RMSprop and Adam may start with a leap that heals. */
const riseAllowed = 3;
/** No smaller rate is tried after one that ends above the best by this share of the best's fall. */
const givenUp = 0.1;
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
  /** the mean of its last costs; null where it broke off, or a hidden layer died */
  cost: number | null;
}

/** The last event. */
export interface RateFound {
  type: 'found';
  rates: number[];
  costs: number[];
  /** the rate of the range test at which the cost blew up or a hidden layer died, if any did */
  diverged: number | null;
  trials: Trial[];
  /** null where no rate brought the cost down calmly */
  proposed: number | null;
  /** the proposal, one a layer */
  learningRates: number[] | null;
}

/**
 * Finds a learning rate. First a range test: one training whose rate rises exponentially, until the cost blows up. It
 * flatters large rates, which it reaches when small ones have done the work; so trials decide. From three times the rate
 * of the least cost downwards, by factors of three, each rate trains for 30 steps from the first weights, until one ends
 * clearly higher than the best. The one that ends lowest is proposed, of those below every rate that broke off. The
 * weights of `options` are put back at the end.
 * @see Smith 2017, "Cyclical learning rates for training neural networks", section 3.3
 */
export async function* findRate(options: FitOptions): AsyncGenerator<RateEvent> {
  const first = options.parameters.values.slice();
  const largest = Math.max(...options.learningRates);
  const shares = options.learningRates.map((rate) => rate / largest);
  const walk = (rates: readonly number[]) => {
    options.parameters.values.set(first);
    return withRun({ ...options, dev: null, schedule: { name: 'none' } }, (run) => walkRates(run, rates, shares));
  };
  try {
    const sweep = yield* sweepRates(walk);
    const trials = yield* tryRates(walk, sweep);
    const proposed = leastCost(trials, sweep.costs[0]!)?.rate ?? null;
    const learningRates = proposed === null ? null : shares.map((share) => rounded(proposed * share));
    yield { type: 'found', ...sweep, trials, proposed, learningRates };
  } finally {
    options.parameters.values.set(first);
  }
}

/** Yields the cost before each step, and whether the step found a layer dead; it ends where the cost is not finite. */
type Walk = (rates: readonly number[]) => AsyncGenerator<{ cost: number; dead: boolean }>;
type Sweep = Pick<RateFound, 'rates' | 'costs' | 'diverged'>;

/** The range test. */
async function* sweepRates(walk: Walk): AsyncGenerator<SweepEvent, Sweep> {
  const total = decades * perDecade + 1;
  const all = Array.from({ length: total }, (_, k) => rounded(lowestRate * exp((k * Math.LN10) / perDecade)));
  const costs: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  let above = 0;
  for await (const { cost, dead } of walk(all)) {
    if (dead) break;
    costs.push(cost);
    least = Math.min(least, cost);
    yield { type: 'sweep', rate: all[costs.length - 1]!, cost, done: costs.length, total };
    above = cost > least + blownUp * costs[0]! ? above + 1 : 0;
    if (above === blownUpFor) return { rates: all.slice(0, costs.length), costs, diverged: all[costs.length - blownUpFor]! };
  }
  return { rates: all.slice(0, costs.length), costs, diverged: all[costs.length] ?? null };
}

/** Short trainings, from above the least cost of the range test downwards, until they get no better. */
async function* tryRates(walk: Walk, { rates, costs }: Sweep): AsyncGenerator<TrialEvent, Trial[]> {
  const smooth = smoothed(costs);
  const from = rates[smooth.indexOf(Math.min(...smooth))]!;
  const trials: Trial[] = [];
  for (let rate = from * trialFactor; rate > lowestRate; rate /= trialFactor) {
    const trial = yield* tryRate(walk, Number(rate.toPrecision(2)), costs[0]!);
    trials.push(trial);
    const best = leastCost(trials, costs[0]!);
    if (best && trial.cost !== null && trial.cost - best.cost > givenUp * (costs[0]! - best.cost)) break;
  }
  return trials;
}

async function* tryRate(walk: Walk, rate: number, firstCost: number): AsyncGenerator<TrialEvent, Trial> {
  const costs: number[] = [];
  for await (const { cost, dead } of walk(new Array<number>(trialSteps).fill(rate))) {
    if (dead || cost > riseAllowed * firstCost) break;
    costs.push(cost);
    yield { type: 'trial', rate, done: costs.length, total: trialSteps };
  }
  return { rate, cost: costs.length < trialSteps ? null : smoothed(costs)[trialSteps - 1]! };
}

/** The trial that ends lowest, of those that brought the cost down; none counts where a smaller rate broke off. */
function leastCost(trials: readonly Trial[], firstCost: number): { rate: number; cost: number } | undefined {
  let best: { rate: number; cost: number } | undefined;
  for (const { rate, cost } of trials) {
    if (cost === null) best = undefined;
    else if (cost < (best?.cost ?? firstCost * (1 - movedBy))) best = { rate, cost };
  }
  return best;
}

/** Trains at one rate after the other, each for `examplesEach` examples or more. */
async function* walkRates(run: Run, rates: readonly number[], shares: readonly number[]): ReturnType<Walk> {
  const { options } = run;
  const wanted = Math.min(examplesEach, options.train.labels.length);
  const batches = endlessBatches(run);
  const pace = startPace();
  try {
    for (const rate of rates) {
      run.options = { ...run.options, learningRates: shares.map((share) => rate * share) };
      const sums: Sums = { cost: 0, l2Cost: 0, correct: 0, batches: 0, examples: 0 };
      while (sums.examples < wanted) {
        const { indices, epoch } = (await batches.next()).value;
        if (!tookStep(() => takeStep(run, indices, { epoch, norms: false }, sums))) return;
        if (pace.isDue()) await pace.turn();
      }
      yield { cost: sums.cost / sums.examples + sums.l2Cost / sums.batches, dead: hasDeadLayer(run) };
    }
  } finally {
    await batches.return(undefined as never);
  }
}

/** Whether a hidden layer gave 0 for every example of the last batch: nothing below it learns any more. */
function hasDeadLayer({ workspace, lastCount, options }: Run): boolean {
  const { layers } = options.network;
  return layers.some(
    ({ units }, l) => l < layers.length - 1 && workspace.layers[l]!.a.subarray(0, lastCount * units).every((a) => a === 0),
  );
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

async function* endlessBatches({ problem, batch, options }: Run): AsyncGenerator<{ indices: Int32Array; epoch: number }, never> {
  const { seed, shuffle } = options;
  const m = problem.train.labels.length;
  for (let epoch = 1; ; epoch++) {
    const { order, ends } = batchOrder(m, batch, { shuffle, seed, epoch });
    for await (const span of problem.train.spans({ order, ends, batch, from: 0 })) {
      for (let first = span.first; first < span.end; first += batch) {
        yield { indices: order.subarray(first, Math.min(span.end, first + batch)), epoch };
      }
    }
  }
}

/** Each with the mean of its neighbours. */
function smoothed(costs: readonly number[]): number[] {
  return costs.map((_, i) => {
    const near = costs.slice(Math.max(0, i - smoothing), i + smoothing + 1);
    return near.reduce((sum, cost) => sum + cost, 0) / near.length;
  });
}

function rounded(rate: number): number {
  return Number(rate.toPrecision(3));
}
