import fs from 'node:fs';
import { type Classifier, logits, predictLabel, probability } from '../classifier/classifier.ts';
import { decodeImage } from '../data/decode.ts';
import { exists, readWhole } from '../data/disk.ts';
import { mostFailuresNamed } from '../data/load.ts';
import { decodesAtOnce, mapInOrder } from '../data/source.ts';
import {
  type FoundFile,
  fileAt,
  filesPassedOver,
  foldersPassedOver,
  imagesAmong,
  isFolder,
  maximumFileBytes,
  readImage,
  walkFiles,
} from '../data/sources/files.ts';
import { csvField, decodeText, pathsInList } from '../data/text-files.ts';
import { type ExitKind, systemReason, UserError } from '../errors.ts';
import { kernelsFor, useThreads } from '../kernels/select.ts';
import { count as counted, plural } from '../report/table.ts';
import type { Prediction } from '../results/evaluation.ts';
import { loadClassifier } from '../run/model-file.ts';
import { defaultModel } from '../run/places.ts';
import type { Command, Context } from './command.ts';
import { modelOption, threadsOption, thresholdOption } from './options.ts';

interface Values {
  model?: string;
  threshold?: number;
  json?: boolean;
  csv?: boolean;
  exitCode?: boolean;
  threads?: number;
}

export const command: Command<Values> = {
  arguments: [
    {
      syntax: '<image...>',
      summary:
        'files, folders, globs, - for one image on standard input, @list.txt for a path per line, or with a zero behind each (@- on standard input)',
    },
  ],
  options: [
    modelOption,
    thresholdOption,
    { flags: '--json', summary: 'print JSON Lines' },
    { flags: '--csv', summary: 'print CSV', conflicts: ['json'] },
    { flags: '--exit-code', summary: 'exit 0 if all are the positive class, 8 if any is not' },
    threadsOption,
  ],
  examples: [
    'nn predict photo.jpg',
    'nn predict --json photos/ | jq .p',
    'cat photo.jpg | nn predict -',
    "find photos -name '*.jpg' -print0 | nn predict @-",
    'nn predict --exit-code photo.jpg && echo "a cat"',
  ],
  run: predict,
};

const columns = ['file', 'label', 'p', 'confidence', 'threshold', 'model', 'error'] as const satisfies (keyof Prediction)[];

async function predict(context: Context, values: Values, operands: string[]): Promise<ExitKind | undefined> {
  useThreads(values.threads, context.environment);
  const { classifier, file: model } = await loadClassifier(values.model ?? (await defaultModel(context.environment)));
  const threshold = values.threshold ?? classifier.threshold;
  const format = values.csv ? formats.csv : context.json ? formats.json : formats.text;
  let count = 0;
  let failed = 0;
  let others = 0;
  format.head(context);
  const answers = mapInOrder(imagesOf(operands, context), decodesAtOnce(), async ({ name, pixels }) => ({
    name,
    outcome: await pixels(classifier),
  }));
  for await (const { name, outcome } of answers) {
    if (context.signal.aborted) throw context.signal.reason;
    count++;
    const row = rowOf(name, outcome, { classifier, threshold, model });
    if (row.error !== null) {
      failed++;
      context.complain(`${name}: ${row.error}`);
    } else if (row.label !== classifier.classes.positive) others++;
    format.print(context, row);
  }
  if (count === 0) throw new UserError('data', `${operands.join(', ')}: expected pictures, found none`);
  if (failed > mostFailuresNamed) context.note(`${counted(failed)} of ${plural(count, 'picture')} could not be read`);
  if (failed === count) return 'data';
  if (failed > 0) return 'someFailed';
  return values.exitCode && others > 0 ? 'notPositive' : undefined;
}

type Outcome = { pixels: Uint8Array } | { error: string };

function rowOf(
  file: string,
  outcome: Outcome,
  { classifier, threshold, model }: { classifier: Classifier; threshold: number; model: string },
): Prediction {
  if ('error' in outcome) return { file, label: null, p: null, confidence: null, threshold, model, error: outcome.error };
  const p = probability(logits(classifier, kernelsFor(classifier.precision), outcome.pixels)[0]!);
  return { file, ...predictLabel(classifier, p, threshold), p, threshold, model, error: null };
}

interface Format {
  head(context: Context): void;
  print(context: Context, row: Prediction): void;
}

const formats = {
  text: {
    head: () => {},
    print: (context, { file, label, p }) => p !== null && context.printRow([file, String(label), p.toFixed(4)]),
  },
  json: {
    head: () => {},
    print: (context, { file, label, p, confidence, threshold, model, error }) =>
      context.print(JSON.stringify({ file, label, p, confidence, threshold, model, error })),
  },
  csv: {
    head: (context) => context.printExact(columns.join(',')),
    print: (context, row) => context.printExact(columns.map((column) => csvField(row[column])).join(',')),
  },
} satisfies Record<string, Format>;

interface Image {
  name: string;
  pixels(classifier: Classifier): Promise<Outcome>;
}

/** The pictures that the operands mean, in their order. What is named outright is tried; of folders and globs, pictures alone. */
async function* imagesOf(operands: readonly string[], context: Context): AsyncGenerator<Image> {
  for (const operand of operands) {
    if (operand === '-') yield stdinImage(await context.readStdin(maximumFileBytes));
    else if (operand.startsWith('@'))
      for (const line of await readList(operand.slice(1), context)) yield fileImage(line, await pathHere(line));
    else if (await isFolder(operand)) yield* folderImages(operand, context);
    else if (isGlob(operand) && !(await exists(operand))) yield* globImages(operand, context);
    else yield fileImage(operand);
  }
}

/** @param name  as it is answered for */
function fileImage(name: string, path = name): Image {
  return { name, pixels: ({ preprocessing }) => outcomeOf(readImage(path, preprocessing).then(({ pixels }) => pixels)) };
}

function stdinImage(bytes: Uint8Array): Image {
  const decode = async (classifier: Classifier) => {
    if (bytes.length === 0) throw new UserError('data', 'expected the bytes of an image, found none');
    return decodeImage(bytes, classifier.preprocessing);
  };
  return { name: '-', pixels: (classifier) => outcomeOf(decode(classifier)) };
}

async function* folderImages(folder: string, context: Context): AsyncGenerator<Image> {
  const { files, problems, system } = await walkFiles(folder);
  for (const { path, reason } of problems) yield { name: path, pixels: async () => ({ error: reason }) };
  const { images, others } = await imagesAmong(files.map(fileAt));
  if (images.length + problems.length === 0) context.warn(`${folder}: no pictures in it`);
  warnOfOthers(context, folder, others);
  const folders = foldersPassedOver({ system, empty: [] });
  if (folders) context.warn(`${folder}: ${folders}`);
  for (const { name } of images) yield fileImage(name);
}

const isGlob = (operand: string) => /[*?[{]/.test(operand);

async function* globImages(pattern: string, context: Context): AsyncGenerator<Image> {
  const paths = await filesLike(pattern);
  if (paths.length === 0) yield { name: pattern, pixels: async () => ({ error: 'no file matches' }) };
  const { images, others } = await imagesAmong(paths.map(fileAt));
  if (images.length > 0) warnOfOthers(context, pattern, others);
  for (const { name } of images.length > 0 ? images : others) yield fileImage(name); // '*.dat' means what it says
}

function warnOfOthers(context: Context, where: string, others: readonly FoundFile[]): void {
  const names = others.map(({ name }) => name);
  if (names.length > 0) context.warn(`${where}: ${filesPassedOver(names)}`);
}

/** The files that a pattern means, sorted. */
async function filesLike(pattern: string): Promise<string[]> {
  const { glob } = await import('tinyglobby');
  const slashed = process.platform === 'win32' ? pattern.replaceAll('\\', '/') : pattern;
  return (await glob(slashed, { onlyFiles: true, expandDirectories: false, fs: keepingBrokenLinks })).sort();
}

/** tinyglobby passes over a link that leads nowhere. Here it is a file, so that reading it says what is wrong. */
const keepingBrokenLinks = {
  realpath: ((path: string, done: (error: Error | null, real: string) => void) =>
    fs.realpath(path, (error, real) => done(null, error ? path : real))) as typeof fs.realpath,
  stat: ((path: string, done: (error: Error | null, info: fs.Stats) => void) =>
    fs.stat(path, (error, info) => (error ? fs.lstat(path, done) : done(null, info)))) as typeof fs.stat,
};

/** Node has no strings of more than 512 MiB. */
const listBytes = 500e6;

/** @param path  - for standard input */
async function readList(path: string, context: Context): Promise<string[]> {
  try {
    return pathsInList(decodeText(path === '-' ? await context.readStdin(listBytes) : await readWhole(path, listBytes)));
  } catch (error) {
    if (error === context.signal.reason) throw error;
    throw new UserError('data', `@${path}: expected a list of paths, found: ${systemReason(error)}`, { cause: error });
  }
}

/** A list from Windows has backslashes between folders: on other systems they are letters of a name, unless no file has it. */
async function pathHere(path: string): Promise<string> {
  const slashed = path.replaceAll('\\', '/');
  return slashed !== path && !(await exists(path)) && (await exists(slashed)) ? slashed : path;
}

async function outcomeOf(pixels: Promise<Uint8Array>): Promise<Outcome> {
  try {
    return { pixels: await pixels };
  } catch (error) {
    if (error instanceof UserError && error.kind === 'data') return { error: error.message };
    throw error;
  }
}
