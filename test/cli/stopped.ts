import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { binPath, type Finished } from '../cli.ts';
import { readJson } from './pictures.ts';

/** Runs `nn` and sends it a signal at a moment. @param moment  resolves when it has come; the process may have ended by then */
export async function signalled(
  words: readonly string[],
  cwd: string,
  { signal, moment }: { signal: NodeJS.Signals; moment: (ended: () => boolean) => Promise<unknown> },
): Promise<Finished> {
  const child = spawn(process.execPath, [binPath, ...words], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const end = new Promise<Finished>((resolve) => child.on('close', (code, by) => resolve({ code, signal: by, stdout, stderr })));
  await moment(() => child.exitCode !== null || child.signalCode !== null);
  child.kill(signal);
  return end;
}

/** Waits until a file has so many lines, or the process has ended. */
export async function hasLines(file: string, count: number, ended: () => boolean): Promise<void> {
  const enough = async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').length > count;
  while (!ended() && !(await enough())) await sleep(5);
}

/** Lines of a journal, without the time that they took. */
export async function journalOf(run: string): Promise<object[]> {
  const text = await readFile(join(run, 'journal.jsonl'), 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (({ seconds: _, ...rest }) => rest)(JSON.parse(line)));
}

/** Whether a run came to the same as another: every byte of model, split and config, every number but the time that it took. */
export async function expectSameRun(run: string, other: string): Promise<void> {
  for (const file of ['model.safetensors', 'split.csv', 'config.json']) {
    expect((await readFile(join(run, file))).equals(await readFile(join(other, file))), file).toBe(true);
  }
  expect(await journalOf(run)).toEqual(await journalOf(other));
  const summary = async (folder: string) => {
    const { seconds: _, run: __, model: ___, ...rest } = await readJson<Record<string, unknown>>(join(folder, 'summary.json'));
    return rest;
  };
  expect(await summary(run)).toEqual(await summary(other));
  expect((await readdir(run)).sort()).toEqual((await readdir(other)).sort());
}
