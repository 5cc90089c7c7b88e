import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Classifier } from '../classifier/classifier.ts';
import type { LoadedConfig } from '../config/load.ts';
import { augments } from '../data/augment.ts';
import { batchLength } from '../data/batches.ts';
import { removeFile } from '../data/disk.ts';
import { allStrings, type ExampleSet, selectStrings } from '../data/examples.ts';
import { foldSplits, type PreparedData } from '../datasets/prepare.ts';
import { systemReason, UserError } from '../errors.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { opsOf } from '../nn/build.ts';
import type { JournalLine } from '../results/journal.ts';
import type { TrainSummary } from '../results/summary.ts';
import { modelFileName, saveClassifier } from '../run/model-file.ts';
import { latestName, shownPath } from '../run/places.ts';
import { linkLatest, type RunFolder, runFiles } from '../run/run-folder.ts';
import { shellWord } from '../text.ts';
import { refuseWrongStep } from './check-step.ts';
import { type Checkpoint, type Checkpoints, checkpointsOf, type InputDigests, type WatcherState } from './checkpoint.ts';
import { costOscillates, nextDevCourse, startsFar } from './cost-curve.ts';
import {
  afterFolds,
  type CrossValidation,
  classifierOf,
  crossValidate,
  type FoldsDone,
  withAbstention,
} from './cross-validation.ts';
import { DivergedError } from './divergence.ts';
import { type EpochEvent, type FitOptions, fit } from './fit.ts';
import { type Plan, planTraining, prepareFit, type TrainingExtras } from './plan.ts';
import { workUntil } from './stages.ts';
import { type Outcome, summarize } from './summarize.ts';
import { gradientWatch } from './watch.ts';

/** Who is told of a training as it goes: the command line, a test, another program. */
export interface TrainingListener {
  /** a fact in passing */
  note(text: string): void;
  /** something that may be wrong */
  warn(text: string): void;
  /** what went wrong, or what a person must know of it */
  complain(text: string): void;
  /** @param begun  what was done before, and so says nothing of the pace */
  progress(
    title: string,
    total: number,
    begun?: number,
    effort?: (done: number) => number,
  ): { update(done: number, detail?: string): void; stop(): void };
  /** a line of the journal, as it is appended */
  journalled?(line: JournalLine): void;
  /** aborted where the training is to stop; its reason says why */
  signal: AbortSignal;
}

/** Tells nobody, and never stops. */
export const silent: TrainingListener = {
  note: () => {},
  warn: () => {},
  complain: () => {},
  progress: () => ({ update: () => {}, stop: () => {} }),
  signal: new AbortController().signal,
};

/** Makes a page of a training, as it goes and when it has ended. A page that can't be written is a warning of its own: it ends no training. */
export interface TrainingReporter {
  /** a line of the journal, as it is appended */
  journalled(line: JournalLine): void;
  /** the journal has more: called after checkpoints */
  progress(): Promise<void>;
  /** the journal's last line says how it broke */
  diverged(): Promise<void>;
  /** it was stopped before there is a model: within cross-validation */
  interrupted(): Promise<void>;
  /** anything else broke it off */
  failed(failure: { message: string; canResume: boolean }): Promise<void>;
  /** @param logits  of train, dev and test, one picture after the other
   *  @returns the page's name in the run's folder; null where it could not be written */
  ended(summary: TrainSummary, classifier: Classifier, logits: Float64Array): Promise<string | null>;
}

/** What a training is given, and the warnings that it gathers. */
export interface TrainingJob {
  listener: TrainingListener;
  loaded: LoadedConfig;
  data: PreparedData;
  files: TrainingExtras;
  kernels: Kernels;
  plan: Plan;
  warnings: string[];
  /** the folder of runs in which a link leads to the latest; null for none */
  runs: string | null;
  /** null where no page is wanted */
  reporter: TrainingReporter | null;
}

/** Appends a line to the journal, and tells who makes a page of it. */
async function append(run: RunFolder, job: TrainingJob, line: object): Promise<void> {
  await run.journal.append(line);
  job.listener.journalled?.(line as JournalLine);
  job.reporter?.journalled(line as JournalLine);
}

/** Warns, and keeps it for the summary. */
function warn(job: TrainingJob, text: string): void {
  job.warnings.push(text);
  job.listener.warn(text);
}

/** Trains, or goes on training, into a run's folder; evaluates the result, and writes what came of it. Whatever breaks it off, it says
 *  how to go on from the last checkpoint.
 *  @param start  the checkpoint to go on from, null for none, and what tells the inputs of the run again */
export async function runTraining(
  run: RunFolder,
  job: TrainingJob,
  start: { from: Checkpoint | null; inputs: InputDigests },
): Promise<{ summary: TrainSummary; isCheckpointed: boolean }> {
  const { listener } = job;
  const checkpoints = checkpointsOf(run, job, start);
  try {
    return await trainAndEvaluate(run, job, checkpoints);
  } catch (error) {
    if (error === listener.signal.reason) throw error;
    const canResume = !(error instanceof UserError && error.kind === 'diverged'); // that would come to the same end
    if (checkpoints.present() && canResume) listener.complain(resumeText(run.path));
    if (!(error instanceof DivergedError)) {
      const message = error instanceof Error ? error.message : String(error);
      await job.reporter?.failed({ message, canResume });
    }
    throw error;
  }
}

async function trainAndEvaluate(
  run: RunFolder,
  job: TrainingJob,
  checkpoints: Checkpoints,
): Promise<{ summary: TrainSummary; isCheckpointed: boolean }> {
  const { data } = job;
  const folds = data.folds === null ? null : await trainFolds(run, job, { ...data, folds: data.folds }, checkpoints);
  const outcome = await trainInto(run, job, folds, checkpoints);
  if (outcome.stopped !== 'interrupted') {
    await removeFile(join(run.path, runFiles.previousCheckpoint));
    await tryLink(job, run.path);
  }
  // last: whatever stands before it is made again by --resume, until there is a summary
  const summary = await summarize(run, job, {
    folds,
    outcome,
    seconds: checkpoints.seconds(),
    warn: (text) => warn(job, text),
  });
  return { summary, isCheckpointed: outcome.saved };
}

/** How to go on with a run: the folder may have a name that nn gave it. */
export function resumeText(path: string): string {
  return `Go on with: nn train --resume ${shellWord(shownPath(path))}`;
}

/** The run is whole without the link: where it can't be made, that is a warning. */
async function tryLink(job: TrainingJob, path: string): Promise<void> {
  if (job.runs === null) return;
  try {
    await linkLatest(job.runs, path);
  } catch (error) {
    job.listener.warn(`${latestName}: the link to this run can't be made: ${systemReason(error)}`);
  }
}

const watchedNothing: WatcherState = { costs: [], gradients: { looks: {}, told: [] }, dev: null, warnings: [] };

/** Cross-validation: a training a fold, each journalled with its fold. */
async function trainFolds(
  run: RunFolder,
  job: TrainingJob,
  data: Parameters<typeof crossValidate>[1],
  { from, wants, save }: Checkpoints,
): Promise<CrossValidation> {
  const { listener, loaded, files } = job;
  const { epochs } = loaded.config.training;
  const before = from?.folds?.folds.length ?? 0;
  const state = before < data.folds.count ? from?.state : null;
  let result: CrossValidation | undefined;
  const bar = listener.progress('epoch', epochs * data.folds.count, epochs * before);
  const found = (one: CrossValidation) => (result = one);
  let folds: FoldsDone | undefined; // grows as they end
  const costText = costTexts();
  const going = { done: from?.folds ?? undefined, state, wants };
  try {
    for await (const { fold, event, done } of crossValidate(loaded.config, data, files, found, going)) {
      folds = done;
      if (event.type === 'state') {
        // the end of a fold is no reason to write: the next begins by itself
        if (event.state.progress.ended !== null && !listener.signal.aborted) continue;
        const saved = await save({ told: watchedNothing, folds: done, state: event.state });
        if (saved) await job.reporter?.progress();
        if (listener.signal.aborted) {
          bar.stop();
          await run.journal.flush();
          await job.reporter?.interrupted();
          if (saved) listener.complain(resumeText(run.path));
          throw listener.signal.reason;
        }
      } else if (event.type === 'epoch') {
        await append(run, job, { fold: fold + 1, ...journalLine(event) });
        bar.update(fold * epochs + event.epoch, `fold ${fold + 1} of ${data.folds.count} · ${costText(event, fold)}`);
      }
    }
  } catch (error) {
    if (error instanceof DivergedError) {
      const fold = folds?.folds.length ?? before;
      await append(run, job, {
        fold: fold + 1,
        ...(await divergedLine(error, foldSplits(data.splits.train, data.folds, fold).train)),
      });
      await reportDivergence(run, job);
    }
    throw error;
  } finally {
    bar.stop();
  }
  return result!;
}

/** The journal's last line of a training that diverged. @param train  what it trained on */
async function divergedLine({ report }: DivergedError, { names }: ExampleSet): Promise<object> {
  const examples = await allStrings(selectStrings(names, Int32Array.from(report.examples)));
  return { diverged: { ...report, examples } };
}

/** Trains, journals every epoch, and saves the model in the run's folder, also when it is interrupted or diverges. */
async function trainInto(
  run: RunFolder,
  job: TrainingJob,
  folds: CrossValidation | null,
  checkpoints: Checkpoints,
): Promise<Outcome> {
  const { listener, data, kernels, files } = job;
  const config = folds === null ? job.loaded.config : afterFolds(job.loaded.config, folds);
  const options = await prepareFit(config, data.splits, planTraining(config, data.splits, kernels), kernels, files);
  refuseWrongStep(options);
  const classifier = () => classifierOf(config, data, options, folds?.temperature);
  const save = async (one: Classifier) => saveClassifier(join(run.path, modelFileName), one);
  const whole = async () => withAbstention(await classifier(), options);
  try {
    const outcome = await trainEpochs(run, job, { options, folds, checkpoints });
    refuseOverflow(options);
    try {
      await run.journal.flush();
      await save(await whole());
    } catch (error) {
      // with a checkpoint --resume makes the model again; without one it is all that is left of the training
      if (!checkpoints.present()) await keepElsewhere(listener, await whole());
      throw error;
    }
    return outcome;
  } catch (error) {
    if (error instanceof DivergedError) {
      await save(await classifier());
      await append(run, job, await divergedLine(error, data.splits.train));
      await reportDivergence(run, job);
      listener.complain(`The weights before it are kept in ${shownPath(run.path)}.`);
    }
    throw error;
  }
}

async function reportDivergence(run: RunFolder, { reporter }: TrainingJob): Promise<void> {
  await run.journal.flush();
  await reporter?.diverged();
}

/** The dual form trains in float64: what it comes to may be more than the model's numbers hold.
 *  @throws UserError (diverged) */
function refuseOverflow({ parameters: { values } }: FitOptions): void {
  if (values.every(Number.isFinite)) return;
  throw new UserError('diverged', 'training diverged: it came to weights beyond the largest number of float32', {
    hint: 'Try a smaller learning rate or model.init.factor, or --set precision=float64.',
  });
}

/** Keeps a trained model that can't be written where it belongs. */
async function keepElsewhere(listener: TrainingListener, classifier: Classifier): Promise<void> {
  try {
    const file = join(await mkdtemp(join(tmpdir(), 'nn-model-')), modelFileName);
    await saveClassifier(file, classifier);
    listener.complain(`The trained model is kept in ${file}`);
  } catch (error) {
    listener.complain(`the trained model can't be kept in ${tmpdir()} either: ${systemReason(error)}`);
  }
}

interface FinalTraining {
  options: FitOptions;
  folds: CrossValidation | null;
  checkpoints: Checkpoints;
}

/** Listens to a training: progress, journal, checkpoints, warnings, and the user's wish to stop. */
async function trainEpochs(run: RunFolder, job: TrainingJob, { options, folds, checkpoints }: FinalTraining): Promise<Outcome> {
  const { listener, data } = job;
  const inFolds = data.folds !== null && (checkpoints.from?.folds?.folds.length ?? 0) < data.folds.count;
  const from = inFolds ? null : checkpoints.from;
  const told = structuredClone(from?.told ?? watchedNothing);
  const { network, train } = options;
  const batchNorm = opsOf(network).some(({ mixesExamples }) => mixesExamples);
  const gradients = gradientWatch({ examples: train.labels.length, batchNorm }, told.gradients);
  job.warnings.push(...told.warnings);
  const warnOf = (text: string) => {
    told.warnings.push(text);
    warn(job, text);
  };
  const outcome: Outcome = {
    ...lastOf(from),
    stopped: 'interrupted',
    saved: false,
    course: { costs: told.costs, dev: null, dead: false },
  };
  const bar = listener.progress('epoch', options.epochs, outcome.epochs, (epochs) =>
    workUntil(options.stages, options.network, epochs),
  );
  const costText = costTexts();
  try {
    for await (const event of fit(options, { resumeFrom: from?.state, shouldCheckpoint: checkpoints.wants })) {
      if (event.type === 'state') {
        const moment = { told: { ...told, gradients: gradients.state() }, folds, state: event.state };
        outcome.saved = await checkpoints.save(moment);
        if (outcome.saved && !listener.signal.aborted) await job.reporter?.progress();
        if (listener.signal.aborted && event.state.progress.ended === null) break;
      } else if (event.type === 'epoch') {
        Object.assign(outcome, { epochs: event.epoch, bestEpoch: event.bestEpoch, stopped: event.stopped ?? 'interrupted' });
        await append(run, job, journalLine(event));
        bar.update(event.epoch, costText(event));
        if (event.layers) for (const text of gradients.look(event.epoch, event.layers)) warnOf(text);
        const far = isSmooth(options) && event.epoch === 1 ? startsFar(event.cost, job.plan.balance) : null;
        if (far !== null) warnOf(far);
        told.costs.push(event.cost);
        if (event.dev !== null && told.dev !== undefined) told.dev = nextDevCourse(told.dev, event.epoch, event.dev.cost);
      } else bar.update(event.progress);
    }
  } finally {
    bar.stop();
  }
  if (isSmooth(options)) {
    const oscillation = costOscillates(told.costs, options);
    if (oscillation !== null) warn(job, oscillation);
  }
  return { ...outcome, course: { costs: told.costs, dev: told.dev ?? null, dead: gradients.isDead() } };
}

/** The last epoch that was finished before a checkpoint, and the one whose weights were the best. */
function lastOf(from: Checkpoints['from']): Pick<Outcome, 'epochs' | 'bestEpoch'> {
  if (from === null) return { epochs: 0, bestEpoch: 0 };
  const { epoch, best } = from.state.progress;
  return { epochs: epoch - 1, bestEpoch: best?.bestEpoch || epoch - 1 }; // 0 before the first look
}

/** Without batches, dropout, augmentation and mixing nothing but the learning rate makes the cost go up and down. */
function isSmooth({ batchSize, train, network, augmentation, mixup }: FitOptions): boolean {
  const m = train.labels.length;
  return batchLength(batchSize, m) === m && !opsOf(network).some(({ drops }) => drops) && !augments(augmentation) && mixup === 0;
}

/** A line of journal.jsonl. */
function journalLine({ type: _, stopped: __, bestEpoch: ___, ...line }: EpochEvent): object {
  return line;
}

/** Words for the progress of a training: the cost of an epoch, and how good it was on dev when that was last evaluated. */
function costTexts(): (event: EpochEvent, fold?: number) => string {
  let last: { dev: EpochEvent['dev']; fold: number } = { dev: null, fold: 0 };
  return ({ cost, dev }, fold = 0) => {
    last = { dev: dev ?? (fold === last.fold ? last.dev : null), fold };
    return `cost ${cost.toFixed(4)}${last.dev === null ? '' : ` · dev ${(last.dev.accuracy * 100).toFixed(1)}%`}`;
  };
}
