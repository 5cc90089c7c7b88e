import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { barText, type Work, writeLines } from '../../src/cli/progress.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** The lines off a terminal. @param steps  seconds that pass, and then what is done, with what is said of it */
function linesAfter(work: Partial<Work>, steps: readonly (readonly [number, number, string?])[]): string[] {
  const lines: string[] = [];
  const progress = writeLines({ title: 'epoch', total: 200, begun: 0, ...work }, (line) => lines.push(line));
  for (const [seconds, done, detail] of steps) {
    vi.advanceTimersByTime(seconds * 1000);
    progress.update(done, detail);
  }
  return lines;
}

describe('time left', () => {
  test('counts from the first epoch: what was prepared before, and how slow that epoch was, says nothing', () => {
    expect(linesAfter({}, [[30, 0.1], [12, 1], [0.1, 2], [10, 102]])).toEqual(['epoch 0/200', 'epoch 1/200', 'epoch 102/200 · 10s left']); // biome-ignore format: a row of steps
  });

  test('is facts of a first epoch that takes long', () => {
    expect(linesAfter({ total: 10 }, [[5, 0.01], [40, 0.21]])).toEqual(['epoch 0/10', 'epoch 0/10 · 32m38s left']); // biome-ignore format: a row of steps
  });

  test('of what goes on does not count what was done before', () => {
    expect(linesAfter({ begun: 100 }, [[1, 101], [10, 111]])).toEqual(['epoch 101/200', 'epoch 111/200 · 1m29s left']); // biome-ignore format: a row of steps
  });

  test('goes by what units take, where they differ: the last half of these takes four times as long as the first', () => {
    const effort = (done: number) => Math.min(done, 50) + 4 * Math.max(0, done - 50);
    expect(linesAfter({ total: 100, effort }, [[1, 1], [12, 25]])[1]).toBe('epoch 25/100 · 1m53s left'); // biome-ignore format: a row of steps
  });
});

test('what was said last stands until more is said', () => {
  const steps = [[2, 1, 'cost 0.5'], [10, 1.5], [10, 2, 'cost 0.4']] as const; // biome-ignore format: a row of steps
  expect(linesAfter({}, steps).map((line) => line.split(' · ')[1])).toEqual(['cost 0.5', 'cost 0.5', 'cost 0.4']);
});

test('a title or a detail from outside commands no terminal', () => {
  expect(linesAfter({ title: 'a\u001b[2J' }, [[2, 1, 'b\nc']])).toEqual(['a\\u001b[2J 1/200 · b\\nc']);
});

describe('the bar', () => {
  const state = { title: 'epoch', share: 0.5, facts: ['1234/2500', 'cost 0.1234 · dev 94.5%', '1m20s left'] };

  test.each(Array.from({ length: 71 }, (_, i) => 30 + i))('on %i columns fits, and leaves room for cost and dev', (columns) => {
    const text = barText(state, columns);
    expect(text.length).toBeLessThanOrEqual(columns);
    if (columns >= 41) expect(text).toContain('cost 0.1234 · dev 94.5%');
    if (columns >= 55) expect(text).toContain('1m20s left');
    const bar = /[█░]+/.exec(text)?.[0] ?? '';
    expect(bar.length === 0 || bar.length >= 5).toBe(true);
    expect(Math.abs([...bar].filter((one) => one === '█').length - bar.length / 2)).toBeLessThanOrEqual(0.5);
  });

  test('is at most 40 columns long, and as long as there is room', () => {
    expect(/[█░]+/.exec(barText(state, 200))![0]).toHaveLength(40);
    expect(barText(state, 80)).toHaveLength(80);
  });
});
