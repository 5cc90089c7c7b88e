import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { configsPath, nn } from '../cli.ts';
import { courseRuns } from '../golden/golden.ts';
import { sharedData, withoutShared } from '../shared.ts';

const folder = mkdtempSync(join(tmpdir(), 'nn-course-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const runs = [
  ['course-logistic', 'logistic'],
  ['course-two-layer', 'two-layer'],
  ['course-four-layer', 'four-layer'],
] as const;

describe.skipIf(sharedData === null)(`the course's published runs (${withoutShared})`, () => {
  test.each(runs)(
    '%s repeats every cost that NumPy computes',
    async (config, key) => {
      const golden = courseRuns[key]!;
      const epochs = golden.iterations;
      const output = join(folder, config);
      const at = (part: string) => `data.${part}.path=${sharedData}/course-catvnoncat/${part}_catvnoncat.h5`;
      const words = ['train', '--config', join(configsPath, `${config}.json`), '--output', output, '--json'];
      const sets = [at('train'), at('test')].flatMap((set) => ['--set', set]);
      const { code, stdout, stderr } = await nn([...words, ...sets], { cwd: folder });
      expect(stderr).not.toMatch(/^nn:/m);
      expect(code).toBe(0);
      const journal = readFileSync(join(output, 'journal.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(journal).toHaveLength(epochs);
      for (const [iteration, cost] of Object.entries(golden.costs)) {
        // with a full batch, epoch k has the cost that the course prints for iteration k − 1
        expect(journal[Number(iteration)].cost / cost - 1, `iteration ${iteration}`).toBeLessThan(1e-9);
        expect(journal[Number(iteration)].cost / cost - 1, `iteration ${iteration}`).toBeGreaterThan(-1e-9);
      }
      const { metrics } = JSON.parse(stdout);
      expect(metrics.train.accuracy).toBeCloseTo(golden.train_accuracy, 12);
      expect(metrics.test.accuracy).toBeCloseTo(golden.test_accuracy, 12);
      expect(metrics.train.cost / golden.final_cost).toBeCloseTo(1, 6);
      const evaluated = await nn(['evaluate', '--model', output, '--json', '--predictions'], { cwd: folder });
      const rows: { p: number }[] = JSON.parse(evaluated.stdout).rows;
      expect(rows).toHaveLength(golden.test_probabilities.length);
      for (const [i, p] of golden.test_probabilities.entries()) expect(rows[i]!.p).toBeCloseTo(p, 6);
    },
    240_000,
  );

  test('the four-layer network beats the two-layer one by what could be chance', async () => {
    const [two, four] = [courseRuns['two-layer']!, courseRuns['four-layer']!];
    // by NumPy's probabilities the two answer otherwise on 8 of the 50 pictures, and by its accuracies B is right on 4 more: 6 against 2
    const answers = [two, four].map((run) => run.test_probabilities.map((p) => p > 0.5)) as [boolean[], boolean[]];
    expect(answers[0].filter((answer, i) => answer !== answers[1][i])).toHaveLength(8);
    expect(50 * (four.test_accuracy - two.test_accuracy)).toBeCloseTo(4, 9);
    const words = ['runs', 'compare', 'course-two-layer', 'course-four-layer']; // which the tests above have trained
    const at = { cwd: folder, env: { NN_RUNS: folder } };
    const { part, pairs } = JSON.parse((await nn([...words, '--json'], at)).stdout);
    expect(part).toBe('test');
    // C(8, 0) + C(8, 1) + C(8, 2) ways to get 2 or fewer of 8, twice, of 2⁸
    const pValue = expect.closeTo((2 * (1 + 8 + 28)) / 2 ** 8, 12);
    expect(pairs).toMatchObject([
      { test: { pictures: 50, onlyFirst: 2, onlySecond: 6, difference: 0.08, pValue, beyondChance: false } },
    ]);
    const { stdout } = await nn(words, at);
    expect(stdout).toContain('B is right on 6 pictures where A is wrong, A on 2: could be chance');
  });
});
