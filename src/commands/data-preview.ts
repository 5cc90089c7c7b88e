import { extname } from 'node:path';
import { type Augmentation, augmentImage, augments } from '../data/augment.ts';
import type { Classes } from '../data/classes.ts';
import { encodePng, encodeWithTexts } from '../data/image.ts';
import { fewImages } from '../data/pixels.ts';
import { attempt } from '../data/source.ts';
import { splitNames } from '../data/split.ts';
import { openData } from '../datasets/open.ts';
import { prepareData } from '../datasets/prepare.ts';
import { type ExitKind, UserError } from '../errors.ts';
import { readProgress, warnOfFailures, withDecoded } from '../library/reading.ts';
import { namedRandom } from '../random.ts';
import { type ContactSheet, drawSheet, type SheetImage, type SheetSection, sheetHtml } from '../report/contact-sheet.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import type { Command, Context } from './command.ts';
import { configOrSource, type SourceValues, sourceArgument, sourceOptions } from './data-source.ts';
import { numberFlag, seeds } from './options.ts';

interface Values extends SourceValues {
  out: string;
  count: number;
  variants: number;
  seed?: number;
}

export const command: Command<Values> = {
  arguments: [sourceArgument],
  options: [
    ...sourceOptions,
    { flags: '-o, --out <file>', summary: 'the sheet: a .png or an .html', required: true },
    numberFlag('--count <n>', 'pictures of each class and part', { low: 1, high: 100, whole: true, default: 8 }),
    numberFlag('--variants <n>', 'of each training picture, where the config augments', {
      low: 0,
      high: 20,
      whole: true,
      default: 3,
    }),
    numberFlag('--seed <s>', "of the choice of pictures (default: the config's)", { ...seeds }),
    { flags: '--json', summary: 'print which pictures are shown, as JSON' },
  ],
  examples: [
    'nn data preview photos/ --out sheet.png',
    'nn data preview --config configs/quickstart.json --out sheet.html --count 12',
    'nn data preview photos/ --out sheet.png --set data.augment.flipHorizontal=true --set data.augment.rotate=20',
  ],
  run: preview,
};

async function preview(context: Context, values: Values, [path]: string[]): Promise<ExitKind | undefined> {
  const write = writers[extname(values.out).toLowerCase()];
  if (write === undefined)
    throw new UserError('usage', `--out: expected a file ending in ${Object.keys(writers).join(' or ')}, found ${values.out}`);
  const { loaded, hasConfig } = await configOrSource(values, path);
  const { data, seed } = loaded.config;
  const choice = { count: values.count, seed: values.seed ?? seed };
  const { groups, side, classes } = hasConfig ? await groupsOfConfig(context, loaded) : await groupsOfSource(context, loaded);
  const sections: SheetSection[] = [];
  for (const group of groups) {
    const pictures: SheetImage[] = [];
    for (const index of choose(group, choice)) {
      const read = await group.read(index);
      if ('reason' in read) {
        context.warn(`${await group.name(index)}: ${read.reason}`);
        continue;
      }
      const varied = group.trains && augments(data.augment) ? values.variants : 0;
      const squares = [read.value, ...variants(read.value, index, { augmentation: data.augment, side, seed, count: varied })];
      pictures.push({ name: await group.name(index), squares });
    }
    const label = group.label === 1 ? classes.positive : classes.negative;
    sections.push({ title: group.part === null ? label : `${group.part} · ${label}`, total: group.members.length, pictures });
  }
  if (sections.every(({ pictures }) => pictures.length === 0))
    throw new UserError('data', `${loaded.file}: expected pictures that can be read, found none`);
  const sheet = { title: loaded.file, side, sections };
  await writeFileAtomically(values.out, await write(sheet));
  const shown = sections.map(({ title, total, pictures }) => ({ title, total, pictures: pictures.map(({ name }) => name) }));
  const count = shown.reduce((sum, { pictures }) => sum + pictures.length, 0);
  if (context.json) context.print(JSON.stringify({ out: values.out, sections: shown }));
  else context.printRow([values.out, `${count} pictures`]);
  return undefined;
}

const writers: Record<string, (sheet: ContactSheet) => Promise<Uint8Array | string>> = {
  '.png': async (sheet) => {
    const { canvas, texts } = drawSheet(sheet);
    return encodeWithTexts(canvas, texts);
  },
  '.html': async (sheet) => {
    const files = new Map<Uint8Array, Uint8Array>();
    for (const { pictures } of sheet.sections)
      for (const { squares } of pictures) for (const square of squares) files.set(square, await encodePng(square, sheet.side));
    return sheetHtml(sheet, files);
  },
};

/** Pictures of one class and part, to choose from. */
interface ImageGroup {
  part: string | null;
  label: number;
  /** whether training sees them augmented */
  trains: boolean;
  /** indices that `read` and `name` take; of the training part, those that augmentation takes */
  members: Int32Array;
  read(index: number): ReturnType<typeof attempt<Uint8Array>>;
  name(index: number): Promise<string>;
}

interface Groups {
  groups: ImageGroup[];
  side: number;
  classes: Classes;
}

/** Of the parts that a training would have: all pictures are read, as training does. */
async function groupsOfConfig(context: Context, loaded: Parameters<typeof prepareData>[0]): Promise<Groups> {
  const onProgress = readProgress(context);
  const prepared = await withDecoded(context, (places) => prepareData(loaded, { strict: false, onProgress, ...places }));
  warnOfFailures(context, prepared.failures, ['--config', loaded.file]);
  const groups = splitNames.flatMap((part) => {
    const examples = prepared.splits[part];
    if (examples === undefined) return [];
    const { labels, pixels, features, names } = examples;
    return [1, 0].map(
      (label): ImageGroup => ({
        part,
        label,
        trains: part === 'train',
        members: Int32Array.from(labels.keys()).filter((i) => labels[i] === label),
        read: async (i) => ({ value: fewImages(pixels, Int32Array.of(i), features) }),
        name: async (i) => (await names.slice(i, i + 1))[0]!,
      }),
    );
  });
  return { groups, side: prepared.preprocessing.imageSize, classes: prepared.classes };
}

/** Of a source as a whole: only the pictures that are shown are read. */
async function groupsOfSource(context: Context, loaded: Parameters<typeof openData>[0]): Promise<Groups> {
  const { sources, classes, preprocessing } = await openData(loaded, true, readProgress(context));
  const { source } = sources[0]!;
  const positive = source.classes.indexOf(classes.positive);
  const groups = [1, 0].map(
    (label): ImageGroup => ({
      part: null,
      label,
      trains: true,
      members: Int32Array.from(Array(source.count).keys()).filter((i) => (source.classOf(i) === positive) === (label === 1)),
      read: (i) => attempt(source.read(i, preprocessing).then(({ pixels }) => pixels)),
      name: async (i) => source.name(i),
    }),
  );
  return { groups, side: preprocessing.imageSize, classes };
}

/** Some members by the seed, in their order. */
function choose({ members, part, label }: ImageGroup, { count, seed }: { count: number; seed: number }): Int32Array {
  const random = namedRandom(seed, `preview ${part ?? ''}`, label);
  return random.shuffle(members.slice()).slice(0, count).sort();
}

/** What the first epochs of a training make of a picture. */
function variants(
  square: Uint8Array,
  index: number,
  { augmentation, side, seed, count }: { augmentation: Augmentation; side: number; seed: number; count: number },
): Uint8Array[] {
  return Array.from({ length: count }, (_, e) => {
    const out = new Uint8Array(square.length);
    augmentImage(square, out, { augmentation, side, random: namedRandom(seed, 'augment', e + 1, index) });
    return out;
  });
}
