import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

// the bench is plain JavaScript without types, and no part of the program
const load = (name: string) => import(new URL(`../../bench/${name}.mjs`, import.meta.url).href);
const { allowed, disagreement, rateOf, spreadOf } = await load('figures');
const { bars, judge } = await load('bars');
const { jobs } = await load('jobs');
const { competitors } = await load('competitors');

describe('figures', () => {
  test('the median is the middle time, or the middle of the two in the middle, in whatever order they came', () => {
    expect(spreadOf([30, 4, 100])).toEqual({ median: 30, least: 4, most: 100 });
    expect(spreadOf([9, 1, 5, 100])).toEqual({ median: 7, least: 1, most: 100 });
    expect(spreadOf([2])).toEqual({ median: 2, least: 2, most: 2 });
  });

  test('bytes and milliseconds make gigabytes a second', () => {
    expect(rateOf(5e8, 25)).toBe(20);
  });

  test('numbers agree within a share of the reference', () => {
    const limits = [{ by: 'relative', limit: 0.01 }];
    expect(disagreement([100.9, 2], [100, 2], limits)).toBeNull();
    expect(disagreement([2, 101.1], [2, 100], limits)).toContain('101.1, not 100');
    expect(disagreement([Number.NaN], [1], limits)).toContain('NaN, not 1');
    expect(disagreement([1], [1, 2], limits)).toBe('gives 1 numbers, not 2');
  });

  test('numbers agree on average', () => {
    const limits = [{ by: 'mean', limit: 3 }];
    expect(disagreement([10, 20, 38], [10, 20, 30], limits)).toBeNull();
    expect(disagreement([10, 20, 40], [10, 20, 30], limits)).toContain('40, not 30');
  });

  test('float64 is held to 1e-9, float32 to 0.2%, and at the end of a whole training to less', () => {
    const costs = [0.7, 0.6, 0.5, 0.1];
    const moved = (by: number, from = 0) => costs.map((cost, i) => (i < from ? cost : cost * (1 + by)));
    const agrees = (found: number[], kind: string, exact: boolean) =>
      disagreement(found, costs, allowed({ kind }, { exact })) === null;
    expect(agrees(moved(1e-10), 'step', true)).toBe(true);
    expect(agrees(moved(1e-8), 'whole', true)).toBe(false);
    expect(agrees(moved(1e-3), 'step', false)).toBe(true);
    expect(agrees(moved(0.1, 3), 'step', false)).toBe(false);
    expect(agrees(moved(0.1, 3), 'whole', false)).toBe(true);
    expect(agrees(moved(0.1, 2), 'whole', false)).toBe(false);
    expect(agrees(moved(0.4, 3), 'whole', false)).toBe(false);
  });
});

describe('bars', () => {
  const rows = [
    { label: 'nn', median: 10 },
    { label: 'slow', peer: true, median: 80 },
    { label: 'fast', peer: true, median: 20 },
    { label: 'broken', peer: true, reason: 'differs' },
    { label: 'other of ours', median: 1 },
  ];
  const results = {
    A: { bytes: 1e9, rows },
    bandwidth: { bytes: 1e9, rows: [{ label: 'one', median: 8 }, { label: 'two', median: 5 }, { label: 'none' }] },
  };

  test('so many times as fast as one competitor', () => {
    expect(judge({ job: 'A', ours: 'nn', against: 'slow', times: 8 }, results)).toEqual({
      holds: true,
      text: 'A: nn is 8 times as fast as slow; wanted 8',
    });
    expect(judge({ job: 'A', ours: 'nn', against: 'slow', times: 8.1 }, results).holds).toBe(false);
  });

  test('the fastest peer is one of the peers that count', () => {
    expect(judge({ job: 'A', ours: 'nn', against: 'the fastest peer', times: 2.5 }, results)).toEqual({
      holds: false,
      text: 'A: nn is 2 times as fast as fast, the fastest peer; wanted 2.5',
    });
  });

  test('so many times as long, and something more', () => {
    const bar = { job: 'A', ours: 'slow', against: 'fast', slower: 2, plus: 39 };
    expect(judge(bar, results).holds).toBe(false);
    expect(judge({ ...bar, plus: 40 }, results)).toEqual({
      holds: true,
      text: 'A: slow takes 80 ms, 4 times as long as fast; wanted at most 2 times plus 40 ms, 80 ms',
    });
  });

  test("a share of the memory's bandwidth is one of its fastest way", () => {
    // 100 GB/s of 200
    expect(judge({ job: 'A', ours: 'nn', share: 0.5 }, results)).toEqual({
      holds: true,
      text: 'A: nn reads 100 of 200 GB/s, 50% of the bandwidth (two); wanted 50%',
    });
    expect(judge({ job: 'A', ours: 'nn', share: 0.51 }, results).holds).toBe(false);
  });

  test('what was not measured is neither held nor failed', () => {
    const absent = [
      [{ job: 'A', ours: 'broken', against: 'slow', times: 1 }, 'A: broken was not measured'],
      [{ job: 'A', ours: 'nn', against: 'broken', times: 1 }, 'A: broken was not measured'],
      [{ job: 'B', ours: 'nn', against: 'slow', times: 1 }, 'B: nn was not measured'],
    ] as const;
    for (const [bar, text] of absent) expect(judge(bar, results)).toEqual({ holds: null, text });
    expect(judge({ job: 'A', ours: 'nn', share: 0.5 }, { A: results.A }).holds).toBeNull();
  });
});

describe('the tables of the bench', () => {
  const names: string[] = jobs.map(({ name }: { name: string }) => name);

  test('name each other rightly', () => {
    expect(new Set(names).size).toBe(names.length);
    for (const { in: own } of competitors) expect(names).toEqual(expect.arrayContaining(own));
    for (const { job } of bars) expect(names).toContain(job);
  });

  test('nothing of the bench is published', () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const words = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const [packed] = JSON.parse(execFileSync('npm', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    const folders = new Set(packed.files.map(({ path }: { path: string }) => (path.includes('/') ? path.split('/')[0] : '')));
    expect(folders).toContain('bin');
    expect([...folders].filter((name) => !['', 'bin', 'dist', 'configs'].includes(name as string))).toEqual([]);
  });
});
