import type { Floats } from '../kernels/kernels.ts';
import type { LayerNorms } from '../results/journal.ts';

/** What watches a training from epoch to epoch: costs that run away, gradients that vanish or explode, layers that die. Each says what it remembers, and
 *  takes it back. */

/** A run has diverged when its cost is this many times max(first cost, ln 2) … */
export const divergedFactor = 100;
/** … for this many epochs on end: a rise that heals is none. */
export const divergedEpochs = 20;

/** What a watch remembers: the highest cost that is not far above, null before the first epoch; epochs above it on end. */
export interface CostWatchState {
  bound: number | null;
  above: number;
}

/** Watches the cost of epochs. */
export interface CostWatch {
  /** takes the first cost of a training, before any step */
  begin(cost: number): void;
  /** whether a cost is far above that of the first epoch */
  isAbove(cost: number): boolean;
  /** takes the cost of an epoch; true when it has been far above for too long */
  endsWith(cost: number): boolean;
  state(): CostWatchState;
  put(state: CostWatchState): void;
}

export function costWatch(): CostWatch {
  let state: CostWatchState = { bound: null, above: 0 };
  const isAbove = (cost: number) => state.bound !== null && cost > state.bound;
  const begin = (cost: number) => {
    state.bound ??= divergedFactor * Math.max(cost, Math.LN2);
  };
  return {
    begin,
    isAbove,
    endsWith(cost) {
      begin(cost);
      state.above = isAbove(cost) ? state.above + 1 : 0;
      return state.above >= divergedEpochs;
    },
    state: () => ({ ...state }),
    put(found) {
      state = { ...found };
    },
  };
}

/** First and last layer learn at rates this many times apart: gradients vanish or explode. */
const apart = 1000;
/** Looks that must agree before it is said … */
const looksNeeded = 3;
/** … and the examples that they must have seen together, unless each saw all: what holds for as many holds for 97 in 100, by 19 to 1. */
const examplesNeeded = 96;
/** Batch norm makes the gradient of a batch that is smaller than this out of its own noise: one of 1 has none at all, and of 2 only
 *  the sign is left. */
export const leastForBatchNorm = 16;

type Message = 'vanishing' | 'exploding' | 'dead';

/** What a watch remembers. */
export interface GradientWatchState {
  /** looks on end, up to the last, at which a message held */
  looks: Partial<Record<Message, number>>;
  /** the examples that they saw; absent in a checkpoint of 0.1.0 */
  examples?: Partial<Record<Message, number>>;
  told: Message[];
}

export interface GradientWatch {
  /** @returns what there is to say now */
  look(epoch: number, layers: readonly LayerNorms[]): string[];
  /** whether a hidden layer gives 0 for every picture, as far as the looks tell */
  isDead(): boolean;
  state(): GradientWatchState;
}

/** Says in words when gradients vanish, explode, or a layer is dead; each at most once, and not by batches too small to tell.
 *  @param options.examples  m, of the training part */
export function gradientWatch(
  { examples: m, batchNorm }: { examples: number; batchNorm: boolean },
  from: GradientWatchState = { looks: {}, told: [] },
): GradientWatch {
  const keys = Object.keys(messages) as Message[];
  const state = structuredClone({ ...from, examples: from.examples ?? {} });
  const holds = (key: Message) =>
    (state.looks[key] ?? 0) >= looksNeeded && (state.examples[key] ?? 0) >= Math.min(examplesNeeded, looksNeeded * m);
  return {
    look(epoch, layers) {
      const { examples = 0 } = layers[0]!;
      if (examples < (batchNorm ? leastForBatchNorm : 1)) return [];
      for (const key of keys) {
        const goesOn = messages[key].holds(layers);
        state.looks[key] = goesOn ? (state.looks[key] ?? 0) + 1 : 0;
        state.examples[key] = goesOn ? (state.examples[key] ?? 0) + examples : 0;
      }
      const news = keys.filter((key) => holds(key) && !state.told.includes(key) && !isOfDead(key, state));
      state.told.push(...news);
      return news.map((key) => `by epoch ${epoch}: ${messages[key].text}`);
    },
    isDead: () => holds('dead'),
    state: () => structuredClone(state),
  };
}

/** Below a dead layer nothing moves: that is one fault, not two with two remedies. */
const isOfDead = (key: Message, { looks }: GradientWatchState) => key === 'vanishing' && (looks.dead ?? 0) > 0;

/** How far a layer's weights move in a step, as a share of their size. */
const speed = ({ updateNorm, weightNorm }: LayerNorms) => updateNorm / weightNorm;
const ratio = (layers: readonly LayerNorms[]) => speed(layers[0]!) / speed(layers[layers.length - 1]!);

const messages: Record<Message, { holds(layers: readonly LayerNorms[]): boolean; text: string }> = {
  vanishing: {
    holds: (layers) => layers.length > 1 && ratio(layers) < 1 / apart,
    text:
      `gradients vanish: the first layer learns ${apart} times slower than the last. ` +
      'Remedies: he or xavier initialisation, relu instead of sigmoid, batchNorm on the hidden layers, fewer layers.',
  },
  exploding: {
    holds: (layers) => layers.length > 1 && ratio(layers) > apart,
    text:
      `gradients explode: the first layer learns ${apart} times faster than the last. ` +
      'Remedies: he or xavier initialisation, training.clipNorm, batchNorm on the hidden layers, a smaller learning rate.',
  },
  dead: {
    holds: (layers) => layers.slice(0, -1).some(({ zeros }) => zeros === 1),
    text:
      'a hidden layer gives 0 for every picture, so nothing below it learns. ' +
      'Remedies: a smaller learning rate, leakyRelu instead of relu, he initialisation.',
  },
};

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
