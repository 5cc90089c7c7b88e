import { describe, expect, test } from 'vitest';

// the short form of what docs/diagnose.md prints: few draws, the same ones every time. The bench is plain JavaScript without types
const load = (name: string) => import(new URL(`../../bench/${name}.mjs`, import.meta.url).href);
const simulation = await load('diagnose-simulation');
const { drawAnswers, normalShare, probit } = await load('diagnose-models');
const { namedRandom } = await import('../../src/random.ts');

const twelve = (...others: number[]) => [0.85, ...Array.from({ length: 12 }, (_, k) => others[k] ?? 0.85)];

describe('drawn networks', () => {
  test('have the accuracies that they are drawn with', () => {
    expect(normalShare(probit(0.85))).toBeCloseTo(0.85, 9);
    const of = { accuracies: [0.7, 0.95], seeds: 40, pictures: 500, seedSpread: 0.02 };
    const found = drawAnswers(namedRandom(1, 'models'), of).map((rows: Uint8Array[]) =>
      rows.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0) / (40 * 500), 0),
    );
    expect(Math.abs(found[0] - 0.7)).toBeLessThan(0.03);
    expect(Math.abs(found[1] - 0.95)).toBeLessThan(0.015);
  });
});

describe('of drawn networks whose truth is known', () => {
  test.each([
    { seeds: 3, pictures: 30, seedSpread: 0.05 },
    { seeds: 3, pictures: 100, seedSpread: 0 },
    { seeds: 3, pictures: 100, seedSpread: 0.05 },
    { seeds: 5, pictures: 300, seedSpread: 0.015 },
  ])('95% intervals of a gain hold it: $seeds seeds, $pictures pictures, seeds differ by $seedSpread', (of) => {
    const { coverage } = simulation.simulateGain({ repeats: 100, accuracies: [0.85, 0.88], ...of });
    expect(coverage).toBeGreaterThanOrEqual(0.93);
  });

  test('nothing is said to help where nothing does, and what helps is found', () => {
    const of = { seeds: 3, pictures: 100, seedSpread: 0.015 };
    expect(simulation.simulateClaims({ repeats: 25, accuracies: twelve(), ...of }).wrong).toBeLessThanOrEqual(0.05);
    const { power } = simulation.simulateClaims({ repeats: 6, accuracies: twelve(0.97), ...of, seeds: 5, pictures: 200 });
    expect(power[0]).toBeGreaterThan(0.8);
  });

  test('what looks best is told from chance together where it gains little each, and not where it gains nothing', () => {
    const of = { seeds: 5, pictures: 100, seedSpread: 0 };
    const none = simulation.simulateTogether({ repeats: 30, accuracies: twelve(), ...of });
    expect(none.tried).toBeGreaterThan(0);
    expect(none.said).toBeLessThanOrEqual(0.05);
    const four = simulation.simulateTogether({ repeats: 8, accuracies: twelve(0.88, 0.88, 0.88, 0.88), ...of, pictures: 300 });
    expect(four.single + four.said).toBeGreaterThan(0.6);
    expect(four.said).toBeGreaterThan(0);
  });

  test("the winner's gain is too large as it won, and honest by halves", () => {
    const of = { accuracies: twelve(), seeds: 3, freshSeeds: 3, pictures: 60, seedSpread: 0.015 };
    const { won, honest } = simulation.simulateWinner({ repeats: 30, ...of });
    expect(won.bias).toBeGreaterThan(0.02);
    expect(Math.abs(honest.bias)).toBeLessThan(0.01);
    expect(honest.coverage).toBeGreaterThanOrEqual(0.93);
  });

  test('a race drops those that harm, and not the best', () => {
    const of = { accuracies: twelve(0.91, 0.7, 0.7, 0.7, 0.7), seeds: 5, pictures: 100, seedSpread: 0.015 };
    const { lostBest, saved } = simulation.simulateRace({ repeats: 15, ...of });
    expect(lostBest).toBeLessThanOrEqual(0.05);
    expect(saved).toBeGreaterThan(0.15);
  });

  test('a learning curve foretells twice and ten times the pictures, and keeps silent where it is none', () => {
    const { says, said } = simulation.simulateCurve({
      repeats: 60,
      truth: 'a = 10%, c = 0.5',
      seeds: 3,
      dev: 300,
      seedSpread: 0.01,
    });
    expect(says).toBeGreaterThan(0.85);
    for (const { coverage } of said) expect(coverage).toBeGreaterThanOrEqual(0.93);
    expect(
      simulation.simulateCurve({ repeats: 30, truth: 'late: nothing up to half', seeds: 3, dev: 300, seedSpread: 0.01 }).says,
    ).toBeLessThan(0.05);
  });

  test('answers from the bound on are right less than 95% of the time at most once in twenty', () => {
    for (const model of ['just too bad', 'calibrated', 'overconfident']) {
      const { broken } = simulation.simulateAbstention({ repeats: 150, model, dev: 150 });
      expect(broken, model).toBeLessThanOrEqual(0.06); // the probability of 10 of 150 is 13% at 5%
    }
  });

  test('flipped labels are named, and right ones are not', () => {
    const of = { repeats: 8, pictures: 120, networks: 4, skill: 1.8 };
    const clean = simulation.simulateSuspects({ ...of, share: 0 });
    expect(clean.named).toBeLessThanOrEqual(0.13);
    expect(clean.noisy).toBeLessThanOrEqual(0.03);
    const { named, precision } = simulation.simulateSuspects({ ...of, share: 0.1 });
    expect(named).toBeGreaterThan(0.6);
    expect(precision).toBeGreaterThan(0.7);
  });
});
