import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** Patches that add to the house; `npm run extend` applies and tests each in a copy of its own. Here it is asked whether they still fit. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = fileURLToPath(new URL('.', import.meta.url));
const patches = readdirSync(folder).filter((name) => name.endsWith('.patch'));

test('an optimizer, an activation, a metric and a kind of layer', () =>
  expect(patches).toEqual(['depthwise.patch', 'elu.patch', 'matthews.patch', 'nadam.patch']));

describe.skipIf(!existsSync(join(root, '.git')))('a patch', () => {
  test.each(patches)('%s fits', (name) => {
    const { status, stderr } = spawnSync('git', ['apply', '--check', join(folder, name)], { cwd: root, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

test('a kind of layer touches nothing in training, run, report, export and commands', () => {
  const touched = [...readFileSync(join(folder, 'depthwise.patch'), 'utf8').matchAll(/^diff --git a\/(src\/\S+)/gm)].map(
    ([, file]) => file,
  );
  expect(touched).toEqual(['src/config/schema.ts', 'src/nn/build.ts', 'src/nn/ops/depthwise.ts']);
});
