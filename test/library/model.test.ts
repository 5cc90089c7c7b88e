import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evaluate, loadModel, type Model, predict } from '../../src/library/library.ts';
import type { Evaluation, Prediction } from '../../src/results/evaluation.ts';
import { folderConfig, run, temporaryFolder, writeClasses, writeJson, writePicture } from '../cli/pictures.ts';

let folder: string;
let model: Model;
const inFolder = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(inFolder('pictures'), 15);
  await writeClasses(inFolder('others'), 4);
  await writePicture(inFolder('wide.png'), { index: 77, cat: true, side: 40 });
  await writeFile(inFolder('text.txt'), 'no picture');
  await writeJson(inFolder('c.json'), folderConfig({ training: { epochs: 20 } }));
  await run(0, ['train', '-c', 'c.json', '-o', 'model', '-q'], { cwd: folder });
  model = await loadModel(inFolder('model'));
});
afterAll(() => rm(folder, { recursive: true }));

const fromCommand = async <Result>(...words: string[]) =>
  JSON.parse((await run(0, [...words, '--model', 'model', '--json'], { cwd: folder })).stdout) as Result;

describe('predict', () => {
  test('answers as the command does, for a path, the bytes of a file and its pixels', async () => {
    const { label, p, confidence } = await fromCommand<Prediction>('predict', 'wide.png');
    const expected = { label, p, confidence };
    const { data, info } = await sharp(inFolder('wide.png')).raw().toBuffer({ resolveWithObject: true });
    const raw = { pixels: data, width: info.width, height: info.height };
    expect(await model.predict(inFolder('wide.png'))).toEqual(expected);
    expect(await model.predict(await readFile(inFolder('wide.png')))).toEqual(expected);
    expect(await model.predict(raw)).toEqual(expected);
    expect(await predict(raw, { model: inFolder('model') })).toEqual(expected);
  });

  test('a threshold for once moves the label, not p', async () => {
    const { p } = await model.predict(inFolder('wide.png'));
    const at = (threshold: number) => model.predict(inFolder('wide.png'), { threshold });
    expect([await at(p), await at(p - 1e-9)]).toMatchObject([
      { label: model.classes.negative, p },
      { label: model.classes.positive, p },
    ]);
  });

  test('what is no picture is refused by its name', async () => {
    await expect(model.predict(inFolder('text.txt'))).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringMatching(/text\.txt: /),
    });
    const raw = { pixels: new Uint8Array(11), width: 2, height: 2 };
    await expect(model.predict(raw)).rejects.toThrow('the image: expected 12 bytes for RGB pixels of 2 × 2, found 11 bytes');
    await expect(model.predict({ ...raw, height: 0.5 })).rejects.toThrow('expected width and height to be whole numbers');
    await expect(loadModel(inFolder('nowhere'))).rejects.toMatchObject({ name: 'NnError', kind: 'model', exitCode: 4 });
  });

  test('many are answered in their order, with errors in their places', async () => {
    const names = (await readdir(inFolder('pictures/cat'))).map((name) => inFolder(join('pictures/cat', name)));
    const images = [names[0]!, inFolder('text.txt'), ...names.slice(1)];
    const answers = [];
    for await (const answer of model.predictEach(images)) answers.push(answer);
    expect(answers.map(({ image }) => image)).toEqual(images);
    expect(answers.map(({ error }) => error?.kind ?? null)).toEqual(images.map((name) => (name.endsWith('txt') ? 'data' : null)));
    expect(answers.at(-1)).toEqual({ image: images.at(-1), error: null, ...(await model.predict(images.at(-1)!)) });
  });
});

describe('evaluate', () => {
  test("gives the object of the command, for the run's own data and for another source", async () => {
    expect(await model.evaluate()).toEqual(await fromCommand<Evaluation>('evaluate'));
    const options = { predictions: true, threshold: 0.4 };
    const words = ['--data', inFolder('others'), '--predictions', '--threshold', '0.4'];
    const expected = await fromCommand<Evaluation>('evaluate', ...words);
    const withoutPaths = ({ rows, ...rest }: Evaluation) => ({ ...rest, rows: rows!.map((row) => ({ ...row, path: null })) });
    expect(withoutPaths(await model.evaluate(inFolder('others'), options))).toEqual(withoutPaths(expected));
    expect(expected.rows).toHaveLength(8);
  });

  test('tells what may be wrong, and how far it is', async () => {
    await writeFile(inFolder('others/cat/broken.png'), 'no picture');
    const warnings: string[] = [];
    const progress: number[] = [];
    await evaluate(inFolder('others'), {
      model: inFolder('model'),
      onWarning: (text) => warnings.push(text),
      onProgress: (_, done, total) => progress.push(done / total),
    });
    expect(warnings.join()).toContain('broken.png');
    expect(progress.at(-1)).toBe(1);
    const strict = model.evaluate(inFolder('others'), { strict: true });
    await expect(strict).rejects.toMatchObject({ kind: 'data', message: expect.stringContaining('broken.png') });
    const reason = new Error('enough');
    await expect(model.evaluate(undefined, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
