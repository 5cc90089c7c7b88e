import { UserError } from '../errors.ts';
import type { Parameters, Segment } from '../model/network.ts';

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
  proposedRate: number;
  what: string;
  /** indices into the training part of the bad step's batch */
  examples: number[];
}

/** Training diverged. The weights are those before the bad step. */
export class DivergedError extends UserError {
  readonly autopsy: Autopsy;

  constructor(autopsy: Autopsy) {
    const { epoch, step, layer, tensor, learningRate, proposedRate, what } = autopsy;
    super(
      'diverged',
      `training diverged at step ${step} (epoch ${epoch}) in layer ${layer} (${tensor}) with learning rate ${learningRate}: ${what}`,
      { hint: `Try a smaller learning rate: --set training.learningRate=${proposedRate}` },
    );
    this.autopsy = autopsy;
  }
}

/** A rate that is worth trying after one that was too large. */
export function smallerRate(rate: number): number {
  return Number((rate / 10).toPrecision(2));
}

/** Watches the cost of epochs: true when it has been far above its start for too long. */
export function costWatch(): (cost: number) => boolean {
  let bound = Number.POSITIVE_INFINITY;
  let first = true;
  let above = 0;
  return (cost) => {
    if (first) bound = divergedFactor * Math.max(cost, Math.LN2);
    first = false;
    above = cost > bound ? above + 1 : 0;
    return above >= divergedEpochs;
  };
}

/** The first segment that holds something that is not finite. */
export function brokenSegment({ values, segments }: Parameters): Segment | undefined {
  return segments.find(({ offset, length }) => {
    for (let i = offset; i < offset + length; i++) if (!Number.isFinite(values[i])) return true;
    return false;
  });
}

/** ‖·‖ of a segment. */
export function segmentNorm({ values }: Parameters, { offset, length }: Segment): number {
  let sum = 0;
  for (let i = offset; i < offset + length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}
