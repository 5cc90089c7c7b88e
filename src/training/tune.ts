import type { SearchConfig } from '../config/schema.ts';
import type { TrialJob, TrialResult } from '../results/tuning.ts';

/** Where trials run: so many at once. */
export interface TrialRunner {
  jobs: number;
  run(job: TrialJob): Promise<TrialResult>;
}

export interface TuneOptions {
  search: SearchConfig;
  /** of a whole training */
  epochs: number;
  runner: TrialRunner;
  /** how many trials in all; null until `stop` says so */
  trials: number | null;
  /** trials whose number is `index` modulo `count` are this machine's; index from 0 */
  shard: { index: number; count: number };
  /** results of an interrupted search: they are not run again */
  known: readonly TrialResult[];
  /** true when no further trial is to begin */
  stop(): boolean;
}

/** Successive halving keeps one in so many, and trains it so many times as long. */
export const halvingFactor = 3;

/** The epochs of each rung: the last is a whole training, and the first has one epoch at least.
 *  @param trials  there are no more rungs than it takes to come down to one */
export function rungEpochs(epochs: number, trials: number): number[] {
  const rungs = [epochs];
  for (
    let survivors = Math.ceil(trials / halvingFactor);
    survivors >= 1 && trials > 1;
    survivors = Math.ceil(survivors / halvingFactor)
  ) {
    const fewer = Math.ceil(rungs[0]! / halvingFactor);
    if (fewer === rungs[0]) break;
    rungs.unshift(fewer);
    if (survivors === 1) break;
  }
  return rungs;
}

/** Runs trials, some at a time, and gives each result as it comes; those known already come first. What is tried does not
 *  depend on how many run at once, nor on what came before. */
export async function* tune(options: TuneOptions): AsyncGenerator<TrialResult> {
  const { search, epochs, trials, known } = options;
  yield* known;
  if (search.strategy === 'random') {
    yield* runJobs(options, numbered(options, 0, trials ?? Number.POSITIVE_INFINITY, 0, epochs));
    return;
  }
  const bracket = trials ?? search.trials;
  for (let first = 0; !options.stop() && (trials === null || first < trials); first += bracket)
    yield* halve(options, first, bracket);
}

/** One bracket of synchronous successive halving. @see Jamieson & Talwalkar 2016, algorithm 1 */
async function* halve(options: TuneOptions, first: number, size: number): AsyncGenerator<TrialResult> {
  const rungs = rungEpochs(options.epochs, size);
  let jobs = [...numbered(options, first, first + size, 0, rungs[0]!)];
  for (const rung of rungs.keys()) {
    const wanted = new Set(jobs.map(({ trial }) => trial));
    const results = options.known.filter((one) => one.rung === rung && wanted.has(one.trial));
    for await (const result of runJobs(options, jobs)) {
      results.push(result);
      yield result;
    }
    if (results.length < jobs.length || rung === rungs.length - 1) return; // stopped, or at the end
    const kept = rankTrials(results, options.search.metric).slice(0, Math.ceil(results.length / halvingFactor));
    jobs = kept.filter(({ score }) => score !== null).map(({ trial }) => ({ trial, rung: rung + 1, epochs: rungs[rung + 1]! }));
    jobs.sort((a, b) => a.trial - b.trial);
  }
}

function* numbered({ shard }: TuneOptions, from: number, to: number, rung: number, epochs: number): Generator<TrialJob> {
  for (let trial = from; trial < to; trial++) if (trial % shard.count === shard.index) yield { trial, rung, epochs };
}

/** Runs the jobs that are not known, `runner.jobs` at a time, until they or the time are at an end. */
async function* runJobs({ runner, known, stop }: TuneOptions, jobs: Iterable<TrialJob>): AsyncGenerator<TrialResult> {
  const done = new Set(known.map(({ trial, rung }) => `${trial} ${rung}`));
  const running = new Map<TrialJob, Promise<{ job: TrialJob; result: TrialResult }>>();
  const waiting = jobs[Symbol.iterator]();
  for (;;) {
    while (running.size < runner.jobs && !stop()) {
      const next = waiting.next();
      if (next.done) break;
      const job = next.value;
      if (!done.has(`${job.trial} ${job.rung}`))
        running.set(
          job,
          runner.run(job).then((result) => ({ job, result })),
        );
    }
    if (running.size === 0) return;
    const { job, result } = await Promise.race(running.values());
    running.delete(job);
    yield result;
  }
}

/** Best first: the later rung, then the metric, then the lower number. Failed trials come last. */
export function rankTrials(results: readonly TrialResult[], metric: SearchConfig['metric']): TrialResult[] {
  const last = new Map<number, TrialResult>();
  for (const result of results) if (result.rung >= (last.get(result.trial)?.rung ?? 0)) last.set(result.trial, result);
  const value = ({ score }: TrialResult) =>
    score === null ? Number.POSITIVE_INFINITY : metric === 'cost' ? score.cost : -score.accuracy;
  const compare = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1);
  return [...last.values()].sort(
    (a, b) =>
      Number(a.score === null) - Number(b.score === null) ||
      b.rung - a.rung ||
      compare(value(a), value(b)) ||
      compare(a.score?.cost ?? 0, b.score?.cost ?? 0) ||
      a.trial - b.trial,
  );
}
