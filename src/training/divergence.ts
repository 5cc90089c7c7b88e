import { UserError } from '../errors.ts';
import type { Workspace } from '../model/forward.ts';
import type { Network, ParameterSpec, Parameters } from '../model/network.ts';
import { type RateScale, smallerRates } from './learning-rate.ts';

/** A run has diverged when its cost is this many times max(first cost, ln 2) … */
export const divergedFactor = 100;
/** … for this many epochs on end: a rise that heals is none. */
export const divergedEpochs = 20;

/** What went wrong, where and when. */
export interface Autopsy {
  epoch: number;
  /** from 1, over all epochs */
  step: number;
  /** 1 for the first */
  layer: number;
  /** such as W1 */
  tensor: string;
  learningRate: number;
  /** for all layers, or one a layer where they differ; null where no rate is to blame, since none was used yet */
  proposedRate: number | number[] | null;
  what: string;
  /** indices into the training part of the bad step's batch */
  examples: number[];
}

/** Training diverged. The weights are the last with which an epoch began well. */
export class DivergedError extends UserError {
  readonly autopsy: Autopsy;

  constructor(autopsy: Autopsy) {
    const { epoch, step, layer, tensor, learningRate, proposedRate, what } = autopsy;
    super(
      'diverged',
      `training diverged at step ${step} (epoch ${epoch}) in layer ${layer} (${tensor}) with learning rate ${learningRate}: ${what}`,
      { hint: hintFor(proposedRate) },
    );
    this.autopsy = autopsy;
  }
}

/** Judges what was just trained, where finite weights may give answers that are none: infinite, or no number.
 *  @param costsOf  of what was judged
 *  @throws UserError (diverged) */
export async function judgeTrained<Judged>(
  rates: RateScale,
  judge: () => Promise<Judged>,
  costsOf: (judged: Judged) => readonly number[],
): Promise<Judged> {
  try {
    const judged = await judge();
    if (costsOf(judged).every(Number.isFinite)) return judged;
  } catch (error) {
    if (!(error instanceof UserError) || error.kind !== 'model') throw error;
  }
  throw new UserError('diverged', 'training diverged: it ended with weights that give no finite answer for some pictures', {
    hint: hintFor(smallerRates(rates, 'breaks')),
  });
}

function hintFor(proposedRate: Autopsy['proposedRate']): string {
  if (proposedRate === null) {
    return 'No step was taken before it, so no learning rate is to blame: first weights, inputs, training.l2 or training.classWeight are too large. Try --set model.init=auto --set data.normalize=standardizeChannels';
  }
  return `Try a smaller learning rate: --set training.learningRate=${JSON.stringify(proposedRate)}; --find-rate tries several`;
}

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

/** A segment that holds something that is not finite: of the last such layer, since gradients come from there. */
export function brokenSegment({ values, specs: segments }: Parameters): ParameterSpec | undefined {
  const broken = segments.filter(({ offset, length }) => {
    for (let i = offset; i < offset + length; i++) if (!Number.isFinite(values[i])) return true;
    return false;
  });
  return broken.find(({ layer }) => layer === broken[broken.length - 1]!.layer);
}

/** The first layer whose z are not all finite, on the way forward; undefined where all are. */
export function brokenLayer({ layers }: Workspace, network: Network, count: number): number | undefined {
  const found = layers.findIndex(({ z }, l) => !z.subarray(0, count * network.layers[l]!.units).every(Number.isFinite));
  return found < 0 ? undefined : found;
}

/** ‖·‖ of a segment. */
export function segmentNorm({ values }: Parameters, { offset, length }: ParameterSpec): number {
  let sum = 0;
  for (let i = offset; i < offset + length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}
