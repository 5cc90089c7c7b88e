import { loadConfig } from '../config/load.ts';
import type { ExitKind } from '../errors.ts';
import { configOfRun } from '../run/run-folder.ts';
import { oneLine } from '../text.ts';
import type { Command, Context } from './command.ts';
import { configOperand, setOption } from './options.ts';

interface Values {
  set?: string[];
}

export const command: Command<Values> = {
  arguments: [configOperand],
  options: [setOption, { flags: '--json', summary: 'print it in one line' }],
  examples: [
    'nn config show my.json',
    'nn config show my.json --set training.optimizer.name=adam > resolved.json   # trains as it stands',
  ],
  run: show,
};

/** Prints what a run's config.json would hold; its paths are relative to the working folder, where the shell puts what is printed. */
async function show(context: Context, { set }: Values, [file]: string[]): Promise<ExitKind | undefined> {
  const resolved = configOfRun(await loadConfig(file!, set), process.cwd());
  if (context.json) context.print(JSON.stringify(resolved));
  else context.printExact(JSON.stringify(resolved, null, 2).split('\n').map(oneLine).join('\n')); // escapes of JSON, and no line broken
  return undefined;
}
