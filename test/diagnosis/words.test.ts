import { expect, test } from 'vitest';
import { timePlan } from '../../src/diagnosis/time-plan.ts';
import { curveWords, nextWords, proposalDoubt, suspectWords, verdictWords } from '../../src/report/diagnosis-words.ts';
import type { MeasuredDiagnosis } from '../../src/results/experiments.ts';
import { diagnosed } from './made-experiments.ts';

/** What a reader is told to do next, and what figures stand beside. */

const helped = (await diagnosed({ effect: (set) => (set.some((change) => change.includes('.keepProb=')) ? 4 : 0) }, { seeds: 5 }))
  .found!;
const nothing = (await diagnosed({}, { seeds: 3 })).found!;
const commands = (found: MeasuredDiagnosis) => nextWords(found).map(({ command }) => command);

test('after what is proposed the new config is asked about, and the verdict ends with the figure of test', () => {
  expect(commands(helped)).toEqual(['nn diagnose --config p']);
  expect(verdictWords(helped).at(-1)).toMatch(/^On test, what is proposed below gains \+\d/);
  expect(curveWords(helped).at(-1)).toContain('of the config as it is');
});

test('not where test says that it does worse', () => {
  const test = { ...helped.proposal!.test!, gain: -0.05, interval: [-0.08, -0.02] as const };
  const worse: MeasuredDiagnosis = { ...helped, proposal: { ...helped.proposal!, test } };
  expect(commands(worse)).toEqual([]);
  expect(proposalDoubt(worse)[0]).toContain('do not take it');
});

test('wrong labels are corrected first, whatever else the verdict says', () => {
  const list = Array.from({ length: 20 }, (_, row) => suspect(row));
  const suspects = { judged: 400, share: 0.1, p: 1e-6, error: 0.2, expected: 4, list };
  for (const verdict of [
    { ...helped.verdict, code: 'label noise' as const },
    { ...helped.verdict, also: ['label noise' as const] },
  ])
    expect(commands({ ...helped, verdict, suspects })).toEqual(['nn diagnose --config c', 'nn diagnose --config p']);
  expect(suspectWords({ suspects })[0]).toMatch(/^Look at these 20 pictures first/);
  expect(suspectWords({ suspects: { ...suspects, p: 0.4 } })).toEqual([
    expect.stringContaining('There is no sign of wrong labels'),
  ]);
  for (const unsure of [{ share: 0.04 }, { p: 0.03 }])
    expect(suspectWords({ suspects: { ...suspects, ...unsure } })).toEqual([
      expect.stringMatching(/may be wrong labels, or pictures that are hard to all such networks/),
    ]);
});

test('where nothing helps that is said; where nothing was tried that is', async () => {
  expect(nextWords(nothing)).toEqual([{ text: expect.stringMatching(/^Nothing that was tried helps/), command: null }]);
  let now = 0;
  const time = timePlan(10, () => now);
  const { found } = await diagnosed({ seconds: () => 5 }, { seeds: null, time, began: () => (now += 5) });
  expect(nextWords(found!)[0]!.text).toMatch(/^Nothing was tried/);
});

function suspect(row: number) {
  return { name: `${row}.png`, row, part: 'train' as const, label: 'cat', says: 'thing', confidence: 0.99, chance: 0.9 };
}
