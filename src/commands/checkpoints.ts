import { UserError } from '../errors.ts';
import { saveCheckpoint } from '../run/checkpoint-file.ts';
import { configOfRun, type RunFolder } from '../run/run-folder.ts';
import { type Checkpoint, type InputDigests, packCheckpoint } from '../training/checkpoint.ts';
import type { ResumeOptions } from '../training/fit.ts';
import { version } from '../version.ts';
import type { Job } from './train-job.ts';

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
  { context, loaded }: Pick<Job, 'context' | 'loaded'>,
  { from, marks }: { from: Checkpoint | null; marks: InputDigests },
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
      return dueByEpoch || dueByTime() || context.signal.aborted;
    },
    async save(moment) {
      const before = performance.now();
      try {
        const journalBytes = await run.journal.sync();
        await saveCheckpoint(run.path, packCheckpoint({ ...moment, version, config, marks, journalBytes, seconds: seconds() }));
        present = true;
        return true;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        if (!warned) context.warn(`${error.message}. Training goes on without new checkpoints until one can be written`);
        warned = true;
        return false;
      } finally {
        saved = performance.now();
        took = saved - before;
      }
    },
  };
}
