import fs from 'node:fs';
import type { Classifier } from '../classifier/classifier.ts';
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
import { decodeText, pathsInList } from '../data/text-files.ts';
import { type ExitKind, systemReason, UserError } from '../errors.ts';
import { count as counted, plural } from '../report/table.ts';
import type { Context } from './command.ts';

/** Pictures as operands name them, with or without what can be read of them. */

export const imageOperands = {
  syntax: '<image...>',
  summary:
    'files, folders, globs, - for one image on standard input, @list.txt for a path per line, or with a zero behind each (@- on standard input)',
};

export interface Image {
  /** as it is answered for */
  name: string;
  /** null where it is no file */
  path: string | null;
  pixels(classifier: Pick<Classifier, 'preprocessing'>): Promise<Outcome>;
}

export type Outcome = { pixels: Uint8Array } | { error: string };

/** Has pictures answered for, in their order; complains of those that can't be read, which are answered for in their place too.
 *  @param operands  what named the pictures
 *  @returns how it ended: all failed, some did, or none
 *  @throws UserError (data) where there are no pictures */
export async function answerEach(
  context: Context,
  { operands, images }: { operands: readonly string[]; images: Iterable<Image> | AsyncIterable<Image> },
  classifier: Classifier,
  answer: (image: Image, outcome: Outcome, index: number) => void | Promise<void>,
): Promise<ExitKind | undefined> {
  let count = 0;
  let failed = 0;
  const outcomes = mapInOrder(images, decodesAtOnce(), async (image) => ({ image, outcome: await image.pixels(classifier) }));
  for await (const { image, outcome } of outcomes) {
    if (context.signal.aborted) throw context.signal.reason;
    if ('error' in outcome) {
      failed++;
      context.complain(`${image.name}: ${outcome.error}`);
    }
    await answer(image, outcome, count++);
  }
  if (count === 0) throw new UserError('data', `${operands.join(', ')}: expected pictures, found none`);
  if (failed > mostFailuresNamed) context.note(`${counted(failed)} of ${plural(count, 'picture')} could not be read`);
  if (failed === count) return 'data';
  return failed > 0 ? 'someFailed' : undefined;
}

/** The pictures that the operands mean, in their order. What is named outright is tried; of folders and globs, pictures alone. */
export async function* imagesOf(operands: readonly string[], context: Context): AsyncGenerator<Image> {
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
  return { name, path, pixels: ({ preprocessing }) => outcomeOf(readImage(path, preprocessing).then(({ pixels }) => pixels)) };
}

function stdinImage(bytes: Uint8Array): Image {
  const decode = async ({ preprocessing }: Pick<Classifier, 'preprocessing'>) => {
    if (bytes.length === 0) throw new UserError('data', 'expected the bytes of an image, found none');
    return decodeImage(bytes, preprocessing);
  };
  return { name: '-', path: null, pixels: (classifier) => outcomeOf(decode(classifier)) };
}

async function* folderImages(folder: string, context: Context): AsyncGenerator<Image> {
  const { files, problems, system } = await walkFiles(folder);
  for (const { path, reason } of problems) yield { name: path, path: null, pixels: async () => ({ error: reason }) };
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
  if (paths.length === 0) yield { name: pattern, path: null, pixels: async () => ({ error: 'no file matches' }) };
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
