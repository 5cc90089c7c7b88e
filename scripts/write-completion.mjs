// Makes the scripts that `nn completion` prints, of the table of commands and the schema of a config: part of `npm run build`.
import { mkdir, writeFile } from 'node:fs/promises';
import { commandLineWords } from '../dist/commands/completion-words.js';
import { completionFile, completionScripts } from '../dist/report/completion-scripts.js';

const words = await commandLineWords();
await mkdir(new URL('../dist/completion/', import.meta.url), { recursive: true });
for (const [shell, script] of Object.entries(completionScripts))
  await writeFile(new URL(`../${completionFile(shell)}`, import.meta.url), `${script(words)}\n`);
