import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderConfig, readJson, run, temporaryFolder, writeClasses, writeJson } from './pictures.ts';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(join(folder, 'pictures'), 30);
  const layers = [{ type: 'conv', filters: 3, batchNorm: true }, { type: 'maxPool', size: 2 }, { units: 4 }];
  const config = folderConfig({ data: { imageSize: 8 }, model: { layers }, training: { epochs: 2, averageMirrored: true } });
  await writeJson(join(folder, 'c.json'), { precision: 'float64', ...config });
  await run(0, ['train', '-c', 'c.json', '-o', 'run', '-q'], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

const nn = (code: number, line: string, options: { env?: Record<string, string> } = {}) =>
  run(code, line.split(' '), { cwd: folder, ...options });

test('a trained model goes along as ONNX in float32, which is said, and answers alike', async () => {
  const { stdout, stderr } = await nn(0, 'export -m run --out cat.onnx');
  expect(stderr).toContain('The model is of float64, the exported file of float32');
  expect(stdout).toMatch(/accuracy {2}\d+\.\d% \(\d+\.\d% to \d+\.\d%\) on \d+ pictures of test/);
  const checked = await nn(0, 'export --check cat.onnx --json');
  const { largestDifferenceP, ...found } = JSON.parse(checked.stdout);
  expect(largestDifferenceP).toBeLessThanOrEqual(1e-5);
  expect(found).toMatchObject({ file: 'cat.onnx', format: 'onnx', pictures: 16, otherLabels: 0, agrees: true });
});

test('without a runtime for ONNX it is said which package to install', async () => {
  const resolve =
    'export function resolve(name,context,next){if(name.startsWith("onnxruntime"))throw Object.assign(new Error("none"),{code:"ERR_MODULE_NOT_FOUND"});return next(name,context)}';
  const hook = `import{register}from"node:module";register("data:text/javascript,${encodeURIComponent(encodeURIComponent(resolve))}")`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook).replaceAll("'", '%27')}` };
  await nn(0, 'export -m run --out runtime.onnx');
  const { stderr } = await nn(2, 'export --check runtime.onnx', { env });
  expect(stderr).toContain('expected onnxruntime-node or onnxruntime-web to run it, found neither');
  expect(stderr).toContain('npm install --global onnxruntime-web');
});

test('what is there is kept without --force, and the ending says the format', async () => {
  await nn(0, 'export -m run --out cat.npz');
  const first = await readFile(join(folder, 'cat.npz'));
  expect((await nn(2, 'export -m run --out cat.npz')).stderr).toContain('overwrite it with --force');
  await nn(0, 'export -m run --format npz --out cat.npz --force');
  expect(await readFile(join(folder, 'cat.npz'))).toEqual(first);
  expect((await nn(2, 'export -m run --format npz --out run/model.safetensors --force')).stderr).toContain('ending in .npz');
  expect((await nn(2, 'export --check cat.npz --format npz')).stderr).toContain('--format');
});

test('a file with other weights answers otherwise, exit 6; what is none of nn export ends with 4', async () => {
  await nn(0, 'export -m run --out cat.json');
  const file = join(folder, 'cat.json');
  const exported = await readJson<{ tensors: Record<string, number[][]>; quality: unknown }>(file);
  expect(exported.quality).toMatchObject({ part: 'test', trainedOn: { total: expect.any(Number) } });
  exported.tensors['W2']![0]![0]! += 0.5;
  await writeFile(file, JSON.stringify(exported));
  expect((await nn(6, 'export --check cat.json')).stdout).toContain('OTHERWISE');
  expect((await nn(4, 'export --check run/config.json')).stderr).toContain('expected what nn export wrote');
  expect((await nn(4, 'export --check run/model.safetensors')).stderr).toContain('expected a file of nn export');
});

test('how good a model is, is not known where it lies alone, or the summary beside it is damaged', async () => {
  await copyFile(join(folder, 'run', 'model.safetensors'), join(folder, 'model.safetensors'));
  expect((await nn(0, 'export -m model.safetensors --out alone.json')).stdout).toMatch(/accuracy {2}not known/);
  await writeFile(join(folder, 'summary.json'), '{');
  const { stdout, stderr } = await nn(0, 'export -m model.safetensors --out alone.json --force --json');
  expect(stderr).toContain('expected the summary of a run');
  expect(JSON.parse(stdout).quality).toBeNull();
});
