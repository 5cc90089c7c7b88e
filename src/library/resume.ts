import { join } from 'node:path';
import { differences } from '../config/json-schema.ts';
import { checkConfig, type LoadedConfig } from '../config/load.ts';
import { type Config, unnamedDefaults } from '../config/schema.ts';
import { readPlainFile, removeFile } from '../data/disk.ts';
import { shown, UserError } from '../errors.ts';
import { reporterOf } from '../library/run-report.ts';
import { schedules } from '../nn/schedules.ts';
import { version } from '../own-files.ts';
import type { TrainSummary } from '../results/summary.ts';
import { dropNewest, loadCheckpoint } from '../run/checkpoint-file.ts';
import { loadClassifier } from '../run/model-file.ts';
import { shownPath } from '../run/places.ts';
import { readOwnJournal } from '../run/read-journal.ts';
import { configOfRun, journalBytes, openRun, readRunConfig, runFiles, takeRun, writeConfig } from '../run/run-folder.ts';
import { changesSince, splitDigest, writeSplit, writtenSplitDigest } from '../run/split-file.ts';
import { type Checkpoint, type InputDigests, inputDigests, unpackCheckpoint } from '../training/checkpoint.ts';
import type { TrainingJob } from '../training/trainer.ts';
import { runTraining } from '../training/trainer.ts';
import type { Host } from './host.ts';
import { prepareJob } from './prepare-job.ts';
import type { RunOptions, Trained } from './train-run.ts';

/** `nn train --resume`: goes on with a run where its last checkpoint was, or from its beginning where there is none yet.
 *  @param options.sets  as given to --set: nothing but training.epochs
 *  @throws UserError where config or pictures are not those that the run began with */
export async function resumeRun(
  host: Host,
  path: string,
  { sets, wantsReport, started }: Pick<RunOptions, 'wantsReport' | 'started'> & { sets: readonly string[] },
): Promise<Trained> {
  const other = sets.find((set) => !/^\s*training\.epochs\s*=/.test(set));
  if (other !== undefined) {
    const meant = /^\s*epochs\s*=/.test(other) ? ` (did you mean --set training.${other.trim()}?)` : '';
    throw new UserError('usage', `--set ${other}: expected training.epochs alone with --resume${meant}`, {
      hint: `For another training: nn train --config ${join(path, runFiles.config)} --set ${other}`,
    });
  }
  const lock = await takeRun(path);
  let close = lock.release;
  try {
    const loaded = await readRunConfig(path, sets);
    const { checkpoint, isPrevious } = await findCheckpoint(host, path);
    const summary = await readSummary(path);
    const began =
      checkpoint === null
        ? (await readRunConfig(path)).config
        : checkConfig(checkpoint.config, 'the checkpoint', [], unnamedDefaults);
    const raised = refuseChanges(loaded, path, began, checkpoint);
    if (summary !== null && summary.stopped !== 'interrupted' && !raised) return await foundFinished(host, path, summary, began);
    if (summary !== null && checkpoint === null) {
      throw new UserError('model', `${path}: expected a checkpoint to go on from, found none`, { hint: anew(path) });
    }
    const job = await prepareJob(host, loaded, { strict: false, compareContents: true });
    const marks = await refuseOtherInput(path, checkpoint, job);
    await removeFile(join(path, runFiles.summary)); // first, so that a run with more epochs never seems finished
    if (raised) await writeConfig(path, loaded);
    if (isPrevious) await dropNewest(path);
    noteBeginning(host, job, checkpoint);
    const run = await openRun(path, lock, checkpoint?.journalBytes ?? 0);
    close = run.close;
    const reporter = wantsReport ? reporterOf(job, path, await readOwnJournal(path)) : null;
    started?.(path, job);
    const ended = await runTraining(run, { ...job, reporter }, { from: checkpoint, inputs: marks });
    return { ...ended, classes: job.data.classes };
  } finally {
    await close();
  }
}

const anew = (path: string) =>
  `Train anew: nn train --config ${join(path, runFiles.config)} --output DIR, or with --output ${path} --force.`;

/** The newest checkpoint that is whole, and whose journal is. */
async function findCheckpoint(host: Host, path: string): Promise<{ checkpoint: Checkpoint | null; isPrevious: boolean }> {
  const bytes = await journalBytes(path);
  const found = await loadCheckpoint(path, async (stored, file) => {
    const checkpoint = unpackCheckpoint(stored, file);
    if (checkpoint.journalBytes > bytes) {
      const journal = join(path, runFiles.journal);
      throw new UserError('model', `${file}: expected ${checkpoint.journalBytes} bytes in ${journal}, found ${bytes}`);
    }
    return checkpoint;
  });
  if (found === null) return { checkpoint: null, isPrevious: false };
  if (found.damage !== null) host.warn(`${found.damage}. Going on from the checkpoint before it`);
  if (found.accepted.version !== version) {
    host.warn(
      `the run was trained by nn ${found.accepted.version} so far, and this is ${version}: its last digits may not be those of a run by one of them alone`,
    );
  }
  return { checkpoint: found.accepted, isPrevious: found.damage !== null };
}

/** summary.json; null where there is none that has a model beside it. */
async function readSummary(path: string): Promise<TrainSummary | null> {
  const { trainSummary } = await import('../results/summary.ts');
  try {
    const [text] = await Promise.all([runFiles.summary, runFiles.model].map((name) => readPlainFile(join(path, name))));
    const summary: unknown = JSON.parse(String(text));
    return trainSummary.safeParse(summary).success ? (summary as TrainSummary) : null;
  } catch {
    return null; // not there, or not whole: made again
  }
}

/** @param began  the config of the run when it began: as the checkpoint has it or, before the first one, the folder
 *  @returns whether the config asks for more epochs
 *  @throws UserError (usage) naming each field that has changed since the run began */
function refuseChanges(loaded: LoadedConfig, path: string, began: Config, checkpoint: Checkpoint | null): boolean {
  const plain = (config: Config) => JSON.parse(JSON.stringify({ ...config, $schema: undefined })) as Config;
  const now = checkpoint === null ? loaded.config : configOfRun(loaded, path);
  const changed = differences(plain(began), plain(now));
  const [epochs] = changed.filter(({ field }) => field === epochsField);
  const others = changed.filter(({ field }) => field !== epochsField);
  if (others.length > 0) {
    const lines = others
      .slice(0, mostChanges)
      .map(
        ({ field, before, now }) => `${loaded.file}: ${field}: expected ${shown(before)}, as the run began, found ${shown(now)}`,
      );
    if (others.length > lines.length) lines.push(`${loaded.file}: … and ${others.length - lines.length} more`);
    throw new UserError('usage', lines, {
      hint: `Put it back; or train anew: nn train --config ${loaded.file} --output DIR.`,
    });
  }
  if (epochs === undefined) return false;
  const ended =
    epochsEnd(began) ?? (checkpoint?.state.progress.ended?.stopped === 'early' ? 'early stopping has ended it' : null);
  refuseEpochs(began.training.epochs, loaded.config.training.epochs, ended);
  return true;
}

const epochsField = 'training.epochs';
/** Fields that are named. */
const mostChanges = 100;

/** Why a run can't have more epochs than it began with; null where it can. */
function epochsEnd(config: Config): string | null {
  const { training, data } = config;
  const { name } = training.schedule;
  if (training.progressive.length > 0) return 'under training.progressive the side of every image depends on it';
  if (schedules[name].needsEnd) return `under the ${name} schedule every rate depends on it`;
  if (typeof data.split === 'object' && 'folds' in data.split) return 'folds that are done do not go on';
  return null;
}

/** @throws UserError (usage) where so many epochs would not have begun in the same way */
function refuseEpochs(before: number, epochs: number, end: string | null): void {
  const refuse = (text: string) => {
    throw new UserError('usage', `${epochsField}: expected ${text}, found ${epochs}`);
  };
  if (epochs < before) refuse(`at least ${before}, as the run began`);
  if (end !== null) refuse(`${before}, as the run began: ${end}`);
}

/** A run that is finished says again what came of it. */
async function foundFinished(host: Host, path: string, summary: TrainSummary, config: Config): Promise<Trained> {
  const { classifier, file } = await loadClassifier(path);
  const moved = { ...summary, run: shownPath(path), model: shownPath(file) };
  const goesOn = summary.stopped === 'finished' && epochsEnd(config) === null;
  const more = goesOn ? ` For more epochs: --set training.epochs=N, above ${config.training.epochs}.` : '';
  host.note(`${path}: this run is finished; nothing is left to do.${more}`);
  return { summary: moved, isCheckpointed: false, classes: classifier.classes };
}

/** @throws UserError (data, usage) naming what is not as it was when the run began */
async function refuseOtherInput(path: string, checkpoint: Checkpoint | null, job: TrainingJob): Promise<InputDigests> {
  const { data, files } = job;
  const split = await splitDigest(data.splits, data.classes);
  const marks = inputDigests(split, data.splits, files);
  const written = await writtenSplitDigest(path);
  const same = checkpoint === null ? written === null || written === split : checkpoint.marks.split === marks.split;
  if (!same) {
    const found = await changesSince(path, data.splits, data.classes);
    throw new UserError('data', `${path}: expected the pictures that the run began with, found ${found}`, {
      hint: `Bring those back; or with these: ${anew(path)}`,
    });
  }
  if (written === null) await writeSplit(path, data.splits, data.classes);
  if (checkpoint !== null) refuseOtherMarks(checkpoint.marks, marks, path);
  return marks;
}

function refuseOtherMarks(before: InputDigests, now: InputDigests, path: string): void {
  if (before.pixels !== now.pixels) {
    throw new UserError(
      'data',
      `${path}: expected the pixels that the run began with, found others from the same files: another version of the decoder, or another system`,
      { hint: `Go on where the run began; or ${anew(path)}` },
    );
  }
  for (const [mark, field] of [
    ['startFrom', 'training.startFrom'],
    ['rateByFeature', 'training.learningRateByFeature'],
  ] as const) {
    if (before[mark] === now[mark]) continue;
    throw new UserError('usage', `${path}: ${field}: expected the numbers that the run began with, found others in its file`, {
      hint: `Put the file back; or ${anew(path)}`,
    });
  }
}

function noteBeginning(host: Host, job: TrainingJob, checkpoint: Checkpoint | null): void {
  if (checkpoint === null) {
    host.note('There is no checkpoint yet: training begins again.');
    return;
  }
  const { epoch, form } = checkpoint.state.progress;
  if (host.verbose) host.note(`going on in epoch ${epoch}`);
  if (checkpoint.folds === null && job.plan.form.form !== form) {
    host.note(
      `The first layer stays in ${form} form, as the run began. With so many epochs from the start it would be in ${job.plan.form.form} form: another order of sums, and so other last digits.`,
    );
  }
}
