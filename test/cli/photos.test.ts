import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { TrainSummary } from '../../src/results/summary.ts';
import { nn } from '../cli.ts';
import { sharedData, withoutShared } from '../shared.ts';
import { someOf } from '../thorough.ts';

const folder = mkdtempSync(join(tmpdir(), 'nn-photos-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(sharedData === null)(`real photographs from a folder (${withoutShared})`, () => {
  test.each(
    someOf([
      ['cats-things-1800', 900, 0.65],
      ['cats-dogs-2700', 1350, 0.52],
    ] as const),
  )('%s train, evaluate and predict', async (name, each, better) => {
    const path = join(sharedData!, name);
    const config = {
      data: { source: { type: 'folder', path }, normalize: 'standardizeChannels' },
      model: { layers: [{ units: 20 }] },
      training: { epochs: 8, batchSize: 64, learningRate: 0.0005, optimizer: { name: 'adam' } },
    };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
    const trained = await nn(['train', '--config', `${name}.json`, '--output', name, '--json'], { cwd: folder });
    expect(trained.code).toBe(0);
    const summary: TrainSummary = JSON.parse(trained.stdout);
    const total = Object.values(summary.examples).reduce((sum, part) => sum + part.total, 0);
    const positive = Object.values(summary.examples).reduce((sum, part) => sum + part.positive, 0);
    expect([total, positive]).toEqual([2 * each, each]);
    expect(summary.warnings.filter((text: string) => !text.includes('cat-1047'))).toEqual([]); // a near copy of cat-1054
    expect(summary.metrics.dev!.accuracy).toBeGreaterThan(better);

    const evaluated = await nn(['evaluate', '--model', name, '--json', '--predictions'], { cwd: folder });
    const { rows, ...metrics } = JSON.parse(evaluated.stdout);
    expect(metrics).toEqual(summary.metrics.test);
    const pictures: { file: string; p: number }[] = rows.slice(0, 5);
    const predicted = await nn(['predict', '--model', name, '--json', ...pictures.map(({ file }) => join(path, file))], {
      cwd: folder,
    });
    expect(predicted.code).toBe(0);
    const answers = predicted.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).p);
    expect(answers).toEqual(pictures.map(({ p }) => p));
  });
});
