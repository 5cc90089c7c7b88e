import type { Floats } from '../kernels/kernels.ts';

export interface EarlyStopping {
  /** epochs without a better dev cost after which training stops */
  patience: number;
  /** what counts as better: lower by more than this */
  minDelta: number;
}

/** Keeps the weights of the epoch with the least dev cost. */
export interface BestKeeper {
  bestEpoch: number;
  /** @returns whether patience is at its end */
  look(epoch: number, devCost: number): boolean;
  /** puts the best weights back */
  restore(): void;
}

export function keepBest(values: Floats, { patience, minDelta }: EarlyStopping): BestKeeper {
  const kept = values.slice();
  let leastCost = Number.POSITIVE_INFINITY;
  let improvedCost = Number.POSITIVE_INFINITY;
  let improvedEpoch = 0;
  const keeper: BestKeeper = {
    bestEpoch: 0,
    look(epoch, devCost) {
      if (devCost < leastCost) {
        kept.set(values);
        leastCost = devCost;
        keeper.bestEpoch = epoch;
      }
      // patience wants an improvement worth the name, though it may have come in small steps
      if (devCost < improvedCost - minDelta) {
        improvedCost = devCost;
        improvedEpoch = epoch;
      }
      return epoch - improvedEpoch >= patience;
    },
    restore: () => values.set(kept),
  };
  return keeper;
}
