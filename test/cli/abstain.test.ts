import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Prediction } from '../../src/results/evaluation.ts';
import type { TrainSummary } from '../../src/results/summary.ts';
import { loadClassifier, saveClassifier } from '../../src/run/model-file.ts';
import { folderConfig, readJson, run, temporaryFolder, writeClasses, writeJson } from './pictures.ts';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(join(folder, 'pictures'), 60);
  const data = { split: { dev: 0.5 }, imageSize: 8 };
  await writeJson(join(folder, 'c.json'), folderConfig({ data, training: { epochs: 60, threshold: 0.4 } }));
  await run(0, ['train', '-c', 'c.json', '-o', 'model', '-q', '--no-report'], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

const nn = (code: number, ...words: string[]) => run(code, words, { cwd: folder });
const rowsOf = (text: string) => text.trimEnd().split('\n');

/** The shared model with another bound. */
async function withBound(name: string, confidence: number | null | undefined, pictures = 60): Promise<string> {
  const { classifier } = await loadClassifier(join(folder, 'model'));
  const { abstention: _, ...older } = classifier;
  const isKnown = confidence !== undefined && confidence !== null;
  const abstention = {
    confidence: confidence ?? null,
    unanswered: isKnown ? 0.5 : null,
    pictures,
    answered: isKnown ? 60 : 0,
    right: isKnown ? 60 : 0,
  };
  const file = join(folder, name);
  await saveClassifier(file, confidence === undefined ? older : { ...classifier, abstention });
  return file;
}

describe('nn train', () => {
  test('stores the bound that its own answers for dev come to', async () => {
    const { abstention } = await readJson<TrainSummary>(join(folder, 'model', 'summary.json'));
    const rows = parse(await readFile(join(folder, 'model', 'predictions.csv')), { columns: true }) as Record<string, string>[];
    const labels = parse(await readFile(join(folder, 'model', 'split.csv')), { columns: true }) as Record<string, string>[];
    const answers = rows.flatMap(({ hash, part, p }) => {
      const isCat = Number(p) > 0.4;
      const { label } = labels.find((row) => row['hash'] === hash)!;
      return part === 'dev' ? [{ confidence: isCat ? Number(p) : 1 - Number(p), right: isCat === (label === 'cat') }] : [];
    });
    const answered = answers.filter(({ confidence }) => confidence >= abstention!.confidence!);
    expect(abstention).toMatchObject({
      pictures: 60,
      answered: answered.length,
      right: answered.filter(({ right }) => right).length,
    });
    expect(abstention!.answered).toBeGreaterThanOrEqual(59);
    expect(abstention!.unanswered).toBeCloseTo(1 - answered.length / 60, 12);
    const shown = JSON.parse((await nn(0, 'model', 'show', 'model', '--json')).stdout);
    expect(shown.abstention).toEqual(abstention);
    const evaluated = JSON.parse((await nn(0, 'evaluate', '-m', 'model', '--split', 'dev', '--json')).stdout);
    expect(evaluated.abstaining).toMatchObject({ confidence: abstention!.confidence, answered: answered.length });
    expect(evaluated.abstaining.accuracy).toBeCloseTo(abstention!.right / answered.length, 12);
    const other = JSON.parse((await nn(0, 'evaluate', '-m', 'model', '--split', 'dev', '--threshold', '0.5', '--json')).stdout);
    expect(other).not.toHaveProperty('abstaining');
  });
});

describe('nn predict --abstain', () => {
  test('calls unsure what is below the bound, and changes nothing else', async () => {
    const plain = rowsOf((await nn(0, 'predict', '-m', 'model', 'pictures/cat', '--json')).stdout).map(
      (row) => JSON.parse(row) as Prediction,
    );
    const bound = plain.map(({ confidence }) => confidence!).sort((a, b) => a - b)[30]!;
    const file = await withBound('half.safetensors', bound);
    const abstained = rowsOf((await nn(0, 'predict', '-m', file, 'pictures/cat', '--abstain', '--json')).stdout).map(
      (row) => JSON.parse(row) as Prediction,
    );
    const expected = plain.map((row) => ({ ...row, model: file, label: row.confidence! < bound ? 'unsure' : row.label }));
    expect(abstained).toEqual(expected);
    expect(abstained.filter(({ label }) => label === 'unsure')).toHaveLength(30); // the bound itself is answered
    const text = rowsOf((await nn(0, 'predict', '-m', file, 'pictures/cat', '--abstain')).stdout);
    expect(text.map((row) => row.split('\t')[1])).toEqual(expected.map(({ label }) => label));
    const csv = parse((await nn(0, 'predict', '-m', file, 'pictures/cat', '--abstain', '--csv')).stdout, {
      columns: true,
    }) as Prediction[];
    expect(csv.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
  });

  test('counts an unsure picture as not positive', async () => {
    await nn(0, 'predict', '-m', await withBound('low.safetensors', 0), 'pictures/cat/00.png', '--abstain', '--exit-code');
    await nn(8, 'predict', '-m', await withBound('high.safetensors', 1), 'pictures/cat/00.png', '--abstain', '--exit-code');
  });

  test.each([
    { bound: undefined, pictures: 60, why: 'of an older version' },
    { bound: null, pictures: 0, why: 'there was no dev part' },
    { bound: null, pictures: 58, why: 'dev has 58 pictures, and 59 right answers are the least' },
    { bound: null, pictures: 300, why: 'not right often enough' },
  ])('is refused, exit 4, where a model has no bound: $why', async ({ bound, pictures, why }) => {
    const { stderr, stdout } = await nn(
      4,
      'predict',
      '-m',
      await withBound('none.safetensors', bound, pictures),
      'pictures',
      '--abstain',
    );
    expect(stdout).toBe('');
    expect(stderr).toContain(why);
  });

  test('is refused beside a threshold of its own, for which the bound was not made', async () => {
    const { stderr } = await nn(2, 'predict', '-m', 'model', 'pictures/cat', '--abstain', '--threshold', '0.5');
    expect(stderr).toContain("'--threshold <p>'");
  });
});
