import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, systemReason, UserError } from '../errors.ts';
import { grouped } from '../text.ts';
import { flushFolder, makeFolder, withFile } from './disk.ts';
import { download, hasContent, type KnownFile, onDisk, sha256OfFile, sizeOnDisk, TransferFailure } from './download.ts';

/** The course's two files, as every copy in circulation has them. */
export const courseFiles: readonly KnownFile[] = [
  { name: 'train_catvnoncat.h5', bytes: 2_572_022, sha256: 'fbe56ab67c3ae28d564e3a644189117976d6b31af0a3ce9bb17dbf22908af242' },
  { name: 'test_catvnoncat.h5', bytes: 616_958, sha256: '6a9d39ce52fa85953c5834695b8534a30ed8cfd54971fb2f080b5a24d002b951' },
];

/** Public folders that hold both files, each pinned to a commit. All https: only a user's own --from may be http. */
export const courseMirrors: readonly string[] = [
  'https://raw.githubusercontent.com/Hiren2002/Logistic-Regression/a6139a838a0e624f4ab923377df0c5d3386fdf1f/datasets/',
  'https://raw.githubusercontent.com/ramakris/coursera-deeplearning/c79617ebb9ff38e765e821f80352adee93f19357/neuralnetworks/week2/datasets/',
];

/** `from` is the address or path of the one file, `path` where it now is. */
export type FetchEvent =
  | { type: 'present'; file: string; path: string }
  | { type: 'try'; file: string; from: string }
  | { type: 'progress'; file: string; from: string; bytesDone: number; bytesTotal: number }
  | { type: 'failed'; file: string; from: string; reason: string }
  | { type: 'installed'; file: string; path: string };

export interface FetchOptions {
  /** a folder, or the https:// or http:// address of one; default: the mirrors, in their order */
  from?: string | undefined;
  /** the folder to install in; made if need be */
  to: string;
  signal?: AbortSignal | undefined;
  /** the longest wait for a server without a byte; default 30 */
  timeoutSeconds?: number | undefined;
  /** keeps others from fetching into `to` meanwhile, while something is to be fetched. @returns what lets them again
   *  @throws UserError where another does */
  lock?: (() => Promise<() => Promise<void>>) | undefined;
  files?: readonly KnownFile[];
  mirrors?: readonly string[];
}

/**
 * Gets the course's files whole or not at all: each gathers as NAME.part until its sum is right, then all get their names.
 * Files that are there already are kept; what a failed or aborted try left in a .part is gone on from.
 * @yields what happens; `installed` only when all files have their names
 * @throws UserError (data) when a file cannot be had anywhere, or another one has its name; (usage) for a bad `from`
 * @throws the signal's reason when it is aborted
 */
export async function* fetchCourse(options: FetchOptions): AsyncGenerator<FetchEvent, void> {
  const { from, to, files = courseFiles, mirrors = courseMirrors } = options;
  const places = from === undefined ? mirrors.map((mirror) => webPlace(mirror, options)) : [await givenPlace(from, options)];
  const missing: KnownFile[] = [];
  for (const file of files) {
    const path = join(to, file.name);
    if (await isPresent(path, file)) yield { type: 'present', file: file.name, path };
    else missing.push(file);
  }
  if (missing.length === 0) return;

  await onDisk(to, () => makeFolder(to));
  const unlock = await options.lock?.();
  try {
    yield* fetchMissing(missing, places, { to, mirrors, signal: options.signal });
  } finally {
    await unlock?.();
  }
}

async function* fetchMissing(
  missing: readonly KnownFile[],
  allPlaces: readonly Place[],
  { to, mirrors, signal }: Pick<FetchOptions, 'to' | 'signal'> & { mirrors: readonly string[] },
): AsyncGenerator<FetchEvent, void> {
  let places = allPlaces;
  const fetched: KnownFile[] = [];
  for (const file of missing) {
    signal?.throwIfAborted();
    if (await isPresent(join(to, file.name), file)) continue; // another process had it in the meantime
    const failures: string[] = [];
    const giver = yield* obtain(file, { to, places, failures });
    if (!giver) throw cannotBeHad(file, { failures, missing, to, mirrors });
    fetched.push(file);
    // The next file begins where this one was had, not with a mirror that hangs.
    places = [giver, ...places.filter((place) => place !== giver)];
  }
  await install(fetched, to);
  for (const { name } of missing) yield { type: 'installed', file: name, path: join(to, name) };
}

interface Place {
  /** the address or path of a file */
  locate(name: string): string;
  /** Brings a file's right content to `part`, and to the disk. Yields the bytes so far. */
  bring(file: KnownFile, part: string): AsyncGenerator<number, void>;
}

type Limits = Pick<FetchOptions, 'signal' | 'timeoutSeconds'>;

async function givenPlace(from: string, limits: Limits): Promise<Place> {
  // Two letters at least: C:\ is a folder.
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(from)) return webPlace(from, limits);
  const status = await stat(from).catch((error: unknown) => systemReason(error));
  const reason = typeof status === 'string' ? status : status.isDirectory() ? undefined : 'it is not a folder';
  if (reason === undefined) return folderPlace(from);
  throw new DataError(`--from ${from}: ${reason}`, {
    hint: 'Give the folder that holds the files, or its address, beginning with https://',
  });
}

function webPlace(base: string, { signal, timeoutSeconds = 30 }: Limits): Place {
  const folder = URL.canParse(base) ? new URL(base) : undefined;
  if (!folder || !['https:', 'http:'].includes(folder.protocol)) {
    throw new UserError('usage', `--from: expected a folder or an address beginning with https:// or http://, found ${base}`);
  }
  // fetch would refuse them too, but print them.
  if (folder.username || folder.password) throw new UserError('usage', '--from: an address with a user name or password in it');
  const locate = (name: string) => {
    const url = new URL(folder);
    url.pathname = `${folder.pathname.replace(/\/$/, '')}/${name}`;
    return url;
  };
  return {
    locate: (name) => locate(name).href,
    bring: (file, part) => download({ url: locate(file.name), file, part, signal, timeoutSeconds }),
  };
}

function folderPlace(folder: string): Place {
  const locate = (name: string) => join(folder, name);
  return { locate, bring: (file, part) => copy(locate(file.name), file, part) };
}

async function* copy(original: string, file: KnownFile, part: string): AsyncGenerator<number, void> {
  if ((await sizeOnDisk(original)) === undefined) throw new TransferFailure('no such file');
  const reason = await contentReason(original, file);
  if (reason !== undefined) throw new TransferFailure(reason);
  yield 0;
  await onDisk(part, async () => {
    await rm(part, { force: true });
    await withFile(open(part, 'wx'), async (file) => {
      await file.writeFile(await readFile(original));
      await file.sync();
    });
  });
  if (!(await hasContent(part, file))) throw new TransferFailure('the file changed while it was copied');
  yield file.bytes;
}

/** Why the file at `path` will not do; undefined when it will. */
async function contentReason(path: string, { sha256 }: KnownFile): Promise<string | undefined> {
  const found = await sha256OfFile(path);
  return found === sha256 ? undefined : `a wrong file: expected sha256 ${sha256}, found ${found}`;
}

/** @throws UserError (data) when another file has the name */
async function isPresent(path: string, file: KnownFile): Promise<boolean> {
  if ((await sizeOnDisk(path)) === undefined) return false;
  const reason = await contentReason(path, file);
  if (reason === undefined) return true;
  throw new DataError(`${path}: ${reason}`, { hint: 'It is left as it is. Move it away, then run the same command again.' });
}

interface Search {
  to: string;
  places: readonly Place[];
  /** filled with a sentence per place that did not give the file */
  failures: string[];
}

/** Tries the places in turn. @returns the one that gave the file; any, when a .part of an earlier try is complete */
async function* obtain(file: KnownFile, { to, places, failures }: Search): AsyncGenerator<FetchEvent, Place | undefined> {
  const part = partOf(file, to);
  if (await hasContent(part, file)) return places[0];
  for (const place of places) {
    const step = { file: file.name, from: place.locate(file.name) };
    yield { type: 'try', ...step };
    try {
      for await (const bytesDone of place.bring(file, part)) {
        yield { type: 'progress', ...step, bytesDone, bytesTotal: file.bytes };
      }
      return place;
    } catch (error) {
      if (!(error instanceof TransferFailure)) throw error;
      failures.push(`${step.from}: ${error.message}`);
      yield { type: 'failed', ...step, reason: error.message };
    }
  }
  return undefined;
}

function partOf({ name }: KnownFile, to: string): string {
  return join(to, `${name}.part`);
}

/** Gives all files their names; if one cannot have it, none has. */
async function install(files: readonly KnownFile[], to: string): Promise<void> {
  const named: KnownFile[] = [];
  try {
    for (const file of files) {
      const path = join(to, file.name);
      await onDisk(path, () => rename(partOf(file, to), path));
      named.push(file);
    }
  } catch (error) {
    for (const file of named) await rename(join(to, file.name), partOf(file, to));
    throw error;
  }
  await flushFolder(to);
}

type Blame = Pick<Search, 'failures' | 'to'> & { missing: readonly KnownFile[]; mirrors: readonly string[] };

function cannotBeHad(file: KnownFile, { failures, missing, to, mirrors }: Blame): UserError {
  const wanted = missing.map(({ name, bytes, sha256 }) => {
    const addresses = mirrors.map((mirror, index) => `    ${index === 0 ? '' : 'or '}${mirror}${name}`);
    return [`  ${name}, ${grouped(bytes)} bytes, sha256 ${sha256}`, ...addresses];
  });
  return new DataError([`${file.name} could not be had; nothing was installed`, ...failures.map((f) => `  ${f}`)], {
    hint: [
      `To get them by hand, download into ${to}, or into a folder that you give with --from FOLDER:`,
      ...wanted,
      'A download that broke off goes on where it was when the same command runs again.',
    ],
  });
}
