import type { LayerNorms } from './layer-norms.ts';
import type { TrainingState } from './state.ts';

/** A sign of life within an epoch that takes long. */
export interface StepEvent {
  type: 'step';
  /** epochs done, with the share of the present one */
  progress: number;
}

/** What an epoch did: a line of the journal. Epochs count from 1. */
export interface EpochEvent {
  type: 'epoch';
  epoch: number;
  /** the mean over the epoch's batches, each before its own update and as trained, without L2 */
  cost: number;
  /** (λ/2m) Σ‖W‖², the mean over the batches */
  l2Cost: number;
  train: { accuracy: number };
  /** in inference mode after the epoch's updates; null where this epoch was not looked at */
  dev: { cost: number; accuracy: number } | null;
  /** the first layer's, after the schedule */
  learningRate: number;
  /** since the start */
  seconds: number;
  /** of the epoch's last step; null where this epoch was not looked at */
  layers: LayerNorms[] | null;
  /** with early stopping the epoch of the least dev cost so far, else this one */
  bestEpoch: number;
  /** why this is the last epoch, if it is */
  stopped: Exclude<Stopped, 'interrupted'> | null;
}

/** How a training ended. */
export type Stopped = 'finished' | 'early' | 'time' | 'interrupted';

/** What a later process needs to go on from here to the same bits. Asked for by `Going.wants`; and once before the last
 *  epoch's event, for whoever asks at all. */
export interface StateEvent {
  type: 'state';
  state: TrainingState;
}

export type FitEvent = StepEvent | EpochEvent | StateEvent;
