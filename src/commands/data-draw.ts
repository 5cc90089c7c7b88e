import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, makeFolder } from '../data/disk.ts';
import { type Difficulty, difficulties, drawImage, renderImage } from '../data/drawn/draw.ts';
import { encodePng } from '../data/image.ts';
import { decodesAtOnce, mapInOrder } from '../data/source.ts';
import { type ExitKind, isSystemError, UserError, unwritable } from '../errors.ts';
import { takeLock } from '../run/lock.ts';
import type { Command, Context } from './command.ts';
import { explained, numberFlag, seeds, wordFlag } from './options.ts';

interface Values {
  out: string;
  count: number;
  seed: number;
  size: number;
  difficulty: Difficulty;
  force?: boolean;
}

export const command: Command<Values> = {
  options: [
    {
      flags: '-o, --out <dir>',
      summary: 'the folder; pictures go to its cat and noncat, labels to its labels.csv',
      required: true,
    },
    numberFlag('--count <n>', 'how many', { low: 1, high: 1e9, whole: true, default: 100 }),
    numberFlag('--seed <s>', 'picture i depends on it and i alone', { ...seeds, default: 1 }),
    numberFlag('--size <pixels>', 'side of the square', { low: 8, high: 1024, whole: true, default: 64 }),
    wordFlag('--difficulty <name>', explained(difficulties), Object.keys(difficulties), 'easy'),
    { flags: '--force', summary: 'replace the pictures of an earlier drawing' },
    { flags: '--json', summary: 'print the counts as JSON' },
  ],
  examples: ['nn data draw --out pictures --count 500 --seed 7', 'nn data draw --out hard --count 2000 --difficulty hard'],
  run: draw,
};

async function draw(context: Context, values: Values): Promise<ExitKind | undefined> {
  const { out } = values;
  let counts: Counts;
  try {
    await makeFolder(out);
    counts = await replaceImages(context, values);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw unwritable(`--out ${out}`, error);
  }
  if (context.json) context.print(JSON.stringify({ out, ...counts }));
  else context.printRow([out, `${counts.cat} cat`, `${counts.noncat} noncat`]);
  return undefined;
}

type Counts = Record<'cat' | 'noncat', number>;

/** Where pictures gather until all are drawn: a hidden name, which no source looks into. */
const asideName = '.drawing.partial';
const ownNames = ['cat', 'noncat', 'labels.csv'] as const;

async function replaceImages(context: Context, values: Values): Promise<Counts> {
  const { out, force = false } = values;
  const expected = 'a folder that nobody else draws into';
  const lock = await takeLock({ path: join(out, '.drawing.lock'), title: `--out ${out}`, expected });
  const aside = join(out, asideName);
  try {
    await refusePresent(out, force);
    await rm(aside, { recursive: true, force: true }); // of a drawing that was killed
    await mkdir(aside);
    const counts = await drawInto(context, aside, values);
    for (const name of ownNames) {
      await rm(join(out, name), { recursive: true, force: true }); // of an earlier drawing
      await rename(join(aside, name), join(out, name));
    }
    return counts;
  } finally {
    await rm(aside, { recursive: true, force: true });
    await lock.release();
  }
}

/** @throws UserError (usage) where pictures would be overwritten, or new ones mixed with others; by force, where what would go is none of ours */
async function refusePresent(out: string, force: boolean): Promise<void> {
  const found: string[] = [];
  for (const name of ownNames) if (await exists(join(out, name))) found.push(name);
  if (found.length === 0) return;
  if (!force) {
    throw new UserError('usage', `--out ${out}: expected a folder without ${ownNames.join(', ')}, found ${found.join(', ')}`, {
      hint: 'Name another folder, or replace them with --force.',
    });
  }
  for (const label of ['cat', 'noncat'].filter((name) => found.includes(name))) {
    const other = (await readdir(join(out, label))).find((name) => !/^\d+\.png$/.test(name));
    if (other === undefined) continue;
    throw new UserError('usage', `--out ${out}: expected the pictures of an earlier drawing, found ${join(label, other)}`, {
      hint: `--force would take away all that is in ${ownNames.join(', ')}: name another folder.`,
    });
  }
}

async function drawInto(context: Context, folder: string, { count, seed, size, difficulty }: Values): Promise<Counts> {
  const preprocessing = { imageSize: size, fit: 'cover' } as const;
  const counts: Counts = { cat: 0, noncat: 0 };
  const bar = context.progress('drawing', count);
  try {
    for (const label of Object.keys(counts)) await mkdir(join(folder, label));
    const labels: string[] = ['path,label'];
    const digits = String(count - 1).length;
    const pictures = mapInOrder(indices(count), decodesAtOnce(), async (index) => {
      const picture = drawImage({ seed, index, difficulty });
      const path = `${picture.label}/${String(index).padStart(digits, '0')}.png`;
      await writeFile(join(folder, path), await encodePng(await renderImage(picture, preprocessing), size));
      return { path, label: picture.label };
    });
    let done = 0;
    for await (const { path, label } of pictures) {
      if (context.signal.aborted) throw context.signal.reason;
      labels.push(`${path},${label}`);
      counts[label]++;
      bar.update(++done);
    }
    await writeFile(join(folder, 'labels.csv'), `${labels.join('\n')}\n`);
  } finally {
    bar.stop();
  }
  return counts;
}

function* indices(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}
