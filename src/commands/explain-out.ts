import { realpath } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { exists, makeFolder } from '../data/disk.ts';
import { isFolder } from '../data/sources/files.ts';
import { isSystemError, UserError, unwritable } from '../errors.ts';
import type { Image } from './image-operands.ts';

/** Refuses what is neither a .png nor a folder, before anything is read.
 *  @throws UserError (usage) */
export async function checkOut(out: string): Promise<void> {
  if (isPng(out) || (await meansFolder(out))) return;
  throw new UserError('usage', `--out: expected a file ending in .png or a folder, found ${out}`, {
    hint: 'A folder that is not there yet and has a dot in its name ends with a slash.',
  });
}

/** Where the map of each picture goes; makes the folder.
 *  @throws UserError (usage) where several pictures have one file, or one of the pictures would be overwritten */
export async function placesFor(out: string, images: readonly Image[]): Promise<string[]> {
  const places = (await meansFolder(out)) ? await placesIn(out, images) : [out];
  if (images.length > places.length) {
    throw new UserError('usage', `--out ${out}: expected a folder for ${images.length} pictures, found a file`, {
      hint: 'Name a folder, such as --out maps/',
    });
  }
  const originals = new Set(await Promise.all(images.map(({ path }) => (path === null ? null : realPath(path)))));
  for (const place of places) {
    if (!originals.has(await realPath(place))) continue;
    throw new UserError('usage', `--out ${out}: expected a place of its own, found ${place}, a picture to be explained`, {
      hint: 'Name another place: a picture is never overwritten by its map.',
    });
  }
  return places;
}

const isPng = (out: string) => extname(out).toLowerCase() === '.png' && !/[\\/]$/.test(out);

async function meansFolder(out: string): Promise<boolean> {
  return (await isFolder(out)) || /[\\/]$/.test(out) || extname(out) === '';
}

/** @throws UserError (data) where the folder can't be made */
async function placesIn(folder: string, images: readonly Image[]): Promise<string[]> {
  try {
    await makeFolder(folder);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw unwritable(`--out ${folder}`, error);
  }
  const taken = new Set<string>();
  return images.map(({ name }) => join(folder, freeName(name === '-' ? 'stdin' : basename(name, extname(name)), taken)));
}

/** Pictures of other folders may have the same name, and some systems take no notice of capitals. */
function freeName(stem: string, taken: Set<string>): string {
  for (let n = 1; ; n++) {
    const name = `${stem}-explained${n === 1 ? '' : `-${n}`}.png`;
    if (taken.has(name.toLowerCase())) continue;
    taken.add(name.toLowerCase());
    return name;
  }
}

async function realPath(path: string): Promise<string> {
  return (await exists(path)) ? realpath(path) : resolve(path);
}
