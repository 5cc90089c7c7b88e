import type { LoadedConfig } from '../config/load.ts';
import { cachePlace, scratchFolders } from '../data/cache/decode-cache.ts';
import type { ExampleSet } from '../data/examples.ts';
import { UserError } from '../errors.ts';
import { productMemory } from '../nn/input/product-memory.ts';
import type { Experiment, ExperimentResult } from '../results/experiments.ts';
import type { TrialJob, TrialResult } from '../results/tuning.ts';
import type { Lines } from '../text.ts';
import { type ExperimentSource, runExperiment, withoutTest } from './experiment.ts';
import type { TrainingExtras } from './plan.ts';
import { runTrial, trialData } from './trial.ts';

/**
 * A process of its own that runs trials, one after another, as its parent asks: src/training/trial-pool.ts starts it. Ctrl-C
 * and the closing of the terminal reach it too, and are left to the parent.
 */

/** What is run: a trial of `nn tune`, or an experiment of `nn diagnose`. */
export type Job = TrialJob | Experiment;

export type Request = { loaded: LoadedConfig; extras: TrainingExtras } | { job: Job };
export type Reply =
  | { result: TrialResult | ExperimentResult }
  | { refused: { kind: UserError['kind']; message: readonly string[]; hint: Lines | undefined } }
  | { fault: string };

let search: { loaded: LoadedConfig; extras: TrainingExtras } | undefined;
const dataOf = trialData(cachePlace(process.env), scratchFolders(process.env));
/** of all parts; what is not test of it is not kept */
const wholeOf = trialData(cachePlace(process.env), scratchFolders(process.env));
/** Bytes of inner products that a worker keeps: those of 2,400 pictures with each other and with 800 of dev. */
const products = productMemory(2 ** 26);
let test: Promise<ExampleSet | null> | undefined;

process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('SIGHUP', () => {});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL')); // the parent is gone: nobody wants the rest
process.on('message', async (request: Request) => {
  if ('loaded' in request) {
    search = { ...request, extras: { ...request.extras, products, measuresNorms: false } };
    return;
  }
  const found = await reply(request.job);
  process.send!(found, undefined, undefined, () => {}); // a parent that died meanwhile hears nothing, and `disconnect` ends this process
});

async function reply(job: Job): Promise<Reply> {
  try {
    const { loaded, extras } = search!;
    if ('trial' in job) return { result: await runTrial(loaded, job, { dataOf, extras }) };
    return { result: await runExperiment(loaded, job, { source: sourceOf(loaded), extras }) };
  } catch (error) {
    if (error instanceof UserError) return { refused: { kind: error.kind, message: error.lines, hint: error.hint } };
    return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function sourceOf(loaded: LoadedConfig): ExperimentSource {
  const data = () => dataOf(withoutTest(loaded));
  const ofTest = async () => {
    const { splits } = await (loaded.config.data.test === undefined ? data() : wholeOf(loaded));
    return splits.test ?? null;
  };
  return { data, test: () => (test ??= ofTest()) };
}
