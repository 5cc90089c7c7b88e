import type { CommandLineWords } from './completion.ts';
import { bashCompletion } from './completion-bash.ts';
import { fishCompletion } from './completion-fish.ts';
import { zshCompletion } from './completion-zsh.ts';

/** The shells that there is a completion for. */
export const completionScripts = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
} satisfies Record<string, (words: CommandLineWords) => string>;

/** Where `npm run build` puts a script, in the package. */
export const completionFile = (shell: string): string => `dist/completion/nn.${shell}`;
