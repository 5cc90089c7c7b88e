import { describe, expect, test } from 'vitest';
import { rocAuc } from '../../src/evaluation/metrics.ts';
import { trainText } from '../../src/report/train-summary.ts';
import type { Confusion, Metrics } from '../../src/results/metrics.ts';
import { type StoredDiagnosis, type TrainSummary, trainSummary } from '../../src/results/summary.ts';
import { linesOf } from '../../src/text.ts';

const isSummary = (value: unknown) => trainSummary.safeParse(value).success;

function metrics({ tp, fp, fn, tn }: Confusion, cost = 0.3): Metrics {
  const [positives, negatives, total] = [tp + fn, fp + tn, tp + fp + fn + tn];
  return {
    accuracy: (tp + tn) / total,
    accuracyInterval: [0.1, 0.9],
    baseline: Math.max(positives, negatives) / total,
    error: (fp + fn) / total,
    balancedAccuracy: positives && negatives ? (tp / positives + tn / negatives) / 2 : null,
    cost,
    precision: null,
    ...{ recall: null, recallInterval: null, specificity: null, specificityInterval: null },
    f1: null,
    rocAuc: rocAuc(Float64Array.of(0.2, 0.8), Uint8Array.of(1, 0)),
    logLoss: cost,
    brier: 0.1,
    confusion: { tp, fp, fn, tn },
  };
}

const plain: StoredDiagnosis = {
  verdict: 'neither',
  ...{ avoidableBias: 0.04, variance: 0.01, intervals: { avoidableBias: [0.03, 0.05], variance: [0, 0.02] } },
  ...{ unsure: [], certain: true, enough: 1, collapsed: false, targetError: 0, comparedWith: 'dev' },
  remedies: [],
};

function summaryOf(diagnosis: Partial<StoredDiagnosis>, train: Confusion, cost?: number): TrainSummary {
  const dev = metrics({ tp: 0, fp: 0, fn: 1, tn: 30 });
  return {
    ...{ run: 'runs/a', model: 'runs/a/model.safetensors', seed: 1, seconds: 1, epochs: 5, bestEpoch: 5, stopped: 'finished' },
    ...{ parameters: 10, threshold: 0.5 },
    examples: { train: { total: 94, positive: 4 }, dev: { total: 31, positive: 1 }, test: { total: 0, positive: 0 } },
    metrics: { train: metrics(train, cost), dev, test: null },
    diagnosis: { ...plain, ...diagnosis },
    warnings: [],
  };
}
const textOf = (...of: Parameters<typeof summaryOf>) =>
  linesOf(trainText(summaryOf(...of), { positive: 'cat', negative: 'noncat' }, (_, text) => text)).join('\n');
const allNegative = { tp: 0, fp: 0, fn: 4, tn: 90 };

describe('a diagnosis in words', () => {
  test('one answer for all: which, and that nothing was learnt; no verdict that would contradict it', () => {
    const text = textOf({ collapsed: true, answers: 'larger class' }, allNegative);
    expect(text).toContain(
      "Diagnosis: it always answers noncat, the larger class. So its accuracy on train is that class's share, 95.7%.",
    );
    expect(text).toContain('every training picture the same answer: nothing was learnt');
    expect(text).not.toContain('neither high bias');
    const other = textOf({ collapsed: true, answers: 'smaller class' }, { tp: 4, fp: 90, fn: 0, tn: 0 });
    expect(other).toContain('it always answers cat, the smaller class');
  });

  test('imbalance: the class, its share, its error, and the figures that show it', () => {
    const text = textOf({ imbalance: { positive: true, share: 4 / 94, error: 0.75 } }, { tp: 1, fp: 0, fn: 3, tn: 90 });
    expect(text).toContain('Diagnosis: the smaller class is not learnt.');
    expect(text).toContain('Imbalance: cat is 4.3% of train, and 75.0% of it is wrong there');
    expect(text).toMatch(
      /Balanced accuracy \(guessing: 50%\) is 62\.5% on train, 50\.0% on dev; ROC AUC \(guessing: 0\.5\) 0\.00 on train/,
    );
    const negative = textOf({ imbalance: { positive: false, share: 0.1, error: 1 } }, allNegative);
    expect(negative).toContain('Imbalance: noncat is 10.0% of train');
  });

  test('worse than guessing goes before all else', () => {
    const text = textOf(
      { verdict: 'high bias', collapsed: true, answers: 'larger class', worseThanGuessing: true, guessing: Math.LN2 },
      allNegative,
      77.4,
    );
    expect(text).toContain(
      'Diagnosis: worse than guessing. Its cost on train is 77.40, and that of a network that sees nothing 0.6931.',
    );
    expect(text).not.toContain('Diagnosis: high bias');
  });

  test('a remedy says how long it takes where that is longer, and what makes it affordable', () => {
    const remedy = (timesAsLong: number | null, affordable: { set: string[]; timesAsLong: number } | null = null) =>
      textOf({ remedies: [{ title: 'more', why: 'since', set: ['a.b=1'], timesAsLong, affordable }] }, allNegative);
    expect(remedy(1)).toContain('  - more: since\n');
    expect(remedy(1.4)).toContain('  - more: since\n');
    expect(remedy(null)).toContain('  - more: since\n');
    expect(remedy(2)).toContain('  - more: since (takes about twice as long)\n');
    expect(remedy(27)).toContain('(takes about 27 times as long)\n      --set a.b=1\n');
    expect(remedy(140, { set: ['training.batchSize=16', 'training.epochs=9'], timesAsLong: 14 })).toContain(
      '(takes about 140 times as long)\n      --set a.b=1\n      with --set training.batchSize=16 --set training.epochs=9 as well about 14 times as long\n',
    );
  });

  test('of a summary that 0.1.0 wrote is what it was', () => {
    const old = summaryOf({ remedies: [{ title: 'more', why: 'since', set: ['a.b=1'] }] }, { tp: 2, fp: 2, fn: 2, tn: 88 });
    expect(isSummary(JSON.parse(JSON.stringify(old)))).toBe(true);
    const text = linesOf(trainText(old, { positive: 'cat', negative: 'noncat' }, (_, words) => words)).join('\n');
    expect(text).toContain(
      'Diagnosis: neither high bias nor high variance. The error on train is 4.0 points above the target of 0%',
    );
    expect(text).toContain('  - more: since\n      --set a.b=1\n');
  });
});

test('a summary is what has its fields: what was added is checked where it is there', () => {
  const whole = summaryOf(
    {
      ...{ answers: null, imbalance: { positive: true, share: 0.1, error: 0.5 }, guessing: 0.69, worseThanGuessing: false },
      remedies: [{ title: 'a', why: 'b', set: [], timesAsLong: null, affordable: { set: ['a=1'], timesAsLong: 3 } }],
    },
    allNegative,
  );
  const changed = (change: (diagnosis: Record<string, unknown>) => void) => {
    const copy = JSON.parse(JSON.stringify(whole));
    change(copy.diagnosis);
    return isSummary(copy);
  };
  expect(changed(() => {})).toBe(true);
  expect(changed((one) => (one['answers'] = 'all'))).toBe(false);
  expect(changed((one) => (one['imbalance'] = 5))).toBe(false);
  expect(changed((one) => (one['guessing'] = 'ln 2'))).toBe(false);
  expect(changed((one) => (one['remedies'] = [{ title: 'a', why: 'b', set: [], timesAsLong: 'long' }]))).toBe(false);
});
