import { expect, test } from 'vitest';
import { foundRateText } from '../../src/report/model.ts';
import type { FoundRate } from '../../src/results/summary.ts';
import { linesOf } from '../../src/text.ts';

const rates = Array.from({ length: 60 }, (_, i) => Number((1e-6 * 10 ** (i / 12)).toPrecision(3)));
/** Level, then lowest at rates[50], then a blow-up. */
const smoothed = rates.map((_, i) => (i > 55 ? 2 : i > 30 ? 0.7 - 0.02 * (i - 30) + (i > 50 ? 0.1 : 0) : 0.7));
const found = (changes: Partial<FoundRate> = {}): FoundRate => ({
  rates,
  costs: smoothed.map((cost, i) => cost + (i % 2 ? 0.2 : -0.2)),
  smoothed,
  proposed: 0.004,
  diverged: rates[56]!,
  broke: 'rose',
  trials: [
    { rate: 0.036, cost: null, broke: 'rose' },
    { rate: 0.012, cost: null, broke: 'died' },
    { rate: 0.004, cost: 0.21, broke: null },
    { rate: 0.0013, cost: 0.35, broke: null },
  ],
  steps: 30,
  set: 'training.learningRate=0.004',
  ...changes,
});
const textOf = (changes: Partial<FoundRate> = {}) => linesOf(foundRateText(found(changes), (_, text) => text)).join('\n');

test('every training of the table stands in the plot: its cost, or a cross where it broke', () => {
  const plot = textOf().split('rate ')[0]!.split('┬')[0]!;
  expect(plot.match(/×/g)).toHaveLength(2);
  expect(plot.match(/●/g)).toHaveLength(2);
  const rows = plot.split('\n');
  const row = (mark: string, nth = 0) => rows.findIndex((line) => [...line].filter((c) => c === mark).length > nth);
  expect(row('×')).toBeLessThan(row('●'));
  // 0.21 is the least of all: the bottom row, with its number; 0.35 stands above it
  expect(rows.findIndex((line) => line.includes('0.2100 ┤') && line.includes('●'))).toBeGreaterThan(row('●'));
});

test('the line is what is smoothed, and has the scale of it', () => {
  expect(textOf()).toMatch(/^ +0\.8\d+ ┤/m); // 1.25 times the first at most, whatever the noise did
});

test('what broke is said for each: the line, and the trainings of the table', () => {
  const text = textOf();
  expect(text).toMatch(/It broke at 0\.0464: the cost rose above its least by more than half of its start/);
  expect(text).toMatch(/0\.036 +– +broke: its cost rose above three times its start/);
  expect(text).toMatch(/0\.012 +– +broke: a hidden layer gave 0 for every picture/);
  expect(textOf({ diverged: null, broke: null })).toContain('It broke at no rate.');
  expect(textOf({ broke: 'overflowed' })).toContain('numbers overflowed');
});

test('the choice has its reason, and why it is not the rate at which the line is lowest', () => {
  expect(textOf()).toMatch(
    /Of the rates below those that broke, 0\.004 came lowest\. The line is lowest at 0\.0147, but reaches it when smaller rates have done the work/,
  );
  expect(textOf({ proposed: 0.012, trials: [{ rate: 0.012, cost: 0.2, broke: null }] })).toMatch(/^0\.012 came lowest\.$/m);
});

test('without a proposal there is neither a choice nor a pointer', () => {
  const text = textOf({ proposed: null, set: null, trials: [{ rate: 0.1, cost: null, broke: 'rose' }] });
  expect(text).toContain('No rate brought the cost down');
  expect(text).not.toMatch(/came lowest|▲|Proposed/);
});
