import { availableParallelism, cpus } from 'node:os';
import { basename, join } from 'node:path';
import { probability } from '../classifier/classifier.ts';
import { differences } from '../config/json-schema.ts';
import { checkConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { type SplitName, splitNames } from '../data/split.ts';
import { UserError } from '../errors.ts';
import { version } from '../own-files.ts';
import type { Judged } from '../report/judged.ts';
import { epochKeeper, type KeptEpochs } from '../report/kept-epochs.ts';
import { type RunReport, runReportHtml } from '../report/run-report.ts';
import { shownImages } from '../report/shown-images.ts';
import { weightImages } from '../report/weight-images.ts';
import type { JournalLine } from '../results/journal.ts';
import type { TrainSummary } from '../results/summary.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { shownPath } from '../run/places.ts';
import { configOfRun, runFiles } from '../run/run-folder.ts';
import type { TrainingJob, TrainingReporter } from '../training/trainer.ts';
import { linkOf, rootsOf } from './image-paths.ts';

/** Pages take at most one part in so many of a training's time. */
const share = 50;

/** Writes report.html of a run, as it goes and when it has ended.
 *  @param path    the folder of the run
 *  @param before  the lines of its journal, where it goes on */
export function reporterOf(job: TrainingJob, path: string, before: readonly JournalLine[] = []): TrainingReporter {
  const keeper = epochKeeper();
  for (const line of before) keeper.add(line);
  const { config } = job.loaded;
  let [ended, took] = [performance.now(), 0];
  const write = async (part: Partial<RunReport> & Pick<RunReport, 'state'>): Promise<string | null> => {
    const begun = performance.now();
    try {
      const page = runReportHtml({ ...commonOf(job, path, keeper.kept()), ...part });
      await writeFileAtomically(join(path, runFiles.report), page);
      return runFiles.report;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      job.listener.warn(error.message);
      return null;
    } finally {
      ended = performance.now();
      took = ended - begun;
    }
  };
  return {
    journalled: keeper.add,
    async progress() {
      if (performance.now() - ended >= (share - 1) * took) await write({ state: 'training' });
    },
    async diverged() {
      await write({ state: 'diverged' });
    },
    async interrupted() {
      await write({ state: 'interrupted' });
    },
    async failed(failure) {
      await write({ state: 'failed', failure });
    },
    async ended(summary, classifier, logits) {
      const shown = judgedPart(job, summary, logits);
      const roots = rootsOf(job.loaded);
      const hrefOf = (name: string) => linkOf(name, roots, join(path, runFiles.report));
      const images = shown && (await shownImages(job.data.splits[shown.part]!, shown, { classes: job.data.classes, hrefOf }));
      const facts = [['seed', String(config.seed)], ['training', `${summary.seconds.toFixed(1)} s`], ...machineFacts()] as const;
      return write({ state: 'ended', summary, judged: shown, images, weights: weightImages(classifier), facts });
    },
  };
}

/** What a page says of a training in any state. */
function commonOf({ loaded, data }: TrainingJob, path: string, kept: KeptEpochs): RunReport {
  const { config } = loaded;
  return {
    title: basename(path),
    folder: shownPath(path),
    classes: data.classes,
    state: 'training',
    written: `${new Date().toISOString().slice(0, 19).replace('T', ' ')} UTC`,
    summary: null,
    wanted: config.training.epochs,
    ...kept,
    failure: null,
    judged: null,
    images: null,
    weights: null,
    changes: changesOf(config),
    config: configOfRun(loaded, path),
    facts: [['seed', String(config.seed)], ...machineFacts()],
  };
}

/** The part to look at: dev, where there is one, so that nothing is chosen by looking at test. */
const looked: readonly SplitName[] = ['dev', 'test', 'train'];

function judgedPart(
  { data: { splits } }: TrainingJob,
  summary: TrainSummary,
  logits: Float64Array,
): (Judged & { part: SplitName }) | null {
  const part = looked.find((name) => summary.metrics[name] !== null);
  if (part === undefined) return null;
  const before = splitNames.slice(0, splitNames.indexOf(part)).reduce((sum, name) => sum + summary.examples[name].total, 0);
  const p = logits.slice(before, before + summary.examples[part].total).map(probability);
  return {
    part,
    name: part,
    metrics: summary.metrics[part]!,
    threshold: summary.threshold!,
    answers: { p, labels: splits[part]!.labels },
  };
}

/** Fields that are not the default, PATH=VALUE; where pictures come from is no default's. `withoutDefaults`, which finds the shortest config, checks one for every field
 *  and takes longer than a page may. */
export function changesOf(config: Config): string[] {
  const { source, train, dev, test } = config.data;
  const sources = Object.fromEntries(Object.entries({ source, train, dev, test }).filter(([, value]) => value !== undefined));
  const plain = checkConfig({ data: sources }, 'the defaults', [], config.defaults);
  return differences({ ...plain, $schema: config.$schema }, config).map(({ field, now }) => `${field}=${JSON.stringify(now)}`);
}

/** Versions and machine, for the foot of a page. */
export function machineFacts(): [string, string][] {
  return [
    ['nn', version],
    ['Node.js', process.version],
    ['processor', `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} in use at most`],
  ];
}
