import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadedConfig } from '../config/load.ts';
import { UserError } from '../errors.ts';
import type { Extras } from './plan.ts';
import type { TrialResult } from './trial.ts';
import type { Reply } from './trial-worker.ts';
import type { TrialRunner } from './tune.ts';

/** What `run` is rejected with where `close` ended its worker. */
export const poolClosed = new Error('the workers were closed');

/** Worker processes that each run one trial at a time. They begin with the first trial, and end with `close`. */
export interface TrialPool extends TrialRunner {
  /** ends all workers, whatever they are at */
  close(): void;
}

/** @param options.threads  of all workers together; each has one at least */
export function trialPool(
  search: { loaded: LoadedConfig; extras: Extras },
  { jobs, threads }: { jobs: number; threads: number },
): TrialPool {
  const idle: ChildProcess[] = [];
  const threadsEach = Math.max(1, Math.floor(threads / jobs));
  const all = new Set<ChildProcess>();
  let closed = false;
  const start = (): ChildProcess => {
    const script = fileURLToPath(new URL(`./trial-worker${extname(import.meta.url)}`, import.meta.url));
    const worker = fork(script, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, NN_THREADS: String(threadsEach) },
    });
    worker.send(search);
    all.add(worker);
    return worker;
  };
  return {
    jobs,
    run: async (job) => {
      const worker = idle.pop() ?? start();
      const result = await ask(worker, job).catch((error: unknown) => {
        throw closed ? poolClosed : error;
      });
      idle.push(worker);
      return result;
    },
    close: () => {
      closed = true;
      for (const worker of all) worker.kill('SIGKILL');
    },
  };
}

function ask(worker: ChildProcess, job: object): Promise<TrialResult> {
  return new Promise((resolve, reject) => {
    const onReply = (reply: Reply) => {
      worker.off('exit', onExit);
      if ('result' in reply) resolve(reply.result);
      else if ('refused' in reply) reject(new UserError(reply.refused.kind, reply.refused.message, { hint: reply.refused.hint }));
      else reject(new Error(`in a worker of nn tune: ${reply.fault}`));
    };
    const onExit = (code: number | null, signal: string | null) => {
      worker.off('message', onReply);
      reject(
        new UserError(
          'fault',
          `nn tune: a worker process ended with ${signal ?? `exit code ${code}`} during trial ${JSON.stringify(job)}`,
        ),
      );
    };
    worker.once('message', onReply);
    worker.once('exit', onExit);
    worker.send({ job });
  });
}
