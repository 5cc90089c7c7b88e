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
import { type RunReport, runReportHtml, type StoredEpoch } from '../report/run-report.ts';
import { shownImages } from '../report/shown-images.ts';
import { weightImages } from '../report/weight-images.ts';
import type { JournalLine } from '../results/journal.ts';
import type { TrainSummary } from '../results/summary.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { shownPath } from '../run/places.ts';
import { readOwnJournal } from '../run/read-journal.ts';
import { configOfRun, runFiles } from '../run/run-folder.ts';
import type { TrainingJob, TrainingReporter } from '../training/trainer.ts';
import { linkOf, rootsOf } from './image-paths.ts';

/** Pages take at most one part in so many of a training's time. */
const share = 50;

/** Writes report.html of a run, as it goes and when it has ended.
 *  @param path  the folder of the run */
export function reporterOf(job: TrainingJob, path: string): TrainingReporter {
  const { config } = job.loaded;
  let [ended, took] = [performance.now(), 0];
  const write = async (part: Partial<RunReport> & Pick<RunReport, 'state'>): Promise<string | null> => {
    const begun = performance.now();
    try {
      const page = runReportHtml({ ...(await commonOf(job, path)), ...part });
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
    async progress() {
      if (performance.now() - ended >= (share - 1) * took) await write({ state: 'training' });
    },
    async diverged() {
      await write({ state: 'diverged' });
    },
    async interrupted() {
      await write({ state: 'interrupted' });
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
async function commonOf({ loaded, data }: TrainingJob, path: string): Promise<RunReport> {
  const { config } = loaded;
  return {
    title: basename(path),
    folder: shownPath(path),
    classes: data.classes,
    state: 'training',
    written: `${new Date().toISOString().slice(0, 19).replace('T', ' ')} UTC`,
    summary: null,
    wanted: config.training.epochs,
    ...epochsOf(await readOwnJournal(path)),
    judged: null,
    images: null,
    weights: null,
    changes: changesOf(config),
    config: configOfRun(loaded, path),
    facts: [['seed', String(config.seed)], ...machineFacts()],
  };
}

/** The final training's epochs, or those of the last fold while there are none. */
export function epochsOf(lines: readonly JournalLine[]): Pick<RunReport, 'epochs' | 'fold' | 'diverged'> {
  const fold = lines.some((line) => line.fold === undefined) ? undefined : lines.at(-1)?.fold;
  const own = lines.filter((line) => line.fold === fold);
  return {
    epochs: own.flatMap((line) => ('epoch' in line ? [withoutNulls(line as StoredEpoch)] : [])),
    fold: fold ?? null,
    diverged: own.flatMap((line) => ('diverged' in line ? [line.diverged] : []))[0] ?? null,
  };
}

/** JSON has null for what is no number. Lines of numbers alone, which nearly all are, stay as they are. */
function withoutNulls(line: StoredEpoch): StoredEpoch {
  const isWhole = line.cost !== null && (line.dev === null || line.dev.cost !== null) && !line.layers?.some(hasNull);
  if (isWhole) return line;
  const dev = line.dev && { ...line.dev, cost: line.dev.cost ?? Number.NaN };
  const known = (norms: object) =>
    Object.fromEntries(Object.entries(norms).map(([name, value]) => [name, value ?? Number.NaN])) as NonNullable<
      StoredEpoch['layers']
    >[number];
  return { ...line, cost: line.cost ?? Number.NaN, dev, layers: line.layers?.map(known) ?? null };
}

function hasNull(norms: object): boolean {
  for (const name in norms) if (norms[name as keyof typeof norms] === null) return true;
  return false;
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

/** Fields that are not the default, PATH=VALUE; where pictures come from is no default's. */
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
