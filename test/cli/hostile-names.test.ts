import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands } from '../../src/commands/commands.ts';
import { makeRun } from '../run/made-runs.ts';
import { someOf } from '../thorough.ts';
import { run, temporaryFolder, writeJson, writePicture } from './pictures.ts';

// Names with all that a terminal obeys, or that begins a line or a column of its own. Every command is given them wherever it takes a name.

/** A line and a row that nn did not write, colours, a cleared screen, a C1 sequence, a turned direction of writing, nothing to be seen. */
const evil = '\u001b[2J\u001b[31m\u009b1m\u202e\u2066\u200b\u007f\r\u2028\nforged\t1.0000\nforged  99.9%\t';
/** The same as a terminal is to get it. */
const harmless = '\\u001b[2J\\u001b[31m\\u009b1m\\u202e\\u2066\\u200b\\u007f\\r\\u2028\\nforged\\t1.0000\\nforged  99.9%\\t';
const [cat, thing] = [`cat${evil}`, `thing${evil}`];
/** What may not reach a terminal: all of a general category C or Zl, Zp, but what the writer itself puts in. */
const commanding = (own: string) => new RegExp(`(?![${own}])[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}]`, 'u');

type Kind = 'people' | 'rows' | 'json' | 'csv';
interface Call {
  words: string[];
  kind: Kind;
  code?: number;
  /** a name that JSON and CSV have to the letter, and that people see made harmless; none where the command prints none */
  names?: string;
}

const config = ['-c', `c${evil}.json`];
const model = ['--model', 'model'];
const source = `in${evil}`;
const inspecting = { names: cat };
const calls: Record<string, Call[]> = {
  train: [
    { words: [...config, '--dry-run'], kind: 'people', names: cat },
    { words: [...config, '--dry-run', '--json'], kind: 'json', names: cat },
    { words: [...config, '--find-rate'], kind: 'people' },
    { words: config, kind: 'people', names: thing },
    { words: [...config, '--json'], kind: 'json', names: evil },
    { words: ['--resume', 'model'], kind: 'people', names: cat },
    { words: ['-c', `missing${evil}.json`], kind: 'people', code: 2 },
    { words: [...config, '--strict'], kind: 'people', code: 3 },
    { words: [...config, '--set', `data.source.positive="${evil.replaceAll(/\p{Cc}/gu, '\\u0007')}"`], kind: 'people', code: 2 },
    { words: ['-c', 'fields.json'], kind: 'people', code: 2 },
    { words: [`--${evil}`], kind: 'people', code: 2 },
  ],
  predict: [
    { words: [...model, source], kind: 'rows', code: 7, names: cat },
    { words: [...model, '--json', source], kind: 'json', code: 7, names: cat },
    { words: [...model, '--csv', source], kind: 'csv', code: 7, names: cat },
  ],
  explain: [
    { words: [...model, source], kind: 'people', code: 7, names: cat },
    { words: [...model, source, '--json', '--method', 'occlusion'], kind: 'json', code: 7, names: cat },
    { words: [...model, source, '--out', `maps${evil}/`], kind: 'rows', code: 7, names: cat },
    { words: [...model, source, '--method', evil], kind: 'people', code: 2 },
  ],
  evaluate: [
    { words: [...model, '--split', 'all', '--worst', '9'], kind: 'people', names: cat },
    { words: [...model, '--data', source, '--json', '--predictions'], kind: 'json', names: cat },
    { words: [...model, '--data', source, '--csv'], kind: 'csv', names: cat },
    { words: [...model, '--data', 'other'], kind: 'people', code: 3, names: cat },
  ],
  export: [
    { words: [...model, '--out', `o${evil}.json`], kind: 'people', names: cat },
    { words: [...model, '--out', `o${evil}.npz`, '--json'], kind: 'json', names: evil },
    { words: ['--check', `e${evil}.json`], kind: 'people', names: evil },
    { words: ['--check', `e${evil}.json`, '--json'], kind: 'json', names: evil },
    { words: ['--check', `missing${evil}`], kind: 'people', code: 4 },
    { words: [...model, '--out', `e${evil}`], kind: 'people', code: 2 },
  ],
  tune: [
    { words: [...config, '--trials', '1', '--jobs', '1'], kind: 'people', names: evil },
    { words: [...config, '--trials', '1', '--jobs', '1', '--json'], kind: 'json', names: evil },
    { words: [...config, '--trials', '1', '--jobs', '1', '--report', `s${evil}.html`], kind: 'people', names: evil },
  ],
  diagnose: [
    { words: [...config, '--shard', '1/60', '--jobs', '1', '--output', `d${evil}`], kind: 'people', names: evil },
    { words: [...config, '--shard', '1/60', '--jobs', '1', '--json', '--output', `d${evil}`], kind: 'json', names: evil },
    { words: ['-c', `missing${evil}.json`], kind: 'people', code: 2 },
  ],
  'gradient-check': [
    { words: config, kind: 'people' },
    { words: [...config, '--json'], kind: 'json' },
  ],
  graph: [
    { words: config, kind: 'people' },
    { words: [...config, '--json'], kind: 'json' },
    { words: [...config, '--format', evil], kind: 'people', code: 2 },
  ],
  'data fetch': [
    { words: ['course', '--from', source], kind: 'people', code: 3 },
    { words: [evil], kind: 'people', code: 2 },
  ],
  'data draw': [
    { words: ['--out', `drawn${evil}`, '--count', '2', '--size', '8'], kind: 'rows', names: evil },
    { words: ['--out', `drawn${evil}`, '--count', '2', '--size', '8', '--force', '--json'], kind: 'json', names: evil },
  ],
  'data inspect': [
    { words: [source, ...model], kind: 'people', ...inspecting },
    { words: [source, '--json'], kind: 'json', ...inspecting },
    { words: config, kind: 'people', ...inspecting },
    { words: [source, '--html', `found${evil}.html`], kind: 'people', ...inspecting },
  ],
  'data preview': [
    { words: [source, '--out', `sheet${evil}.png`], kind: 'rows', names: evil },
    { words: [source, '--out', `sheet${evil}.html`, '--json'], kind: 'json', names: cat },
  ],
  'data clean': [
    { words: [source, '--out', `list${evil}.csv`], kind: 'rows', names: evil },
    { words: [source, '--out', `list${evil}.csv`, '--force', '--json'], kind: 'json', names: evil },
    { words: ['moved', '--apply', `moved${evil}.csv`], kind: 'rows' },
    { words: ['moved', '--apply', `missing${evil}.csv`], kind: 'people', code: 3 },
  ],
  'data pack': [
    { words: [source, '--positive', cat, '--out', `p${evil}.safetensors`], kind: 'rows', names: evil },
    { words: [source, '--positive', cat, '--out', `p${evil}.safetensors`, '--force', '--json'], kind: 'json', names: evil },
  ],
  'config init': [
    { words: [source, '--positive', cat], kind: 'people', names: cat },
    { words: [source, '--positive', cat, '--out', `first${evil}.json`], kind: 'rows', names: evil },
    { words: [source, '--positive', cat, '--json'], kind: 'json', names: cat },
    { words: [source, '--positive', cat, '--out', `c${evil}.json`], kind: 'people', code: 2 },
  ],
  'config check': [
    { words: [`c${evil}.json`], kind: 'people', names: cat },
    { words: [`c${evil}.json`, '--json'], kind: 'json', names: cat },
    { words: [`missing${evil}.json`], kind: 'people', code: 2 },
  ],
  'config show': [
    { words: [`c${evil}.json`], kind: 'people', names: cat },
    { words: [`c${evil}.json`, '--json'], kind: 'json', names: cat },
  ],
  'config schema': [
    { words: ['--out', `schema${evil}.json`], kind: 'rows', names: evil },
    { words: ['--out', `schema${evil}.json`, '--json'], kind: 'json', names: evil },
  ],
  completion: [
    { words: ['zsh', '--json'], kind: 'json' },
    { words: [evil], kind: 'people', code: 2 },
  ],
  'model show': [
    { words: ['model'], kind: 'people', names: cat },
    { words: ['model', '--json'], kind: 'json', names: cat },
    { words: [`missing${evil}`], kind: 'people', code: 4 },
  ],
  runs: [
    { words: [], kind: 'people', names: evil },
    { words: ['--json'], kind: 'json', names: evil },
    { words: ['--csv'], kind: 'csv', names: evil },
    { words: ['--sort', evil], kind: 'people', code: 2 },
  ],
  'runs show': [
    { words: [`run${evil}`], kind: 'people', names: evil },
    { words: [`run${evil}`, '--json'], kind: 'json', names: evil },
    { words: [`damaged${evil}`], kind: 'people', names: evil },
    { words: [`missing${evil}`], kind: 'people', code: 2 },
  ],
  'runs compare': [
    { words: [`run${evil}`, 'other'], kind: 'people', names: evil },
    { words: ['other', `run${evil}`, '--json'], kind: 'json', names: evil },
    { words: [`run${evil}`, `damaged${evil}`], kind: 'people', code: 3, names: evil },
  ],
};

/** Where the runs are whose names are evil. */
const runs = { NN_RUNS: 'runs' };

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  for (const place of [source, 'moved', 'other']) {
    for (const [label, name] of [place === 'other' ? 'x' : cat, thing].entries()) {
      await mkdir(join(folder, place, name), { recursive: true });
      const pictures = place === 'other' ? 1 : 8;
      for (let index = 0; index < pictures; index++)
        await writePicture(join(folder, place, name, `${index}${evil}.png`), { index, cat: label === 0 });
    }
    if (place !== 'other') await writeFile(join(folder, place, cat, `damaged${evil}.png`), 'no picture');
  }
  const data = { source: { type: 'folder', path: source, positive: cat }, imageSize: 8 };
  const search = { parameters: { 'training.l2': { choice: [0] } } };
  await writeJson(join(folder, `c${evil}.json`), { data, training: { epochs: 2 }, search });
  await writeJson(join(folder, 'fields.json'), { data: { ...data, [evil]: evil, normalize: evil }, [evil]: {} });
  await run(0, ['train', ...config, '-o', 'model', '-q'], { cwd: folder });
  await run(0, ['export', '-m', 'model', '--out', `e${evil}.json`, '-q'], { cwd: folder });
  for (const name of [`run${evil}`, 'other']) await cp(join(folder, 'model'), join(folder, 'runs', name), { recursive: true });
  await makeRun(join(folder, 'runs', `damaged${evil}`), { config: { data }, summary: null });
  await writeFile(join(folder, 'runs', `damaged${evil}`, 'summary.json'), evil);
  await run(0, ['data', 'clean', 'moved', '--out', 'moved.csv', '-q'], { cwd: folder });
  await rename(join(folder, 'moved.csv'), join(folder, `moved${evil}.csv`));
});
afterAll(() => rm(folder, { recursive: true }));

/** All texts in a JSON value, keys included. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return value === null || typeof value !== 'object' ? [] : Object.entries(value).flatMap(([key, one]) => [key, ...textsIn(one)]);
}

describe.skipIf(process.platform === 'win32')('names that command terminals and forge lines', () => {
  test('every command is tried', () => {
    expect(Object.keys(calls).sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  const rows = Object.entries(calls).flatMap(([name, all]) => all.map((call, i) => ({ name, call: i + 1, ...call })));
  test.each(someOf(rows))('nn $name, call $call, as $kind', async ({ name, words, kind, code = 0, names = '' }) => {
    const { stdout, stderr } = await run(code, [...name.split(' '), ...words], { cwd: folder, env: runs });
    expect(stderr).not.toMatch(commanding('\\n'));
    expect(stderr).not.toMatch(/^forged/m);
    if (code !== 0) expect(stderr).not.toBe('');
    if (kind === 'csv') {
      const texts = textsIn(parse(stdout, { columns: true }));
      expect(texts.some((text) => text.includes(names))).toBe(true);
      return;
    }
    expect(stdout).not.toMatch(commanding(kind === 'rows' ? '\\n\\t' : '\\n'));
    expect(stdout).not.toMatch(/^forged/m);
    if (kind === 'json') {
      const texts = stdout.trimEnd().split('\n').flatMap((line) => textsIn(JSON.parse(line))); // biome-ignore format: a chain of calls
      expect(texts.some((text) => text.includes(names))).toBe(true);
    } else if (names !== '') {
      expect(stdout + stderr).toContain(names.replace(evil, harmless));
    }
  });
});
