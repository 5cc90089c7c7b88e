import { basename, extname } from 'node:path';
import { loadConfig, sourceFields } from '../config/load.ts';
import { fullShuffleUpTo } from '../data/batches.ts';
import { type Fit, fits, type Preprocessing } from '../data/image.ts';
import { type PackOrder, packedExtension } from '../data/packed/format.ts';
import { type Packed, packSource } from '../data/packed/write.ts';
import type { Source } from '../data/source.ts';
import { openSource, type SourceChoice, sourceAtPath } from '../data/sources/sources.ts';
import { sourceChoice } from '../datasets/open.ts';
import { type ExitKind, UserError } from '../errors.ts';
import { readProgress, sourcePaths, warnOfFailures } from '../library/reading.ts';
import { takeLock } from '../run/lock.ts';
import type { Command, Context } from './command.ts';
import { explained, numberFlag, seeds, setOption, wordFlag } from './options.ts';

interface Values {
  out: string;
  size?: number;
  fit?: Fit;
  positive?: string;
  order: OrderName;
  seed: number;
  part?: SourceField;
  set?: string[];
  force?: boolean;
  strict?: boolean;
}

type SourceField = (typeof sourceFields)[number];

/** In which order pictures stand in the file. */
const orders = {
  auto: 'as in the source, shuffled where training will not shuffle them all together',
  source: 'as in the source',
  shuffled: 'by the seed',
} as const;
type OrderName = keyof typeof orders;

export const command: Command<Values> = {
  arguments: [
    {
      syntax: '<source>',
      summary: `${sourcePaths}; or a config (.json), for the source that it names`,
    },
  ],
  options: [
    { flags: '-o, --out <file>', summary: `the packed file, ending in ${packedExtension}`, required: true },
    numberFlag('--size <pixels>', "side of the squares (default: the config's, else 64)", { low: 1, high: 1024, whole: true }),
    wordFlag(
      '--fit <name>',
      `how a picture becomes a square: ${Object.keys(fits).join(', ')} (default: the config's, else cover)`,
      Object.keys(fits),
    ),
    {
      flags: '--positive <class>',
      summary: "the class that counts as 1 (default: the config's, else the one called cat); of more than two it must be named",
    },
    wordFlag('--order <name>', `of the pictures in the file. ${explained(orders)}`, Object.keys(orders), 'auto'),
    numberFlag('--seed <n>', 'of a shuffled order', { ...seeds, default: 1 }),
    wordFlag('--part <name>', `which source of a config: ${sourceFields.join(', ')} (default: source, else train)`, sourceFields),
    setOption,
    { flags: '--force', summary: 'overwrite the file, and begin anew where a packing was broken off' },
    { flags: '--strict', summary: 'refuse to pack when a picture cannot be read' },
    { flags: '--json', summary: 'print the counts as JSON' },
  ],
  examples: [
    'nn data pack photos --out photos.safetensors',
    'nn data pack photos --out photos-128.safetensors --size 128 --fit contain',
    'nn data pack configs/quickstart.json --out drawn.safetensors',
  ],
  run: pack,
};

async function pack(context: Context, values: Values, [operand]: string[]): Promise<ExitKind | undefined> {
  const { out, force = false, strict = false } = values;
  if (!out.endsWith(packedExtension))
    throw new UserError(
      'usage',
      `--out ${out}: expected a name that ends in ${packedExtension}, by which packed files are known`,
    );
  const { source, preprocessing, positive, description } = await chooseSource(context, operand!, values);
  for (const note of source.notes) context.warn(note);
  const lock = await takeLock({ path: `${out}.partial.lock`, title: out, expected: 'a file that nobody else packs' });
  const bar = context.progress('packing', source.count);
  const onProgress = (done: number, total: number) => {
    if (context.signal.aborted) throw context.signal.reason;
    bar.update(done, total === source.count ? source.title : undefined);
  };
  const started = performance.now();
  const order = orderOf(values, source.count);
  let packed: Packed;
  try {
    packed = await packSource(source, { path: out, preprocessing, positive, description, order, force, strict, onProgress });
  } catch (error) {
    if (error === context.signal.reason) context.note('What is packed so far is kept; the same command goes on from there.');
    throw error;
  } finally {
    bar.stop();
    await lock.release();
  }
  warnOfFailures(context, packed.failures, operand!.endsWith('.json') ? ['--config', operand!] : [operand!]);
  const { count, positive: positives, bytes, resumed, failures } = packed;
  const seconds = (performance.now() - started) / 1000;
  const result = { out, pictures: count, positive: positives, unreadable: failures.length, bytes, resumed, seconds };
  if (context.json) context.print(JSON.stringify(result));
  else context.printRow(packedCells(result));
  return undefined;
}

interface Chosen {
  source: Source;
  preprocessing: Preprocessing;
  positive: string | undefined;
  /** without a path */
  description: string;
}

/** What a source on the command line is, and how its pictures become pixels. */
async function chooseSource(context: Context, operand: string, values: Values): Promise<Chosen> {
  const isConfig = extname(operand).toLowerCase() === '.json';
  for (const flag of ['part', 'set'] as const) {
    if (values[flag] !== undefined && !isConfig)
      throw new UserError('usage', `--${flag}: expected a config (.json) to pack, found ${operand}`);
  }
  const { choice, imageSize } = isConfig
    ? await configured(operand, values)
    : { choice: await sourceAtPath(operand), imageSize: 64 };
  const source = await openSource(choice, readProgress(context));
  const own = source.packed?.description.preprocessing;
  const given = { imageSize, fit: 'fit' in choice ? (choice.fit as Fit) : 'cover', ...own };
  return {
    source,
    preprocessing: { imageSize: values.size ?? given.imageSize, fit: values.fit ?? given.fit },
    positive: values.positive ?? ('positive' in choice ? (choice.positive as string | undefined) : undefined) ?? source.positive,
    description: descriptionOf(choice),
  };
}

async function configured(path: string, { part, set = [] }: Values): Promise<{ choice: SourceChoice; imageSize: number }> {
  const { config, folder } = await loadConfig(path, set);
  const { data } = config;
  const field = part ?? (data.source === undefined ? 'train' : 'source');
  const source = data[field];
  if (source === undefined) {
    const present = sourceFields.filter((name) => data[name] !== undefined);
    throw new UserError('usage', `--part ${field}: expected one of ${present.join(', ')}, which ${path} names`);
  }
  return { choice: sourceChoice(source, folder), imageSize: data.imageSize };
}

function descriptionOf(choice: SourceChoice): string {
  if ('path' in choice) return `${choice.type} ${basename(choice.path)}`;
  return `${choice.type} ${choice.count}, seed ${choice.seed}, ${choice.difficulty}`;
}

function orderOf({ order, seed }: Values, count: number): PackOrder {
  return order === 'source' || (order === 'auto' && count <= fullShuffleUpTo) ? 'source' : { seed };
}

type Result = Record<'pictures' | 'positive' | 'bytes', number> & { out: string };

function packedCells({ out, pictures, positive, bytes }: Result): string[] {
  return [out, `${pictures} pictures`, `${positive} positive`, `${bytes} bytes`];
}
