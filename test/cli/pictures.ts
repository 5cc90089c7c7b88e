import { mkdir, mkdtemp, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect } from 'vitest';
import { type Finished, nn } from '../cli.ts';

/** A new folder of its own; the test removes it. */
export async function temporaryFolder(): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), 'nn-test-')));
}

/** A noisy picture, mostly red for a cat and mostly blue else: no two indices give the same one. */
export async function writePicture(path: string, { index, cat, side = 20 }: { index: number; cat: boolean; side?: number }) {
  let state = index * 2 + (cat ? 1 : 0) + 1;
  const noise = (span: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % span;
  };
  const bytes = Buffer.alloc(side * side * 3);
  for (let k = 0; k < bytes.length; k += 3) {
    bytes[k] = (cat ? 110 : 60) + noise(120);
    bytes[k + 1] = 60 + noise(120);
    bytes[k + 2] = (cat ? 60 : 110) + noise(120);
  }
  await sharp(bytes, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toFile(path);
}

/** `folder/cat` and `folder/thing`, with the names 00.png, 01.png, …
 *  @param options.from  the index of the first picture */
export async function writeClasses(folder: string, each: number, { from = 0 }: { from?: number } = {}): Promise<void> {
  for (const name of ['cat', 'thing']) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = from; i < from + each; i++) {
      await writePicture(join(folder, name, `${String(i).padStart(2, '0')}.png`), { index: i, cat: name === 'cat' });
    }
  }
}

/** A config for a folder of pictures beside it, small enough to train in no time. */
export function folderConfig(changes: { data?: object; model?: object; training?: object } = {}): object {
  return {
    data: { source: { type: 'folder', path: 'pictures' }, imageSize: 16, ...changes.data },
    model: { layers: [{ units: 4 }], ...changes.model },
    training: { epochs: 30, learningRate: 0.02, ...changes.training },
  };
}

export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, JSON.stringify(value));
}

export async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T;
}

/** Runs `nn`, which must end with the code. */
export async function run(code: number, words: readonly string[], options: Parameters<typeof nn>[1]): Promise<Finished> {
  const finished = await nn(words, options);
  expect({ ...finished, code: finished.code }, words.join(' ')).toMatchObject({ code, signal: null });
  return finished;
}

/** Everything below a folder, links not followed. */
export async function listing(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

/** A CommonJS module that a child process loads first, as an environment for it. */
export async function preload(folder: string, code: string): Promise<Record<string, string>> {
  const path = join(folder, 'preload.cjs');
  await writeFile(path, code);
  return { NODE_OPTIONS: `--require=${JSON.stringify(path)}` };
}
