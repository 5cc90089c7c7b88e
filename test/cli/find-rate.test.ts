import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { configsPath, nn } from '../cli.ts';
import { sharedData, withoutShared } from '../shared.ts';

const folder = mkdtempSync(join(tmpdir(), 'nn-find-rate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(
  join(folder, 'small.json'),
  JSON.stringify({
    data: { source: { type: 'drawn', count: 120 }, imageSize: 16, normalize: 'standardize' },
    model: { layers: [{ units: 6 }] },
    training: { epochs: 25, learningRate: [0.01, 0.02] },
  }),
);
const train = (...words: string[]) => nn(['train', '--config', 'small.json', ...words], { cwd: folder });

test('nn train --find-rate plots cost against rate, proposes a rate, and writes nothing', async () => {
  const { code, stdout } = await train('--find-rate', '--set', 'training.learningRate=0.5');
  expect(code).toBe(0);
  expect(stdout).toMatch(/┬.*\n.*1e-10/);
  expect(stdout).toContain('▲');
  expect(stdout).toMatch(/^Proposed: --set training\.learningRate=[\d.e-]+$/m);
  expect(readdirSync(folder)).toEqual(['small.json']);
});

test('nn train --find-rate --json prints rates, costs and a proposal that trains, with rates by layer too', async () => {
  const { code, stdout } = await train('--find-rate', '--json');
  expect(code).toBe(0);
  const { rates, costs, proposed, diverged, set } = JSON.parse(stdout);
  expect(costs).toHaveLength(rates.length);
  expect(diverged === null || diverged > proposed).toBe(true);
  const [first, last] = JSON.parse(/^training\.learningRate=(.*)$/.exec(set)![1]!);
  expect(last).toBe(proposed);
  expect(first / last).toBeCloseTo(0.5, 2);

  const trained = await train('--output', 'run', '--json', '--set', set);
  expect(trained.code).toBe(0);
  expect(JSON.parse(trained.stdout).metrics.train.cost).toBeLessThan(0.8 * costs[0]);
});

test.skipIf(sharedData === null)(
  `no rate is proposed above one that broke off, as the course's run has one (${withoutShared})`,
  async () => {
    const at = (part: string) => ['--set', `data.${part}.path=${sharedData}/course-catvnoncat/${part}_catvnoncat.h5`];
    const config = join(configsPath, 'course-four-layer.json');
    const { code, stdout } = await nn(['train', '--config', config, ...at('train'), ...at('test'), '--find-rate', '--json'], {
      cwd: folder,
    });
    expect(code).toBe(0);
    const { trials, proposed } = JSON.parse(stdout) as { trials: { rate: number; cost: number | null }[]; proposed: number };
    const broken = trials.filter(({ cost }) => cost === null).map(({ rate }) => rate);
    expect(broken.length).toBeGreaterThan(0); // else this shows nothing
    expect(proposed).toBeLessThan(Math.min(...broken));
  },
);
