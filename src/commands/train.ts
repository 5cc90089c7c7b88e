import { loadConfig } from '../config/load.ts';
import type { ExitKind } from '../errors.ts';
import { useThreads } from '../kernels/select.ts';
import { prepareJob } from '../library/prepare-job.ts';
import { resumeRun } from '../library/resume.ts';
import { trainRun } from '../library/train-run.ts';
import { foundRateText } from '../report/model.ts';
import type { FoundRate } from '../results/summary.ts';
import { runsFolder } from '../run/places.ts';
import { refuseRun } from '../run/run-folder.ts';
import type { FitOptions } from '../training/fit.ts';
import { prepareFit } from '../training/plan.ts';
import { findRate, type RateFound } from '../training/rate-finder.ts';
import type { Command, Context, Progress } from './command.ts';
import { configOption, numberOption, setOption, threadsOption } from './options.ts';
import { printPlan, printTrained } from './train-job.ts';

interface Values {
  config: string;
  set?: string[];
  seed?: number;
  output?: string;
  force?: boolean;
  resume?: string;
  strict?: boolean;
  dryRun?: boolean;
  findRate?: boolean;
  report: boolean;
  threads?: number;
}

export const command: Command<Values> = {
  options: [
    { ...configOption, unless: 'resume' },
    setOption,
    {
      flags: '--seed <n>',
      summary: 'the same as --set seed=N',
      parse: numberOption('--seed', { low: 0, high: 2 ** 32 - 1, whole: true }),
    },
    { flags: '-o, --output <dir>', summary: 'the run folder (default: runs/<config>-<time>)' },
    { flags: '--force', summary: 'overwrite a run in --output' },
    {
      flags: '--resume <dir>',
      summary:
        'go on with the run in a folder, to the bits of one never stopped; --set training.epochs=N may ask for more epochs',
      conflicts: ['config', 'seed', 'output', 'force', 'strict', 'dryRun', 'findRate'],
    },
    { flags: '--strict', summary: 'refuse to train when a picture cannot be read' },
    { flags: '-n, --dry-run', summary: 'check config and data, print the plan, train nothing' },
    { flags: '--find-rate', summary: 'try learning rates from tiny to huge, plot the cost, propose one; nothing is saved' },
    threadsOption,
    { flags: '--no-report', summary: 'write no report.html into the run folder' },
    { flags: '--json', summary: 'print the summary as JSON' },
  ],
  examples: [
    'nn config init photos --out my.json && nn train --config my.json',
    'nn train --config configs/quickstart.json',
    'nn train --config my.json --set training.learningRate=0.01 --set \'model.layers=[{"units":20}]\'',
    'nn train --config my.json --find-rate',
    'nn train --config my.json --output runs/mine --json > summary.json',
    'nn train --resume runs/mine',
  ],
  run: train,
};

async function train(context: Context, values: Values): Promise<ExitKind | undefined> {
  useThreads(values.threads, context.environment);
  if (values.resume !== undefined) {
    const going = { sets: values.set ?? [], wantsReport: values.report };
    return printTrained(context, await resumeRun(context, values.resume, going));
  }
  const sets = [...(values.set ?? []), ...(values.seed === undefined ? [] : [`seed=${values.seed}`])];
  const loaded = await loadConfig(values.config, sets);
  const force = values.force ?? false;
  if (values.output !== undefined) await refuseRun(values.output, loaded, force);
  const job = await prepareJob(context, loaded, { strict: values.strict ?? false });
  const { data, plan, kernels, files } = job;
  if (values.dryRun) {
    await printPlan(context, job);
    return undefined;
  }
  if (values.findRate) {
    await printFoundRate(context, await prepareFit(loaded.config, data.splits, plan, kernels, files));
    return undefined;
  }

  const { output, report: wantsReport } = values;
  return printTrained(context, await trainRun(job, runsFolder(context.environment), { output, force, wantsReport }));
}

/** Runs the learning-rate range test of `nn train --find-rate` and prints what it found; nothing is written. */
export async function printFoundRate(context: Context, options: FitOptions): Promise<void> {
  const { type: _, learningRates, ...found } = await follow(context, options);
  const set = learningRates === null ? null : `training.learningRate=${asSetting(learningRates)}`;
  const result: FoundRate = { ...found, set };
  context.print(context.json ? JSON.stringify(result) : foundRateText(result, context.style));
}

/** Listens to the search, and stops it when the user does. */
async function follow(context: Context, options: FitOptions): Promise<RateFound> {
  let current: { title: string; bar: Progress } | undefined;
  try {
    for await (const event of findRate(options)) {
      if (event.type === 'found') return event;
      const title = event.type === 'sweep' ? 'range test' : `rate ${event.rate}`;
      if (current?.title !== title) {
        current?.bar.stop();
        current = { title, bar: context.progress(title, event.total) };
      }
      current.bar.update(event.done);
      if (context.signal.aborted) throw context.signal.reason;
    }
  } finally {
    current?.bar.stop();
  }
  throw new Error('the search ended without a result');
}

/** One number where all layers learn at the same rate, else a list. */
function asSetting(rates: readonly number[]): string {
  return JSON.stringify(new Set(rates).size === 1 ? rates[0] : rates);
}
