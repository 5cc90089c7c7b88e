import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeHere } from '../../src/data/decode.ts';
import { encodePng, fits, loadSharp } from '../../src/data/image.ts';
import { npz } from '../../src/export/npz.ts';
import { randomClassifier } from '../classifier/classifiers.ts';
import { picturePython } from './python.ts';
import { classifiers, denseNetworks, exportedOf } from './random-classifiers.ts';

/** The very text of docs/exports.md, so that what stands there works. */
const page = readFileSync(fileURLToPath(new URL('../../docs/exports.md', import.meta.url)), 'utf8');
const script = /```python\n(import json[\s\S]*?)```/.exec(page)![1]!;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-python-'));
  await writeFile(join(folder, 'answer.py'), script);
});
afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(picturePython === null)(
  "docs/exports.md's Python (skipped without Debian's python3-numpy and python3-pil)",
  () => {
    const drawn = fc.sample(classifiers(denseNetworks), { numRuns: Number(process.env['NN_RANDOM_NETWORKS'] ?? 4), seed: 3 });

    test('answers as nn does for pictures of the size of the network', { timeout: 120_000 }, async () => {
      for (const [i, classifier] of drawn.entries()) {
        const { imageSize } = classifier.preprocessing;
        const exported = exportedOf(classifier, 3);
        const { pixels, answers } = exported.pictures;
        await writeFile(join(folder, `${i}.npz`), await npz.write(exported));
        const names = answers.map((_, k) => `${i}-${k}.png`);
        const features = classifier.network.inputs;
        for (const [k, name] of names.entries())
          await writeFile(join(folder, name), await encodePng(pixels.subarray(k * features, (k + 1) * features), imageSize));
        const { stdout, stderr } = spawnSync(picturePython!, ['answer.py', `${i}.npz`, ...names], {
          cwd: folder,
          encoding: 'utf8',
        });
        const rows = stdout.trimEnd().split('\n').map((line) => line.split('\t')); // biome-ignore format: a chain of calls
        expect(
          rows.map(([name]) => name),
          stderr,
        ).toEqual(names);
        for (const [k, [, label, p]] of rows.entries()) {
          expect(Math.abs(Number(p) - answers[k]!.p)).toBeLessThanOrEqual(1e-5);
          if (Math.abs(answers[k]!.p - classifier.threshold) > 1e-5) expect(label).toBe(answers[k]!.label);
        }
      }
    });

    test.each(Object.keys(fits) as (keyof typeof fits)[])(
      'makes squares as nn does of other pictures, by fit %s',
      async (fit) => {
        const side = 16;
        const own = exportedOf(randomClassifier({ side }));
        own.classifier.preprocessing = { imageSize: side, fit };
        await writeFile(join(folder, 'squares.npz'), await npz.write(own));
        const save = 'for file in sys.argv[2:]: sys.stdout.buffer.write(pixels(file).tobytes())\n';
        await writeFile(join(folder, 'squares.py'), script.slice(0, script.indexOf('def p_of')) + save);
        const sizes = [[37, 61], [80, 41], [16, 30], [50, 50]] as const; // biome-ignore format: a list
        const files = await Promise.all(
          sizes.map(([width, height], i) => drawWaves(join(folder, `${fit}-${i}.png`), width, height)),
        );
        const { stdout, stderr } = spawnSync(picturePython!, ['squares.py', 'squares.npz', ...files], { cwd: folder });
        expect(stderr.toString()).toBe('');
        expect(stdout.length).toBe(files.length * side * side * 3);
        for (const [i, file] of files.entries()) {
          const pixels = await decodeHere(readFileSync(file), { imageSize: side, fit });
          const found = stdout.subarray(i * pixels.length, (i + 1) * pixels.length);
          const differences = Array.from(pixels, (byte, k) => Math.abs(byte - found[k]!));
          // a square that lies a pixel aside differs by more than that
          expect(differences.reduce((sum, one) => sum + one, 0) / pixels.length).toBeLessThan(3);
        }
      },
    );
  },
);

/** A picture of waves. @returns its path */
async function drawWaves(path: string, width: number, height: number): Promise<string> {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [(Math.floor(i / 3) % width) / width, Math.floor(i / 3 / width) / height];
    return 128 + 60 * Math.sin(9 * x + (i % 3)) + 60 * Math.cos(11 * y + 4 * x);
  });
  await loadSharp()(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path);
  return path;
}
