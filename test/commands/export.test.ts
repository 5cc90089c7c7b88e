import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command } from '../../src/commands/export.ts';
import { UserError } from '../../src/errors.ts';
import type { ExportFormatName } from '../../src/export/formats.ts';
import type { ExportCheck, Exported } from '../../src/results/export.ts';
import { saveClassifier } from '../../src/run/model-file.ts';
import { randomClassifier } from '../classifier/classifiers.ts';
import { readJson, run, temporaryFolder } from '../cli/pictures.ts';
import { conv, dense } from '../nn/networks.ts';
import { makeRun } from '../run/made-runs.ts';
import { listeningContext } from './context.ts';

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRun(at('run'));
  const hidden = [conv(3, { batchNorm: true }), { type: 'maxPool', size: 2, stride: 2 } as const, dense(4)];
  const classifier = { ...randomClassifier({ side: 8, hidden }), averageMirrored: true };
  await saveClassifier(at('run', 'model.safetensors'), classifier);
});
afterAll(() => rm(folder, { recursive: true }));

async function exported(out: string, more: { format?: ExportFormatName; force?: boolean; model?: string } = {}) {
  const { context, said } = listeningContext({ json: true });
  const ended = await command.run(context, { model: at('run'), out: at(out), ...more }, []);
  expect(ended).toBeUndefined();
  return { ...said, result: JSON.parse(said.printed[0]!) as Exported };
}

async function checked(file: string) {
  const { context, said } = listeningContext({ json: true });
  const ended = await command.run(context, { check: at(file) }, []);
  return { ended, result: JSON.parse(said.printed[0]!) as ExportCheck };
}

async function refusalOf(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(() => null, (reason) => reason); // biome-ignore format: one call
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

test('a model of float64 goes along as ONNX in float32, which is said, and answers alike', async () => {
  const { noted, result } = await exported('cat.onnx');
  expect(noted).toEqual([expect.stringContaining('The model is of float64, the exported file of float32')]);
  expect(result).toMatchObject({ format: 'onnx', precision: 'float32', pictures: 16 });
  expect(await checked('cat.onnx')).toMatchObject({ ended: undefined, result: { otherLabels: 0, agrees: true } });
});

test('without a runtime for ONNX it is said which package to install, exit 2', async () => {
  await exported('runtime.onnx');
  const refusing = `export function resolve(name, context, next) {
    if (name.startsWith('onnxruntime')) throw Object.assign(new Error('none'), { code: 'ERR_MODULE_NOT_FOUND' });
    return next(name, context);
  }`;
  await writeFile(at('refusing.mjs'), refusing);
  await writeFile(at('hook.mjs'), "import { register } from 'node:module'; register('./refusing.mjs', import.meta.url);");
  const env = { NODE_OPTIONS: `--import=${pathToFileURL(at('hook.mjs'))}` };
  const { stderr } = await run(2, ['export', '--check', 'runtime.onnx'], { cwd: folder, env });
  expect(stderr).toContain('expected onnxruntime-node or onnxruntime-web to run it, found neither');
  expect(stderr).toContain('npm install --global onnxruntime-web');
});

test('what is there is kept without --force, and the ending says the format', async () => {
  await exported('cat.npz');
  const first = await readFile(at('cat.npz'));
  expect(await refusalOf(exported('cat.npz'))).toMatchObject({ kind: 'usage', hint: expect.stringContaining('--force') });
  await exported('cat.npz', { format: 'npz', force: true });
  expect(await readFile(at('cat.npz'))).toEqual(first);
  const { kind, message } = await refusalOf(exported('run/model.safetensors', { format: 'npz', force: true }));
  expect([kind, message]).toEqual(['usage', expect.stringContaining('expected a file ending in .npz, found')]);
});

describe('--check', () => {
  test('of a file with other weights ends as a gate that was missed', async () => {
    await exported('cat.json');
    const content = await readJson<{ tensors: Record<string, number[][]> }>(at('cat.json'));
    content.tensors['W2']![0]![0]! += 0.5;
    await writeFile(at('other.json'), JSON.stringify(content));
    expect((await checked('cat.json')).ended).toBeUndefined();
    expect(await checked('other.json')).toMatchObject({ ended: 'gate', result: { agrees: false } });
    const { context, said } = listeningContext();
    await command.run(context, { check: at('other.json') }, []);
    expect(said.printed[0]).toContain('answers OTHERWISE than nn');
  });

  test.each([
    ['run/config.json', /expected what nn export wrote, found no sound value in format$/],
    ['run/model.safetensors', /expected a file of nn export \(onnx, npz, json, html\), found another$/],
    ['missing.onnx', /expected an exported file, found: no such file or folder$/],
  ])('refuses %s', async (file, message) => {
    expect(await refusalOf(checked(file))).toMatchObject({ kind: 'model', message: expect.stringMatching(message) });
  });
});

describe('how good a model is', () => {
  test('is what the summary of its run says', async () => {
    const { metrics, examples } = await readJson<{
      metrics: { test: { accuracy: number; accuracyInterval: number[] } };
      examples: Record<'train' | 'test', { total: number }>;
    }>(at('run', 'summary.json'));
    const { accuracy, accuracyInterval } = metrics.test;
    const quality = { part: 'test', pictures: examples.test.total, accuracy, accuracyInterval, trainedOn: examples.train };
    expect((await exported('good.json')).result.quality).toEqual(quality);
  });

  test('is not known where the model lies alone, or has another name, or the summary is damaged', async () => {
    await copyFile(at('run', 'model.safetensors'), at('model.safetensors'));
    await copyFile(at('run', 'model.safetensors'), at('run', 'other.safetensors'));
    expect((await exported('alone.json', { model: at('model.safetensors') })).result.quality).toBeNull();
    expect((await exported('other-name.json', { model: at('run', 'other.safetensors') })).result.quality).toBeNull();
    await writeFile(at('summary.json'), '{');
    const { warned, result } = await exported('damaged.json', { model: at('model.safetensors') });
    expect(warned).toEqual([expect.stringContaining('expected the summary of a run')]);
    expect(result.quality).toBeNull();
  });
});
