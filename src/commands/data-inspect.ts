import { prepareLogits, probability } from '../classifier/classifier.ts';
import { inspectImage } from '../data/decode.ts';
import { encodeThumbnail } from '../data/image.ts';
import { type FlaggedImage, flaggedImage } from '../data/inspection/findings.ts';
import { type ImageTable, meanSquare, type SplitOf, summarize } from '../data/inspection/image-table.ts';
import { attempt, decodesAtOnce, mapInOrder } from '../data/source.ts';
import { openData } from '../datasets/open.ts';
import { type ExitKind, UserError } from '../errors.ts';
import { wilsonInterval } from '../evaluation/statistics.ts';
import { kernelsFor, useThreads } from '../kernels/select.ts';
import { readProgress } from '../library/reading.ts';
import { namedRandom } from '../random.ts';
import { type Inspection, inspectionJson, inspectionText } from '../report/inspection.ts';
import { type InspectionImages, inspectionHtml } from '../report/inspection-report.ts';
import type { Interval } from '../results/metrics.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { loadClassifier } from '../run/model-file.ts';
import { runFiles, runOfModel } from '../run/run-folder.ts';
import { readTrained } from '../run/split-file.ts';
import {
  type ShortcutName,
  type ShortcutStudy,
  scoreShortcuts,
  shortcutEnds,
  shortcuts as shortcutEntries,
  studyShortcuts,
} from '../training/shortcuts.ts';
import type { Command, Context } from './command.ts';
import { configOrSource, distinctImages, inspectAll, type SourceValues, sourceArgument, sourceOptions } from './data-source.ts';
import { numberFlag, threadsOption } from './options.ts';

interface Values extends SourceValues {
  model?: string;
  html?: string;
  examples: number;
  all?: boolean;
  threads?: number;
}

export const command: Command<Values> = {
  arguments: [sourceArgument],
  options: [
    ...sourceOptions,
    {
      flags: '-m, --model <path>',
      summary: 'hold shortcuts against this model file or run folder, on pictures that it was not trained on',
    },
    { flags: '--html <file>', summary: 'write a page with the pictures in question' },
    numberFlag('--examples <n>', 'of each finding, at most', { low: 0, high: 1e9, whole: true, default: 10 }),
    { flags: '--all', summary: 'every example' },
    { flags: '--json', summary: 'print it all as JSON' },
    threadsOption,
  ],
  examples: [
    'nn data inspect photos/',
    'nn data inspect photos/ --html findings.html --all',
    'nn data inspect photos/ --model runs/latest',
    'nn data inspect --config configs/quickstart.json',
  ],
  run: inspect,
};

async function inspect(context: Context, values: Values, [path]: string[]): Promise<ExitKind | undefined> {
  useThreads(values.threads, context.environment);
  const started = performance.now();
  const { loaded, hasConfig } = await configOrSource(values, path);
  const opened = await openData(loaded, !hasConfig, readProgress(context));
  const { seen, clusters, splitOf, findings, differences, notes } = await inspectAll(
    context,
    opened,
    hasConfig ? loaded.config : null,
  );
  const study = await studyShortcuts(seen, distinctImages(clusters, seen.count), loaded.config.seed);
  const asked = values.model !== undefined && study !== null ? await evaluateOnStudy(context, values.model, seen, study) : null;
  const shortcuts = study === null ? null : scoreShortcuts(study, asked?.right ?? null);
  const found: Inspection = {
    source: loaded.file,
    ...summarize(seen, splitOf),
    findings,
    differences,
    shortcuts,
    model: asked === null ? null : asked.score,
    warnings: [
      ...opened.sources.flatMap(({ source }) => source.notes),
      ...notes,
      ...(shortcuts ?? []).flatMap(({ warning }) => warning ?? []),
    ],
    seconds: (performance.now() - started) / 1000,
  };
  const most = values.all ? Number.POSITIVE_INFINITY : values.examples;
  if (values.html !== undefined) {
    const images = await imagesOf(found, {
      table: seen,
      study,
      splitOf,
      most,
      seed: loaded.config.seed,
      side: opened.preprocessing.imageSize,
    });
    await writeFileAtomically(values.html, inspectionHtml(found, images, most));
    context.note(`${values.html} has the pictures in question`);
  }
  context.print(context.json ? JSON.stringify(inspectionJson(found)) : inspectionText(found, { most, style: context.style }));
  return undefined;
}

/** Pictures that the page shows: of each class, and at each end of a shortcut. */
const shownOf = { class: 8, end: 6 } as const;

/** The pictures of the page: samples, means, those behind shortcuts, and those of the findings. */
async function imagesOf(
  { findings, shortcuts }: Inspection,
  {
    table,
    study,
    splitOf,
    most,
    seed,
    side,
  }: { table: ImageTable; study: ShortcutStudy | null; splitOf: SplitOf; most: number; seed: number; side: number },
): Promise<InspectionImages> {
  const flagged = (i: number) => flaggedImage(table, i, splitOf);
  const nameOf = (label: 0 | 1) => (label === 1 ? table.classes.positive : table.classes.negative);
  const classes = ([1, 0] as const).map((label) => {
    const members = Int32Array.from(Array(table.count).keys()).filter((i) => table.labels[i] === label);
    const chosen = namedRandom(seed, 'inspect samples', label).shuffle(members).slice(0, shownOf.class).sort();
    const { pixels, count } = meanSquare(table, label);
    return { label: nameOf(label), total: count, samples: Array.from(chosen, flagged), mean: { side, pixels } };
  });
  const behind = (name: ShortcutName) =>
    shortcutEnds(study!, name, shownOf.end).map(({ label, like, images }) => ({
      title: `${nameOf(label)}, most like ${nameOf(like)}`,
      images: images.map((i) => ({
        picture: flagged(i),
        words: shortcutEntries[name].words(table, i),
        square: shortcutEntries[name].square?.(table, i) ?? null,
      })),
    }));
  const found = (shortcuts ?? []).flatMap(({ name, warning }) => (warning === null ? [] : [name as ShortcutName]));
  const groups = new Map(found.map((name) => [name as string, behind(name)]));
  const shown = [
    ...findings.flatMap(({ groups }) => groups.slice(0, most).flatMap(({ pictures }) => pictures)),
    ...classes.flatMap(({ samples }) => samples),
    ...[...groups.values()].flatMap((ends) => ends.flatMap(({ images }) => images.map(({ picture }) => picture))),
  ];
  return { thumbnails: await thumbnails(table, shown), classes, shortcuts: groups };
}

/** The longer side of a picture on the page. */
const thumbnailSide = 128;

/** Small JPEG files of pictures, where they can be read. */
async function thumbnails({ sources }: ImageTable, pictures: readonly FlaggedImage[]): Promise<Map<FlaggedImage, Uint8Array>> {
  const files = mapInOrder(pictures, decodesAtOnce(), async (picture) => {
    const made = await attempt(
      (async () =>
        encodeThumbnail(
          (await inspectImage(await sources[picture.source]!.source.original(picture.index), thumbnailSide)).small,
        ))(),
    );
    return { picture, made };
  });
  const out = new Map<FlaggedImage, Uint8Array>();
  for await (const { picture, made } of files) if ('value' in made) out.set(picture, made.value);
  return out;
}

export interface ModelOnStudy {
  /** for each picture of the study 1 where the model is right, else 0; null where it was trained on it */
  right: (0 | 1 | null)[];
  score: { path: string; accuracy: number; accuracyInterval: Interval; pictures: number };
}

/** Asks a model for the pictures that shortcuts were tried on, but for those that it was trained on.
 *  @throws UserError (data) where its classes are others, or it was trained on all of them */
export async function evaluateOnStudy(
  context: Context,
  path: string,
  table: ImageTable,
  { indices }: ShortcutStudy,
): Promise<ModelOnStudy> {
  const { classifier, file } = await loadClassifier(path);
  const { positive, negative } = table.classes;
  const flipped = positive !== classifier.classes.positive;
  if (flipped && negative !== classifier.classes.positive) {
    const { classes } = classifier;
    throw new UserError(
      'data',
      `--model ${path}: expected the classes ${positive} and ${negative}, found ${classes.positive} and ${classes.negative}`,
    );
  }
  const run = runOfModel(file);
  const trained = await readTrained(run, classifier.classes);
  if (trained === null)
    context.warn(`${run}: no ${runFiles.split} there: the model may have been trained on some of these pictures`);
  const logits = prepareLogits(classifier, kernelsFor(classifier.precision), 1);
  const answers = mapInOrder(indices, decodesAtOnce(), async (i): Promise<0 | 1 | null> => {
    if (trained?.has(table.hashes[i]!)) return null;
    const { source } = table.sources[table.sourceOf[i]!]!;
    const read = await attempt(source.read(table.indexOf[i]!, classifier.preprocessing));
    if ('reason' in read) return null;
    const isPositive = probability(logits(read.value.pixels)[0]!) > classifier.threshold;
    return isPositive === ((table.labels[i] === 1) !== flipped) ? 1 : 0;
  });
  const right: ModelOnStudy['right'] = [];
  for await (const one of answers) right.push(one);
  const asked = right.filter((one) => one !== null);
  if (asked.length === 0)
    throw new UserError('data', `--model ${path}: expected pictures that it was not trained on, found none`, {
      hint: 'Hold it against other pictures, or leave --model out.',
    });
  const correct = asked.reduce<number>((sum, one) => sum + one, 0);
  const score = {
    path,
    accuracy: correct / asked.length,
    accuracyInterval: wilsonInterval(correct, asked.length),
    pictures: asked.length,
  };
  return { right, score };
}
