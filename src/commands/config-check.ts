import { loadConfig } from '../config/load.ts';
import type { ExitKind } from '../errors.ts';
import { useThreads } from '../kernels/select.ts';
import { prepareJob } from '../library/prepare-job.ts';
import type { Command, Context } from './command.ts';
import { configOperand, setOption, threadsOption } from './options.ts';
import { printPlan } from './train-job.ts';

interface Values {
  set?: string[];
  strict?: boolean;
  threads?: number;
}

export const command: Command<Values> = {
  arguments: [configOperand],
  options: [
    setOption,
    { flags: '--strict', summary: 'refuse a picture that cannot be read' },
    threadsOption,
    { flags: '--json', summary: 'print the plan as JSON' },
  ],
  examples: ['nn config check my.json', 'nn config check my.json --set data.imageSize=96 --json'],
  run: check,
};

/** Reads the config and its pictures as a training would, and prints the plan: what `nn train --dry-run` does. */
async function check(context: Context, values: Values, [file]: string[]): Promise<ExitKind | undefined> {
  useThreads(values.threads, context.environment);
  const loaded = await loadConfig(file!, values.set);
  await printPlan(context, await prepareJob(context, loaded, { strict: values.strict ?? false }));
  return undefined;
}
