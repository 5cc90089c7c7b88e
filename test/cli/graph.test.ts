import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configsPath, nn } from '../cli.ts';

const run = (config: string, ...words: string[]) =>
  nn(['graph', '--config', join(configsPath, `${config}.json`), ...words], { cwd: tmpdir() });

test('nn graph prints the graph of a config whose data is not there', async () => {
  const { code, stdout, stderr } = await run('course-four-layer', '--set', 'data.train.path=nowhere.h5');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('X → Z[1] → A[1] → Z[2] → A[2] → Z[3] → A[3] → Z[4] → Ŷ → L → J');
  expect(stdout).toMatch(/in all +245,973\n/);
});

test('nn graph follows --set', async () => {
  const sets = ['data.imageSize=2', 'model.layers=[{"units":3,"batchNorm":true}]', 'training.l2=0.5', 'training.classWeight=3'];
  const { code, stdout } = await run('quickstart', '--json', ...sets.flatMap((set) => ['--set', set]));
  expect(code).toBe(0);
  const graph = JSON.parse(stdout);
  expect(graph.sizes).toEqual([12, 3, 1]);
  expect(graph.layerParameters).toEqual([12 * 3 + 3 + 3, 3 + 1]);
  const cost = graph.nodes.find(({ id }: { id: string }) => id === 'J');
  expect(cost.formula).toBe('(1/m) Σ w ∘ L + R');
});

test.each([
  ['mermaid', /^%% .*\nflowchart LR\n/],
  ['svg', /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" .*<\/svg>\n$/s],
])('nn graph --format %s prints that and nothing else', async (format, expected) => {
  const { code, stdout, stderr } = await run('course-logistic', '--format', format);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(expected);
});

test('nn graph refuses a format that it does not know', async () => {
  const { code, stdout, stderr } = await run('course-logistic', '--format', 'pdf');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('--format: expected text, mermaid, svg, found "pdf"');
});
