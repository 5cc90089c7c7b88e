import type { Experiment, ExperimentResult } from '../results/experiments.ts';

/** Where experiments run: so many at once. */
export interface Runner {
  jobs: number;
  run(job: Experiment): Promise<ExperimentResult>;
}

/** Experiments that are done, and a place to do more. */
export interface Experiments {
  jobs: number;
  find(job: Experiment): ExperimentResult | undefined;
  /** Runs what is not known yet, in its order, some at a time.
   *  @param mayBegin  asked before each
   *  @throws what the runner throws */
  run(jobs: readonly Experiment[], mayBegin?: (job: Experiment) => boolean): Promise<void>;
  /** seconds of a training with these changes on all of train, the mean of those that there are; null of none */
  secondsOf(set: readonly string[]): number | null;
  /** of them, those that one more takes where others made what it shares with them */
  moreSecondsOf(set: readonly string[]): number | null;
}

interface ExperimentsOptions {
  runner: Runner;
  /** of an earlier session, or of other machines */
  known: readonly ExperimentResult[];
  /** keeps a result before anything is made of it */
  record(result: ExperimentResult): Promise<void>;
  began(job: Experiment): void;
  ended(result: ExperimentResult): void;
}

export function experimentsOn({ runner, known, record, began, ended }: ExperimentsOptions): Experiments {
  const results = new Map<string, ExperimentResult>();
  const keep = (result: ExperimentResult) => {
    const key = keyOf(result);
    if (!results.get(key)?.readsTest) results.set(key, result);
  };
  for (const result of known) keep(result);
  const find = (job: Experiment) => {
    const found = results.get(keyOf(job));
    return found && (found.readsTest || !job.readsTest) ? found : undefined;
  };
  const meanOver = (set: readonly string[], secondsIn: (result: ExperimentResult) => number): number | null => {
    const text = JSON.stringify(set);
    const own = [...results.values()].filter((one) => one.share === 1 && JSON.stringify(one.set) === text && one.error === null);
    return own.length === 0 ? null : own.reduce((sum, one) => sum + secondsIn(one), 0) / own.length;
  };
  return {
    jobs: runner.jobs,
    find,
    run: async (jobs, mayBegin = () => true) => {
      const waiting = jobs.filter((job) => find(job) === undefined).values();
      await Promise.all(
        Array.from({ length: runner.jobs }, async () => {
          for (const job of waiting) {
            if (find(job) !== undefined || !mayBegin(job)) continue;
            began(job);
            const result = await runner.run(job);
            await record(result);
            keep(result);
            ended(result);
          }
        }),
      );
    },
    secondsOf: (set) => meanOver(set, ({ seconds }) => seconds),
    moreSecondsOf: (set) => meanOver(set, ({ seconds, sharedSeconds }) => seconds - sharedSeconds),
  };
}

/** What tells one experiment from another: whether it reads test changes nothing of it. */
const keyOf = ({ set, seed, share, division }: Experiment) => JSON.stringify([set, seed, share, division]);
