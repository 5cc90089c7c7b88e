import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeTensors } from '../../src/run/tensor-file.ts';
import { run, temporaryFolder, writeJson } from './pictures.ts';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeJson(join(folder, 'c.json'), {
    data: { source: { type: 'drawn', count: 40 }, imageSize: 8 },
    model: { layers: [{ units: 3, activation: 'tanh' }] },
    training: { epochs: 1, l2: 0.5 },
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const type = (code: number, line: string) => run(code, line.split(' '), { cwd: folder });

describe('nn gradient-check', () => {
  interface Checked {
    rightBelow: number;
    layers: { layer: number; tensors: string; difference: number; checked: number; right: boolean }[];
  }

  test('finds the gradients of each layer right, of as many parameters as it is asked for', async () => {
    const { stdout } = await type(0, 'gradient-check --config c.json --json --parameters 50');
    const { rightBelow, layers } = JSON.parse(stdout) as Checked;
    expect(layers.map(({ layer, tensors, checked, right }) => ({ layer, tensors, checked, right }))).toEqual([
      { layer: 1, tensors: 'W1, b1', checked: 50, right: true },
      { layer: 2, tensors: 'W2, b2', checked: 4, right: true },
    ]);
    for (const { difference } of layers) expect(difference).toBeLessThan(rightBelow);
  });

  test('checks every parameter with --all, and says it in words', async () => {
    const { stdout } = await type(0, 'gradient-check --config c.json --all --examples 4');
    expect(stdout).toMatch(/1 +W1, b1 +\S+ +579 +0 +right/); // 3 · 8 · 8 · 3 + 3
    expect(stdout).toMatch(/All below \S+, or as near as rounding lets one see: the gradients are right\./);
  });
});

describe('what a config names beside its pictures', () => {
  const vector = (length: number) => ({ shape: [length], data: new Float32Array(length).fill(1) });

  test('rates for each input are taken from a file', async () => {
    await writeFile(join(folder, 'rates.safetensors'), encodeTensors({ metadata: {}, tensors: { rates: vector(192) } }));
    await type(0, 'train -c c.json --set training.learningRateByFeature=rates.safetensors -o rates -q');
  });

  test('a file of rates for other inputs is refused before anything is trained', async () => {
    await writeFile(join(folder, 'few.safetensors'), encodeTensors({ metadata: {}, tensors: { rates: vector(191) } }));
    const { stderr } = await type(4, 'train -c c.json --set training.learningRateByFeature=few.safetensors -o few');
    expect(stderr).toContain('few.safetensors: rates: expected 192 numbers, found 191');
  });

  test('weights of another network are refused, with both', async () => {
    await type(0, 'train -c c.json -o first -q');
    const { stderr } = await type(4, 'train -c c.json --set model.layers.0.units=5 --set training.startFrom=first -o second');
    expect(stderr).toContain('training.startFrom: expected a network 192 → 5 → 1 of the same activations, found 192 → 3 → 1 in');
  });

  test.each([
    ['another activation', ['activation=relu'], [], 'relu in layer 1, found tanh'],
    [
      'another slope',
      ['activation=leakyRelu', 'slope=0.3'],
      ['activation=leakyRelu'],
      'leakyRelu of slope 0.3 in layer 1, found leakyRelu of slope 0.01',
    ],
    ['batch norm', ['batchNorm=true'], [], 'tanh with batch norm in layer 1, found tanh'],
  ])('weights of a network with %s are refused, and those of the same are taken', async (what, layer, before, found) => {
    const sets = (fields: readonly string[]) => fields.map((field) => ` --set model.layers.0.${field}`).join('');
    const name = what.replaceAll(' ', '-');
    await type(0, `train -c c.json${sets(before)} -o ${name} -q`);
    const words = `train -c c.json --set training.startFrom=${name}`;
    expect((await type(4, `${words}${sets(layer)} -n`)).stderr).toContain(
      `training.startFrom: expected ${found} in ${join(folder, name)}`,
    );
    await type(0, `${words}${sets(before)} -n`);
  });
});

test('nn data draw says what a difficulty may be, and why a folder cannot be written', async () => {
  expect((await type(2, 'data draw --count 2 --out x --difficulty medium')).stderr).toMatch(
    /--difficulty: expected easy, hard, found "medium"/,
  );
  await writeFile(join(folder, 'file'), '');
  expect((await type(3, 'data draw --count 2 --out file/x')).stderr).toContain("--out file/x: can't be written: ");
});
