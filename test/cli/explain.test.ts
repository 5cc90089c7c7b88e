import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { normalizers } from '../../src/data/normalize.ts';
import type { prediction } from '../../src/results/evaluation.ts';
import type { explanation } from '../../src/results/explanation.ts';
import { loadClassifier, saveClassifier } from '../../src/run/model-file.ts';
import { cornerClassifier } from '../classifier/classifiers.ts';
import { someOf } from '../thorough.ts';
import { folderConfig, listing, run, temporaryFolder, writeClasses, writeJson, writePicture } from './pictures.ts';

type Explanation = z.infer<typeof explanation>;
type Prediction = z.infer<typeof prediction>;

const side = 16;
let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(join(folder, 'pictures'), 15);
  await writeJson(join(folder, 'c.json'), folderConfig());
  for (const normalize of Object.keys(normalizers)) {
    const set = ['--set', 'model.layers=[]', '--set', `data.normalize=${normalize}`, '--set', 'training.learningRate="auto"'];
    await run(0, ['train', '-c', 'c.json', '-o', `logistic-${normalize}`, '-q', ...set], { cwd: folder });
  }
  const layers = '[{"units":6,"activation":"leakyRelu","batchNorm":true,"keepProb":0.8},{"units":3,"activation":"tanh"}]';
  await run(0, ['train', '-c', 'c.json', '-o', 'deep', '-q', '--set', `model.layers=${layers}`], { cwd: folder });
  await saveClassifier(join(folder, 'corners.safetensors'), cornerClassifier(side, 4));
  await mkdir(join(folder, 'in', 'deep'), { recursive: true });
  await writePicture(join(folder, 'in', 'a.png'), { index: 50, cat: true });
  await writePicture(join(folder, 'in', 'deep', 'a.png'), { index: 51, cat: false });
  await writeFile(join(folder, 'broken.png'), 'no picture');
  const white = { create: { width: side, height: side, channels: 3, background: '#ffffff' } } as const;
  await sharp(white).png().toFile(join(folder, 'white.png'));
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const explain = (code: number, ...words: string[]) => run(code, ['explain', ...words], { cwd: folder });
const rowsOf = <Row>({ stdout }: { stdout: string }) => stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Row); // biome-ignore format: a chain of calls
const rowOf = async (...words: string[]) => rowsOf<Explanation>(await explain(0, '--json', ...words))[0]!;
const predicted = async (model: string, ...files: string[]) =>
  rowsOf<Prediction>(await run(0, ['predict', '--json', '--model', model, ...files], { cwd: folder }));

describe('gradient times input', () => {
  test.each(someOf(Object.keys(normalizers)))(
    'logistic regression after %s: map and bias add up to what predict answers',
    async (name) => {
      const model = `logistic-${name}`;
      const { file, label, p, logit, threshold, method, map, parts, bias, remainder, occlusion, out, error } = await rowOf(
        ...['--model', model, 'in/a.png'],
      );
      const [answer] = await predicted(model, 'in/a.png');
      expect({ file, label, p, threshold, error }).toEqual({
        file: 'in/a.png',
        label: answer!.label,
        p: answer!.p,
        threshold: answer!.threshold,
        error: null,
      });
      expect({ method, occlusion, out }).toEqual({ method: 'gradient', occlusion: null, out: null });
      expect(map).toHaveLength(side);
      const total = map!.flat().reduce((sum, part) => sum + part, 0);
      const size = map!.flat().reduce((sum, part) => sum + Math.abs(part), 0);
      expect(total).toBeCloseTo(parts!, 9);
      expect(Math.log(p! / (1 - p!))).toBeCloseTo(logit!, 6);
      expect(Math.abs(total + bias! - logit!)).toBeLessThan(1e-6 * (size + Math.abs(bias!)));
      expect(total + bias! + remainder!).toBeCloseTo(logit!, 9);
    },
  );

  test('a network with hidden layers: the remainder is what is left', async () => {
    const { map, parts, bias, remainder, logit } = await rowOf('--model', 'deep', 'in/a.png');
    expect(map!.flat().reduce((sum, part) => sum + part, 0)).toBeCloseTo(parts!, 9);
    expect(parts! + bias! + remainder!).toBeCloseTo(logit!, 9);
    expect(Math.abs(remainder!)).toBeGreaterThan(1e-3);
  });
});

describe('occlusion', () => {
  test.each(['deep', 'logistic-standardizeChannels', 'logistic-scale'])(
    'with %s each value is what nn predict answers for the covered picture',
    async (model) => {
      const { p, occlusion } = await rowOf('--model', model, '--method', 'occlusion', 'in/a.png');
      const { square, starts, differences, fill } = occlusion!;
      expect({ square, starts: starts.length, fill }).toEqual({
        square: 2,
        starts: 15,
        fill: model === 'logistic-scale' ? 'black' : 'training mean',
      });
      const { classifier } = await loadClassifier(join(folder, model));
      const { scale, shift } = classifier.scaling;
      const original = await sharp(join(folder, 'in', 'a.png'))
        .resize(side, side, { kernel: 'lanczos3' })
        .raw()
        .toBuffer();
      await mkdir(join(folder, 'covered'), { recursive: true });
      const places = [[0, 0], [3, 14], [14, 14], [7, 8]] as const; // biome-ignore format: pairs
      for (const [n, [i, j]] of places.entries()) {
        const bytes = Buffer.from(original);
        for (let y = starts[i]!; y < starts[i]! + square; y++) {
          for (let k = (y * side + starts[j]!) * 3; k < (y * side + starts[j]! + square) * 3; k++)
            bytes[k] = Math.min(255, Math.max(0, Math.round(-shift[k]! / scale[k]!)));
        }
        const raw = { width: side, height: side, channels: 3 } as const;
        await sharp(bytes, { raw })
          .png()
          .toFile(join(folder, 'covered', `${n}.png`));
      }
      const answers = await predicted(model, ...places.map((_, n) => `covered/${n}.png`));
      for (const [n, [i, j]] of places.entries()) expect(differences[i]![j]).toBe(p! - answers[n]!.p!);
    },
  );
});

describe('a model that sees two corners alone', () => {
  const model = ['--model', 'corners.safetensors'];

  test.each(['gradient', 'occlusion'])('%s: for it in one, against it in the other', async (method) => {
    const { map, p, logit } = await rowOf(...model, '--method', method, 'white.png');
    expect(Math.min(...map!.slice(0, 4).flatMap((row) => row.slice(0, 4)))).toBeGreaterThan(0);
    expect(Math.max(...map!.slice(-4).flatMap((row) => row.slice(-4)))).toBeLessThan(0);
    expect(
      map!
        .slice(6, 10)
        .flat()
        .every((value) => value === 0),
    ).toBe(true);
    expect(logit).toBeCloseTo(16 * 0.3 + 0.25, 9);
    expect(p).toBeCloseTo(1 / (1 + Math.exp(-5.05)), 9);
  });

  test('in words, with what a map cannot tell', async () => {
    const { stdout, stderr } = await explain(0, ...model, 'white.png');
    expect(stdout).toMatch(/^white\.png: cat, P\(cat\) = 0\.9936\n/);
    expect(stdout).toContain('for cat: upper left 100%; against: lower right 100%');
    expect(stdout).toContain('logit +5.0500 = parts +4.8000, bias +0.2500\n');
    expect(stdout).toContain("What the map can't tell:\n");
    expect(stderr).toBe('');
    const occlusion = await explain(0, ...model, '--method', 'occlusion', 'white.png');
    expect(occlusion.stdout).toContain('covering 2 × 2 pixels with black lowers P by 0.');
  });

  test('as a PNG: the picture, the map in its colours, and both', async () => {
    const { stdout } = await explain(0, ...model, '--out', 'why.png', 'white.png');
    expect(stdout).toBe('white.png\tcat\t0.9936\twhy.png\n');
    const { data, info } = await sharp(join(folder, 'why.png')).raw().toBuffer({ resolveWithObject: true });
    const panel = 288;
    expect(info.width).toBe(2 * 24 + 3 * panel + 2 * 16);
    expect(info.height).toBeGreaterThan(panel + 100);
    const at = (n: number, y: number, x: number) => {
      const from = ((96 + y) * info.width + 24 + n * (panel + 16) + x) * info.channels;
      return [data[from]!, data[from + 1]!, data[from + 2]!] as const;
    };
    expect(at(0, 20, 20)).toEqual([255, 255, 255]);
    expect(at(1, 144, 144)).toEqual([255, 255, 255]);
    for (const panelOfMap of [1, 2]) {
      const [warm, cold] = [at(panelOfMap, 20, 20), at(panelOfMap, 268, 268)];
      expect(warm[0] - warm[2]).toBeGreaterThan(100); // orange speaks for it
      expect(cold[2] - cold[0]).toBeGreaterThan(50); // blue against it
    }
  });
});

describe('where it goes', () => {
  const model = ['--model', 'corners.safetensors'];

  test('several pictures go to a folder, under names of their own', async () => {
    const input = await readFile(join(folder, 'white.png'));
    const { stdout } = await run(0, ['explain', ...model, 'in', '-', '--out', 'new/maps'], { cwd: folder, input });
    const places = stdout.trimEnd().split('\n').map((line) => line.split('\t')[3]!); // biome-ignore format: a chain of calls
    const names = ['a-explained.png', 'a-explained-2.png', 'stdin-explained.png'];
    expect(places).toEqual(names.map((name) => join('new', 'maps', name)));
    expect(await listing(join(folder, 'new', 'maps'))).toEqual(names.sort());
  });

  test('several pictures and one file are refused, before anything is written', async () => {
    const { stderr } = await explain(2, ...model, '--out', 'one.png', 'in');
    expect(stderr).toContain('--out one.png: expected a folder for 2 pictures, found a file');
    expect(await listing(folder)).not.toContain('one.png');
  });

  test('another kind of file is refused before anything is read', async () => {
    const { stderr } = await explain(2, '--model', 'none', '--out', 'why.jpg', 'missing.png');
    expect(stderr).toContain('--out: expected a file ending in .png or a folder, found why.jpg');
  });

  test('no picture is overwritten by its map, whatever path leads to it', async () => {
    const before = await readFile(join(folder, 'in', 'a.png'));
    const { stderr } = await explain(2, ...model, '--out', 'in/deep/../a.png', 'in/a.png');
    expect(stderr).toContain('a picture to be explained');
    await mkdir(join(folder, 'again'), { recursive: true });
    for (const name of ['b.png', 'b-explained.png']) await cp(join(folder, 'in', 'a.png'), join(folder, 'again', name));
    await explain(2, ...model, '--out', 'again', 'again');
    expect(before.equals(await readFile(join(folder, 'in', 'a.png')))).toBe(true);
    expect(before.equals(await readFile(join(folder, 'again', 'b-explained.png')))).toBe(true);
  });

  test('a map of before is written anew', async () => {
    await writeFile(join(folder, 'old.png'), 'old');
    await explain(0, ...model, '--out', 'old.png', 'white.png');
    expect((await sharp(join(folder, 'old.png')).metadata()).format).toBe('png');
  });
});

describe('what goes wrong', () => {
  const model = ['--model', 'corners.safetensors'];

  test('a bad picture has a line with its error, the others go on: exit 7, and 3 where all are bad', async () => {
    const some = await explain(7, ...model, '--json', 'broken.png', 'white.png');
    const [broken, white] = rowsOf<Explanation>(some);
    expect(broken).toMatchObject({ file: 'broken.png', p: null, map: null, out: null });
    expect(broken!.error).toContain('not a picture');
    expect(some.stderr).toContain('broken.png: not a picture');
    expect(white!.error).toBeNull();
    await explain(3, ...model, 'broken.png');
    await explain(7, ...model, '--out', 'some', 'broken.png', 'white.png');
    expect(await listing(join(folder, 'some'))).toEqual(['white-explained.png']);
  });

  test('an unknown method is refused with the nearest name', async () => {
    const { stderr } = await explain(2, ...model, '--method', 'oclusion', 'white.png');
    expect(stderr).toContain('--method: expected gradient, occlusion, found "oclusion" (did you mean "occlusion"?)');
  });

  test('no model, no pictures', async () => {
    expect((await explain(4, '--model', 'none', 'white.png')).stderr).toContain('none');
    await mkdir(join(folder, 'empty'), { recursive: true });
    expect((await explain(3, ...model, 'empty')).stderr).toContain('expected pictures, found none');
  });

  test('--threshold and NN_MODEL count as they do for predict', async () => {
    const env = { NN_MODEL: join(folder, 'corners.safetensors') };
    const { stdout } = await run(0, ['explain', '--json', '--threshold', '0.999', 'white.png'], { cwd: folder, env });
    expect(JSON.parse(stdout)).toMatchObject({ label: 'thing', threshold: 0.999, model: env.NN_MODEL });
  });
});
