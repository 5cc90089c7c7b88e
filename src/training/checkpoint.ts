import { createHash } from 'node:crypto';
import { count, duration, fields, isRecord, list, nestedAtMost, number, optional, orNull, text } from '../checks.ts';
import type { LoadedConfig } from '../config/load.ts';
import { contentHash } from '../data/content-hash.ts';
import type { ExampleSet } from '../data/examples.ts';
import { fewImages } from '../data/pixels.ts';
import { splitNames } from '../data/split.ts';
import type { Splits } from '../datasets/prepare.ts';
import { UserError } from '../errors.ts';
import { forms } from '../nn/input/input-form.ts';
import { version } from '../own-files.ts';
import { saveCheckpoint } from '../run/checkpoint-file.ts';
import { configOfRun, type RunFolder } from '../run/run-folder.ts';
import type { DevCourse } from './cost-curve.ts';
import type { FoldsDone } from './cross-validation.ts';
import type { ResumeOptions } from './fit.ts';
import type { TrainingExtras } from './plan.ts';
import type { TrainingState } from './state.ts';
import type { GradientWatchState } from './watch.ts';

/** All that a run needs to go on where it was, to the same bits. */
export interface Checkpoint {
  /** of nn */
  version: string;
  /** the run's config as it stood in its folder: JSON */
  config: unknown;
  marks: InputDigests;
  /** the length of the journal up to here; what stands behind it belongs to what is trained again */
  journalBytes: number;
  /** trained so far, cross-validation included */
  seconds: number;
  /** what whoever listens remembers of the final training */
  told: WatcherState;
  /** with cross-validation: the folds that are done; while there are others, `state` is in the midst of the next */
  folds: FoldsDone | null;
  state: TrainingState;
}

export interface WatcherState {
  /** of every epoch */
  costs: number[];
  gradients: GradientWatchState;
  /** looks at dev; absent in a checkpoint of 0.1.0 */
  dev?: DevCourse | null;
  warnings: string[];
}

/** By which the pictures and files of a run are told again. */
export interface InputDigests {
  /** of split.csv: which pictures, with what content, in which order */
  split: string;
  /** of pixels: what decoding made of them */
  pixels: string;
  /** of the weights to start from */
  startFrom: string;
  rateByFeature: string;
}

/** @param split  the mark of split.csv */
export function inputDigests(
  split: string,
  parts: Splits,
  { initialWeights: startValues, featureLearningRates: rateByFeature }: TrainingExtras,
): InputDigests {
  const ofNumbers = (numbers: ArrayLike<number> | undefined) =>
    contentHash(new Uint8Array(Float64Array.from(numbers ?? []).buffer));
  return {
    split,
    pixels: pixelsMark(parts),
    startFrom: ofNumbers(startValues),
    rateByFeature: ofNumbers(rateByFeature),
  };
}

/** Pictures of a part that are looked at: another way of decoding shows in nearly all of them. */
const markedPictures = 1024;

function pixelsMark(parts: Splits): string {
  const hash = createHash('sha256');
  const add = ({ features, pixels, labels }: ExampleSet) => {
    const step = Math.max(1, Math.floor(labels.length / markedPictures));
    for (let i = 0; i < labels.length; i += step) hash.update(fewImages(pixels, Int32Array.of(i), features));
  };
  for (const part of splitNames) if (parts[part]) add(parts[part]);
  return hash.digest('hex').slice(0, 32);
}

type Numbers = Record<string, Float32Array | Float64Array>;

/** A checkpoint as JSON and tensors. */
export function packCheckpoint({ told, folds, state, ...rest }: Checkpoint): { content: object; tensors: Numbers } {
  const { costs, ...ofTold } = told;
  const buffers = Object.entries(state.buffers).map(([name, values]) => [`${statePrefix}${name}`, values] as const);
  return {
    content: { ...rest, told: ofTold, folds: folds?.folds ?? null, progress: state.progress },
    tensors: { ...Object.fromEntries(buffers), costs: Float64Array.from(costs), ...(folds && { 'folds.logits': folds.logits }) },
  };
}

const statePrefix = 'training.';

/** @throws UserError (model) where it is not what `packCheckpoint` made */
export function unpackCheckpoint(
  { content, tensors }: { content: unknown; tensors: Record<string, unknown> },
  file: string,
): Checkpoint {
  if (!isShallow(content) || !isContent(content))
    throw new UserError('model', `${file}: expected a checkpoint's content, found something else`);
  const { told, folds, progress, ...rest } = content as unknown as PackedContent;
  const floats = (name: string): Float64Array => {
    const found = tensors[name];
    if (found instanceof Float64Array) return found;
    throw new UserError('model', `${file}: ${name}: expected float64 numbers, found ${found === undefined ? 'none' : 'others'}`);
  };
  const buffers: Numbers = {};
  for (const [name, values] of Object.entries(tensors)) {
    const known = name.startsWith(statePrefix) && (values instanceof Float32Array || values instanceof Float64Array);
    if (known) buffers[name.slice(statePrefix.length)] = values;
  }
  return {
    ...rest,
    told: { ...told, costs: Array.from(floats('costs')) },
    folds: folds && { folds, logits: floats('folds.logits') },
    state: { progress, buffers },
  };
}

type PackedContent = Omit<Checkpoint, 'told' | 'folds' | 'state'> & {
  told: Omit<WatcherState, 'costs'>;
  folds: FoldsDone['folds'] | null;
  progress: TrainingState['progress'];
};

/** A config and all that is remembered have ten levels at most. */
const isShallow = nestedAtMost(50);

const isContent = fields({
  version: text,
  config: isRecord,
  marks: fields({ split: text, pixels: text, startFrom: text, rateByFeature: text }),
  journalBytes: count,
  seconds: duration,
  told: fields({
    gradients: fields({ looks: isRecord, examples: optional(isRecord), told: list(text) }),
    dev: optional(orNull(fields({ leastCost: number, leastEpoch: count, lastCost: number }))),
    warnings: list(text),
  }),
  folds: orNull(list(fields({ fold: count, metrics: isRecord, epochs: count, bestEpoch: count }))),
  progress: fields({
    form: (value) => Object.hasOwn(forms, String(value)) && value !== 'auto',
    epoch: count,
    steps: count,
    sums: fields({ cost: number, l2Cost: number, correct: count, batches: count, examples: count }),
    seconds: duration,
    watch: fields({ bound: orNull(number), above: count }),
    best: orNull(fields({ bestEpoch: count, leastCost: orNull(number), improvedCost: orNull(number), improvedEpoch: count })),
    average: optional(orNull(fields({ steps: count }))),
    ended: orNull(
      fields({
        epoch: count,
        cost: number,
        l2Cost: number,
        train: fields({ accuracy: number }),
        dev: orNull(fields({ cost: number, accuracy: number })),
        learningRate: number,
        seconds: duration,
        layers: orNull(list(isRecord)),
        bestEpoch: count,
        stopped: text,
      }),
    ),
  }),
});

/** The checkpoints of a run: the one that it goes on from, and those that it makes. */
export interface Checkpoints {
  from: Checkpoint | null;
  /** whether one is due: by time, by epochs, or since the user wishes to stop */
  wants: NonNullable<ResumeOptions['shouldCheckpoint']>;
  /** Writes one. Where that fails there is a warning, and training goes on. @returns whether it is on the disk */
  save(moment: Pick<Checkpoint, 'told' | 'folds' | 'state'>): Promise<boolean>;
  /** whether there is one on the disk */
  present(): boolean;
  /** of training, earlier sessions included */
  seconds(): number;
}

/** Checkpoints take at most one part in this many of the time. */
const share = 20;
/** The first comes after two seconds, where others come later: before it a kill costs all there is. */
const firstAfter = 2000;

export function checkpointsOf(
  run: RunFolder,
  { listener, loaded }: { listener: { signal: AbortSignal; warn(text: string): void }; loaded: LoadedConfig },
  { from, inputs }: { from: Checkpoint | null; inputs: InputDigests },
): Checkpoints {
  const { checkpointMinutes: minutes, checkpointEpochs: epochs } = loaded.config.training;
  const config = configOfRun(loaded, run.path);
  const started = performance.now();
  const seconds = () => (from?.seconds ?? 0) + (performance.now() - started) / 1000;
  let [saved, took, seenEpochs] = [started, 0, 0];
  let present = from !== null;
  let warned = false;
  const between = () => (present ? minutes * 60_000 : Math.min(minutes * 60_000, firstAfter));
  const dueByTime = () => performance.now() - saved >= (minutes === 0 ? 0 : Math.max(between(), (share - 1) * took));
  return {
    from,
    present: () => present,
    seconds,
    wants({ epochsDone }) {
      const newEpoch = epochsDone !== seenEpochs;
      seenEpochs = epochsDone;
      const dueByEpoch = epochs !== null && newEpoch && epochsDone > 0 && epochsDone % epochs === 0;
      return dueByEpoch || dueByTime() || listener.signal.aborted;
    },
    async save(moment) {
      const before = performance.now();
      try {
        const journalBytes = await run.journal.sync();
        await saveCheckpoint(
          run.path,
          packCheckpoint({ ...moment, version, config, marks: inputs, journalBytes, seconds: seconds() }),
        );
        present = true;
        return true;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        if (!warned) listener.warn(`${error.message}. Training goes on without new checkpoints until one can be written`);
        warned = true;
        return false;
      } finally {
        saved = performance.now();
        took = saved - before;
      }
    },
  };
}
