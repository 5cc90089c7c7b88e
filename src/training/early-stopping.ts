import type { Floats } from '../kernels/kernels.ts';

export interface EarlyStopping {
  /** epochs without a better dev cost after which training stops */
  patience: number;
  /** what counts as better: lower by more than this */
  minDelta: number;
}

/** What looks at dev have shown; costs are null before the first. */
export interface BestState {
  bestEpoch: number;
  leastCost: number | null;
  /** the cost and the epoch of the last improvement that was worth the name */
  improvedCost: number | null;
  improvedEpoch: number;
}

/** Keeps the weights of the epoch with the least dev cost. */
export interface BestKeeper {
  readonly bestEpoch: number;
  /** @returns whether patience is at its end */
  update(epoch: number, devCost: number): boolean;
  /** puts the best weights back */
  restore(): void;
  /** what is kept, as copies */
  take(): { state: BestState; weights: Floats };
  put(kept: { state: BestState; weights: Floats }): void;
}

export function keepBest(values: Floats, { patience, minDelta }: EarlyStopping): BestKeeper {
  const kept = values.slice();
  let state: BestState = { bestEpoch: 0, leastCost: null, improvedCost: null, improvedEpoch: 0 };
  return {
    get bestEpoch() {
      return state.bestEpoch;
    },
    update(epoch, devCost) {
      if (devCost < (state.leastCost ?? Number.POSITIVE_INFINITY)) {
        kept.set(values);
        state.leastCost = devCost;
        state.bestEpoch = epoch;
      }
      // patience wants an improvement worth the name, though it may have come in small steps
      if (devCost < (state.improvedCost ?? Number.POSITIVE_INFINITY) - minDelta) {
        state.improvedCost = devCost;
        state.improvedEpoch = epoch;
      }
      return epoch - state.improvedEpoch >= patience;
    },
    restore: () => values.set(kept),
    take: () => ({ state: { ...state }, weights: kept.slice() }),
    put(found) {
      state = { ...found.state };
      kept.set(found.weights);
    },
  };
}
