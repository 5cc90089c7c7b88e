import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../cli/pictures.ts';
import { fuzz, type Result } from './campaign.ts';
import { readerProcess } from './reader-process.ts';
import { makeSeeds, type Seeds } from './seeds.ts';
import { outside } from './svg-mutations.ts';
import { svgTarget, type Target, targets } from './targets.ts';

/**
 * Files from outside, made of sound ones by changes at random. NN_FUZZ=100000 npx vitest run test/fuzz is the long form, with
 * NN_FUZZ_SEED for other inputs; docs/reliability.md has its result. What is found lies in fuzz-findings/ with its reason, and
 * is made again by NN_FUZZ_ONLY='PNG 123' and the same seed.
 */
const inputs = Number(process.env['NN_FUZZ'] ?? 80);
const seed = Number(process.env['NN_FUZZ_SEED'] ?? 1);
const [, only, number] = /^(.*?)(?: (\d+))?$/.exec(process.env['NN_FUZZ_ONLY'] ?? '') ?? [];

let made: string;
let seeds: Seeds;
const results: Record<string, Result> = {};
const folders = () => ({ work: join(made, 'work'), temporary: join(made, 'temporary'), findings: 'fuzz-findings', made });

beforeAll(async () => {
  made = await temporaryFolder();
  await mkdir(folders().work);
  await mkdir(folders().temporary);
  seeds = await makeSeeds(made);
});
afterAll(async () => {
  if (process.env['NN_FUZZ'] !== undefined)
    await writeFile(`fuzz-${seed}.json`, `${JSON.stringify({ seed, results }, null, 2)}\n`);
  await rm(made, { recursive: true });
});

const names = [...Object.keys(targets), 'SVG'].filter((name) => !only || name === only);
const targetOf = (name: string): Target => (name === 'SVG' ? svgTarget(made, outside) : targets[name as keyof typeof targets]);
const shares = Object.values<Target>(targets).reduce((sum, { share }) => sum + share, svgTarget('', outside).share);

describe('never a crash, a hang, memory beyond the bound, a file outside, or a wrong answer', () => {
  test.each(names)('%s', { timeout: 36_000_000 }, async (name) => {
    const target = targetOf(name);
    const reader = readerProcess(folders());
    try {
      const count = number !== undefined ? 1 : only ? inputs : Math.ceil((inputs * target.share) / shares);
      const campaign = { name, target, seeds: target.seeds(seeds), reader, folders: folders(), seed };
      const result = await fuzz({ ...campaign, from: Number(number ?? 0), count });
      results[name] = result;
      expect(result.findings).toEqual([]);
      expect(await readdir(folders().temporary)).toEqual([]);
    } finally {
      reader.close();
    }
  });
});
