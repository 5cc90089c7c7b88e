import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toJSONSchema, type z } from 'zod';
import { configSchema } from '../../src/config/schema.ts';
import { completionResult, firstConfigResult, schemaWritten } from '../../src/results/config.ts';
import { evaluation, prediction, storedPrediction } from '../../src/results/evaluation.ts';
import { diagnosisShard } from '../../src/results/experiments.ts';
import { explanation } from '../../src/results/explanation.ts';
import { exportCheck, exportDescription, exported } from '../../src/results/export.ts';
import { dataResults, inspection } from '../../src/results/inspection.ts';
import { journalLine } from '../../src/results/journal.ts';
import { failure, gradientCheck, graph, modelDescription } from '../../src/results/model.ts';
import { runComparison, runDetails, runList } from '../../src/results/runs.ts';
import { foundRate, trainPlan, trainSummary } from '../../src/results/summary.ts';
import { ranking, trialResult, tuneSummary } from '../../src/results/tuning.ts';
import { run, temporaryFolder, writeClasses, writeJson } from '../cli/pictures.ts';
import { journalEpoch, makeRun } from '../run/made-runs.ts';
import { sharedData, withoutShared } from '../shared.ts';

/** The contract of --json: what a command prints is what its schema says, with no key more and none less. */

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(join(folder, 'photos'), 24);
  await writeFile(join(folder, 'photos', 'cat', 'broken.png'), 'text');
  await writeFile(
    join(folder, 'list.csv'),
    'path,label\nphotos/cat/00.png,cat\nphotos/cat/broken.png,cat\nphotos/thing/00.png,thing\n',
  );
  const data = { source: { type: 'folder', path: 'photos' }, imageSize: 8, split: { dev: 0.25, test: 0.25 } };
  const layers = [{ units: 3, activation: 'leakyRelu', batchNorm: true }];
  await writeJson(join(folder, 'c.json'), { data, model: { layers }, training: { epochs: 3, evaluateEvery: 2, batchSize: 8 } });
  const search = { trials: 2, parameters: { 'training.learningRate': { logUniform: [0.001, 0.1] } } };
  await writeJson(join(folder, 'search.json'), { data, training: { epochs: 1 }, search });
  await print(0, 'train -c c.json -o run');
  await makeRun(join(folder, 'killed'), { summary: null, journal: [journalEpoch(1)] });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const print = async (code: number, line: string) =>
  (await run(code, [...line.split(' '), '--json'], { cwd: folder, env: { NN_RUNS: '.' } })).stdout;
const read = (...names: string[]) => readFile(join(folder, ...names), 'utf8');

/** Parsing leaves out keys that the schema does not know. */
function expectExactly(schema: z.ZodType, value: unknown): void {
  expect(schema.parse(value)).toEqual(value);
}

describe('what is printed with --json is what its schema says', () => {
  test.each([
    ['train -c c.json -o again', trainSummary],
    ['train -c c.json -o folds --set data.split={"folds":2} --set training.epochs=1', trainSummary],
    ['train -c c.json -n', trainPlan],
    ['train -c c.json --find-rate', foundRate],
    ['train -c c.json -o calibrated --set training.calibrate=true', trainSummary],
    ['train --resume run', trainSummary],
    ['evaluate -m run --predictions --worst 2', evaluation],
    ['evaluate -m run --data photos', evaluation],
    ['evaluate -m run --split all', evaluation],
    ['tune -c search.json -o search', tuneSummary],
    ['tune -c search.json -o search --report search.html', tuneSummary],
    ['diagnose -c c.json --shard 1/60 -o shard', diagnosisShard],
    ['gradient-check -c c.json --parameters 5', gradientCheck],
    ['graph -c c.json', graph],
    ['model show run', modelDescription],
    ['runs', runList],
    ['runs show run', runDetails],
    ['runs show killed', runDetails],
    ['runs compare run again', runComparison],
    ['runs compare run folds', runComparison],
    ['model show calibrated', modelDescription],
    ['config init photos', firstConfigResult],
    ['config init photos --out first.json', firstConfigResult],
    ['config check c.json', trainPlan],
    ['config show c.json', configSchema],
    ['config schema --out schema.json', schemaWritten],
    ['completion bash', completionResult],
    ['export -m run --out cat.onnx', exported],
    ['export -m run --out cat.json', exported],
    ['export --check cat.onnx', exportCheck],
    ['data inspect photos -m run', inspection],
    ['data inspect -c c.json', inspection],
    ['data draw --count 4 --out drawn', dataResults.draw],
    ['data pack photos --out photos.safetensors', dataResults.pack],
    ['data preview photos --out sheet.html', dataResults.preview],
    ['data clean photos --out remove.csv', dataResults.cleanList],
    ['data clean list.csv --out rows.csv', dataResults.cleanList],
    ['data clean list.csv --apply rows.csv', dataResults.cleanTable],
    ['data clean photos --apply remove.csv', dataResults.cleanFolder],
  ] as const)('nn %s', async (line, schema) => {
    expectExactly(schema, JSON.parse(await print(0, line)));
  });

  test('nn predict, a line for each picture, readable or not', async () => {
    await writeFile(join(folder, 'none.png'), '');
    const lines = (await print(7, 'predict -m run photos/cat/00.png none.png')).trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expectExactly(prediction, JSON.parse(line));
  });

  test.each(['gradient', 'occlusion'])('nn explain by %s, a line for each picture, readable or not', async (method) => {
    await writeFile(join(folder, 'none.png'), '');
    const words = `explain -m run --method ${method} --out maps photos/cat/00.png none.png`;
    const lines = (await print(7, words)).trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expectExactly(explanation, JSON.parse(line));
  });

  test('an error', async () => {
    expectExactly(failure, JSON.parse(await print(2, 'train -c missing.json')));
  });

  test.skipIf(sharedData === null)(`nn data fetch (${withoutShared})`, async () => {
    expectExactly(
      dataResults.fetch,
      JSON.parse(await print(0, `data fetch course --from ${join(sharedData!, 'course-catvnoncat')} --to course`)),
    );
  });
});

describe('what is in files is what its schema says', () => {
  const lines = (text: string) => text.trimEnd().split('\n');

  test('what an exported file says of itself', async () => {
    const { tensors: _, pictures: __, ...description } = JSON.parse(await read('cat.json')) as Record<string, unknown>;
    expectExactly(exportDescription.strict(), description);
  });

  test('summary.json and ranking.json', async () => {
    expectExactly(trainSummary, JSON.parse(await read('run', 'summary.json')));
    expectExactly(ranking, JSON.parse(await read('search', 'ranking.json')));
  });

  test('the journals of a run, of folds, of a training that diverged, and of a search', async () => {
    await run(5, 'train -c c.json -o broken --set training.learningRate=1e30 --set data.normalize=none'.split(' '), {
      cwd: folder,
    });
    for (const name of ['run', 'folds', 'broken']) {
      for (const line of lines(await read(name, 'journal.jsonl'))) expectExactly(journalLine, JSON.parse(line));
    }
    expect(lines(await read('broken', 'journal.jsonl')).at(-1)).toContain('"diverged"');
    for (const line of lines(await read('search', 'trials.jsonl'))) expectExactly(trialResult, JSON.parse(line));
  });
});

describe('predictions.csv', () => {
  const rowsOf = async (name: string) => {
    const rows = parse(await read(name, 'predictions.csv'), { columns: true }) as Record<string, string>[];
    return rows.map(({ p, ...rest }) => storedPrediction.parse({ ...rest, p: Number(p) }));
  };

  test('holds what the model answers for each picture of split.csv, to the bit', async () => {
    const split = parse(await read('run', 'split.csv'), { columns: true }) as Record<string, string>[];
    const rows = await rowsOf('run');
    expect(rows.map(({ hash, part }) => ({ hash, part }))).toEqual(split.map(({ hash, part }) => ({ hash, part })));
    const { rows: answers } = evaluation.parse(JSON.parse(await print(0, 'evaluate -m run --split all --predictions')));
    const asked = new Map(split.map(({ name }, i) => [name, rows[i]!.p]));
    for (const { file, p } of answers!) expect(asked.get(file)).toBe(p);
  });

  test('is made by nn evaluate for a run that has none, of one part or of all, and one part replaces nothing', async () => {
    const whole = await read('run', 'predictions.csv');
    await rm(join(folder, 'run', 'predictions.csv'));
    await print(0, 'evaluate -m run --data photos'); // other pictures, for all it knows
    await expect(read('run', 'predictions.csv')).rejects.toMatchObject({ code: 'ENOENT' });
    await print(0, 'evaluate -m run');
    expect(new Set((await rowsOf('run')).map(({ part }) => part))).toEqual(new Set(['test']));
    await print(0, 'evaluate -m run --split all');
    expect(await read('run', 'predictions.csv')).toBe(whole);
    await print(0, 'evaluate -m run --split dev');
    expect(await read('run', 'predictions.csv')).toBe(whole);
  });
});

describe('every key of a result', () => {
  /** Paths of properties that say nothing of themselves. */
  function undescribed(schema: z.core.JSONSchema.BaseSchema, path = ''): string[] {
    const inner = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? []), ...(schema.prefixItems ?? [])].flat();
    const below = inner.flatMap((one) => (typeof one === 'object' ? undescribed(one, path) : []));
    const own = Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
      if (typeof property !== 'object') return [];
      const variants = [property, ...(property.anyOf ?? [])].filter((one) => typeof one === 'object');
      return [
        ...(variants.some(({ description }) => description) ? [] : [`${path}.${key}`]),
        ...undescribed(property, `${path}.${key}`),
      ];
    });
    return [...own, ...below];
  }
  const schemas = {
    evaluation,
    prediction,
    explanation,
    exported,
    exportCheck,
    exportDescription,
    storedPrediction,
    inspection,
    journalLine,
    failure,
    gradientCheck,
    graph,
  };
  const others = {
    modelDescription,
    runList,
    runDetails,
    runComparison,
    foundRate,
    trainPlan,
    trainSummary,
    ranking,
    trialResult,
    tuneSummary,
    firstConfigResult,
    schemaWritten,
    completionResult,
    ...dataResults,
  };

  test.each(Object.entries({ ...schemas, ...others }))('of %s is described', (_, schema) => {
    expect(undescribed(toJSONSchema(schema) as z.core.JSONSchema.BaseSchema)).toEqual([]);
  });
});
