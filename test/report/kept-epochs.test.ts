import { expect, test } from 'vitest';
import { epochKeeper } from '../../src/report/kept-epochs.ts';
import type { JournalLine } from '../../src/results/journal.ts';

const line = (epoch: number, cost: number, devCost: number | null = null, fold?: number) =>
  ({
    epoch,
    cost,
    l2Cost: 0,
    train: { accuracy: 0.5 },
    dev: devCost === null ? null : { cost: devCost, accuracy: 0.5 },
    learningRate: 0.1,
    seconds: epoch,
    layers: null,
    ...(fold === undefined ? {} : { fold }),
  }) as JournalLine;

test('of a hundred thousand epochs few are kept, and no extreme is lost', () => {
  const keeper = epochKeeper(100);
  for (let epoch = 1; epoch <= 100_000; epoch++) {
    const cost = epoch === 31_337 ? 99 : epoch === 70_001 ? 0.001 : 1 + (epoch % 7) / 10;
    keeper.add(line(epoch, cost, epoch === 54_321 ? 0.01 : 0.5 + (epoch % 3) / 10));
  }
  const { epochs } = keeper.kept();
  expect(epochs.length).toBeLessThanOrEqual(101);
  const kept = epochs.map(({ epoch }) => epoch);
  expect(kept).toEqual([...kept].sort((a, b) => a - b));
  for (const epoch of [1, 31_337, 54_321, 70_001, 100_000]) expect(kept).toContain(epoch);
});

test('a fold makes place for the next, and all of them for the final training', () => {
  const keeper = epochKeeper();
  for (const fold of [1, 2]) keeper.add(line(1, fold, null, fold));
  expect(keeper.kept()).toMatchObject({ fold: 2, epochs: [{ cost: 2 }] });
  keeper.add(line(1, 9));
  expect(keeper.kept()).toMatchObject({ fold: null, epochs: [{ cost: 9 }] });
});

test('what JSON has as null is no number again, and where it broke is told', () => {
  const keeper = epochKeeper();
  keeper.add(line(1, null as unknown as number));
  keeper.add({ diverged: { epoch: 2 } } as unknown as JournalLine);
  expect(keeper.kept().epochs[0]!.cost).toBeNaN();
  expect(keeper.kept().diverged).toEqual({ epoch: 2 });
});
