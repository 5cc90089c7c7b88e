import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadedConfig } from '../config/load.ts';
import { systemReason, UserError } from '../errors.ts';
import { ownFile } from '../own-files.ts';
import type { ExperimentResult } from '../results/experiments.ts';
import type { TrialJob, TrialResult } from '../results/tuning.ts';
import type { TrainingExtras } from './plan.ts';
import type { Job, Reply } from './trial-worker.ts';

/** What `run` is rejected with where `close` ended its worker. */
export const poolClosed = new Error('the workers were closed');

export type ResultOf<One extends Job> = One extends TrialJob ? TrialResult : ExperimentResult;

/** Worker processes that each run one job at a time. They begin with the first one, and end with `close`. */
export interface TrialPool {
  jobs: number;
  run<One extends Job>(job: One): Promise<ResultOf<One>>;
  /** ends all workers, whatever they are at */
  close(): void;
}

/** A worker that is killed is replaced, once for a trial: what else would be lost is the search of a night.
 *  @param options.threads  of all workers together; each has one at least
 *  @param options.onDeath  told of it */
export function trialPool(
  search: { loaded: LoadedConfig; extras: TrainingExtras },
  { jobs, threads, onDeath }: { jobs: number; threads: number; onDeath: (text: string) => void },
): TrialPool {
  const idle: ChildProcess[] = [];
  const threadsEach = Math.max(1, Math.floor(threads / jobs));
  const all = new Set<ChildProcess>();
  let closed = false;
  const start = (): ChildProcess => {
    const worker = fork(fileURLToPath(ownFile('dist/bundle/trial-worker.js')), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, NN_THREADS: String(threadsEach) },
    });
    worker.on('error', () => {}); // what ends it is told by `ask`
    if (worker.connected) worker.send(search, () => {}); // not where no process could be made: then `error` follows
    all.add(worker);
    return worker;
  };
  return {
    jobs,
    run: async (job) => {
      for (let deaths = 0; ; deaths++) {
        const worker = livingOf(idle) ?? start();
        const result = await ask<ResultOf<typeof job>>(worker, job);
        if (closed) throw poolClosed;
        if (typeof result === 'object' && 'died' in result) {
          all.delete(worker);
          if (deaths === 1) throw diedAgain(result.died, job);
          onDeath(`a worker process ended with ${result.died} during ${nameOf(job)}; another one takes its place`);
          continue;
        }
        idle.push(worker);
        return result;
      }
    },
    close: () => {
      closed = true;
      // one that never began has number 0: this very process and its group
      for (const worker of all) if (worker.pid !== undefined) worker.kill('SIGKILL');
    },
  };
}

/** Takes one off the list that has not ended while nothing was asked of it. */
function livingOf(idle: ChildProcess[]): ChildProcess | undefined {
  for (let worker = idle.pop(); worker !== undefined; worker = idle.pop()) {
    if (worker.exitCode === null && worker.signalCode === null) return worker;
  }
  return undefined;
}

const isTrial = (job: Job): job is TrialJob => 'trial' in job;
const nameOf = (job: Job) => (isTrial(job) ? `trial ${job.trial}` : 'an experiment');
const commandOf = (job: Job) => (isTrial(job) ? 'nn tune' : 'nn diagnose');

/** @returns the result, or what ended the worker before there was one */
function ask<Result>(worker: ChildProcess, job: Job): Promise<Result | { died: string }> {
  return new Promise((resolve, reject) => {
    const onReply = (reply: Reply) => {
      worker.off('exit', onExit).off('error', onError);
      if ('result' in reply)
        resolve(reply.result as Result); // of the job that was sent
      else if ('refused' in reply) reject(new UserError(reply.refused.kind, reply.refused.message, { hint: reply.refused.hint }));
      else reject(new Error(`in a worker of ${commandOf(job)}: ${reply.fault}`));
    };
    const die = (died: string) => {
      worker.off('message', onReply).off('exit', onExit).off('error', onError);
      resolve({ died });
    };
    const onExit = (code: number | null, signal: string | null) => die(signal ?? `exit code ${code}`);
    const onError = (error: Error) => die(systemReason(error)); // no process could be made
    worker.once('message', onReply);
    worker.once('exit', onExit);
    worker.once('error', onError);
    if (worker.connected) worker.send({ job }, () => {}); // one that is gone already has ended, or is about to
  });
}

function diedAgain(by: string, job: Job): UserError {
  return new UserError(
    'usage',
    `${commandOf(job)}: expected worker processes that live, found two that ended with ${by} during ${nameOf(job)}`,
    {
      hint: 'Systems end processes that take more memory than there is: try fewer --jobs, or smaller layers.',
    },
  );
}
