import type { LoadedConfig } from '../config/load.ts';
import { cachePlace, scratchFolders } from '../data/cache/decode-cache.ts';
import { UserError } from '../errors.ts';
import type { TrialJob, TrialResult } from '../results/tuning.ts';
import type { Lines } from '../text.ts';
import type { TrainingFiles } from './plan.ts';
import { runTrial, trialData } from './trial.ts';

/**
 * A process of its own that runs trials, one after another, as its parent asks: src/training/trial-pool.ts starts it. Ctrl-C
 * and the closing of the terminal reach it too, and are left to the parent.
 */

export type Request = { loaded: LoadedConfig; extras: TrainingFiles } | { job: TrialJob };
export type Reply =
  | { result: TrialResult }
  | { refused: { kind: UserError['kind']; message: readonly string[]; hint: Lines | undefined } }
  | { fault: string };

let search: { loaded: LoadedConfig; extras: TrainingFiles } | undefined;
const dataOf = trialData(cachePlace(process.env), scratchFolders(process.env));

process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('SIGHUP', () => {});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL')); // the parent is gone: nobody wants the rest
process.on('message', async (request: Request) => {
  if ('loaded' in request) {
    search = request;
    return;
  }
  const found = await reply(request.job);
  process.send!(found, undefined, undefined, () => {}); // a parent that died meanwhile hears nothing, and `disconnect` ends this process
});

async function reply(job: TrialJob): Promise<Reply> {
  try {
    return { result: await runTrial(search!.loaded, job, { dataOf, extras: search!.extras }) };
  } catch (error) {
    if (error instanceof UserError) return { refused: { kind: error.kind, message: error.lines, hint: error.hint } };
    return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
