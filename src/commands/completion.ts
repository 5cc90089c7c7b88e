import { readFile } from 'node:fs/promises';
import type { ExitKind } from '../errors.ts';
import { ownFile } from '../own-files.ts';
import { completionFile, completionScripts } from '../report/completion-scripts.ts';
import type { Command, Context } from './command.ts';
import { wordOption } from './options.ts';

const shells = Object.keys(completionScripts);

export const command: Command = {
  arguments: [{ syntax: '<shell>', summary: shells.join(', '), words: shells }],
  options: [{ flags: '--json', summary: 'print it as JSON' }],
  examples: [
    'source <(nn completion bash)          # in ~/.bashrc',
    'source <(nn completion zsh)           # in ~/.zshrc',
    'nn completion fish > ~/.config/fish/completions/nn.fish',
  ],
  run: completion,
};

/** Prints a script that `npm run build` made of all commands: none of them is loaded here. */
async function completion(context: Context, _: unknown, [word]: string[]): Promise<ExitKind | undefined> {
  const shell = wordOption('completion', shells)(word!);
  const script = (await readFile(ownFile(completionFile(shell)), 'utf8')).trimEnd();
  if (context.json) context.print(JSON.stringify({ shell, script }));
  else context.printExact(script);
  return undefined;
}
