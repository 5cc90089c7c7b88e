import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExportFormat } from '../../src/export/export-format.ts';
import { exportFormats } from '../../src/export/formats.ts';
import type { CheckedExport } from '../../src/results/export.ts';
import { onnxPython } from './python.ts';
import { classifiers, exportedOf } from './random-classifiers.ts';

/** NN_RANDOM_NETWORKS asks for as many as a night has room for, and NN_RANDOM_NETWORKS_SEED for certain ones: docs/exports.md has what came of 300. */
const { NN_RANDOM_NETWORKS: wanted = '12', NN_RANDOM_NETWORKS_SEED: seed = '1' } = process.env;
const drawn = fc.sample(classifiers(), { numRuns: Number(wanted), seed: Number(seed) });
const timeout = 60_000 + 1000 * drawn.length;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-exports-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What rounding in float32 may make of a logit, of the largest number of any layer; the same numbers give the same bits. */
const allowed: Record<string, (largest: number) => number> = {
  onnx: (largest) => 1e-5 * (1 + largest),
  npz: () => 0,
  json: () => 0,
  html: () => 0,
};

describe('random networks of every option', () => {
  test.each(Object.entries<ExportFormat>(exportFormats))('answer alike as %s', { timeout }, async (name, format) => {
    let worst: CheckedExport & { share: number; kinds: string } = { ...none, share: 0, kinds: '' };
    let worstP = 0;
    for (const [i, classifier] of drawn.entries()) {
      const exported = exportedOf(classifier);
      const bytes = await format.write(exported);
      if (name === 'onnx') await writeFile(join(folder, `${i}.onnx`), bytes);
      const found = await format.check(bytes, `${i}${format.extension}`);
      const { layers } = classifier.network;
      const kinds = JSON.stringify({ layers, ...classifier, parameters: null, scaling: null, network: null });
      expect(found.largestDifferenceLogit, kinds).toBeLessThanOrEqual(allowed[name]!(exported.pictures.largest));
      expect(found.otherLabels, kinds).toBe(0);
      worstP = Math.max(worstP, found.largestDifferenceP);
      const share = found.largestDifferenceLogit / (1 + exported.pictures.largest);
      if (share >= worst.share) worst = { ...found, share, kinds };
    }
    const { share, largestDifferenceLogit, kinds } = worst;
    if (process.env['NN_RANDOM_NETWORKS'] !== undefined)
      console.log(
        `${name}: ${drawn.length} networks, worst |Δz| / (1 + largest |z|) ${share.toExponential(1)} (|Δz| ${largestDifferenceLogit.toExponential(1)}), worst |Δp| ${worstP.toExponential(1)}${share > 0 ? `, by ${kinds}` : ''}`,
      );
  });

  test.skipIf(onnxPython === null)("satisfy onnx's own checker (skipped without Debian's python3-onnx)", { timeout }, () => {
    const script = 'import onnx, sys\nfor f in sys.argv[1:]: onnx.checker.check_model(onnx.load(f), full_check=True)';
    const files = drawn.map((_, i) => join(folder, `${i}.onnx`));
    const { status, stderr } = spawnSync(onnxPython!, ['-c', script, ...files], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

const none = { pictures: 0, largestDifferenceP: 0, largestDifferenceLogit: 0, otherLabels: 0, tolerance: 0, agrees: true };
