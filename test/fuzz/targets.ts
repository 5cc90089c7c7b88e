import type { ExitKind } from '../../src/errors.ts';
import type { Random } from '../../src/random.ts';
import { mutatedJson } from './json-mutations.ts';
import { type Judge, judges } from './judges.ts';
import { mutate, oneIn, pick } from './mutations.ts';
import * as rewrites from './rewrites.ts';
import type { Seeds } from './seeds.ts';
import { hostileSvg } from './svg-mutations.ts';

export interface Seed {
  bytes: Uint8Array;
  /** what the reader is told beside the file */
  extra?: object;
}

export interface Target {
  /** its part of all inputs, in parts of a thousand */
  share: number;
  /** in readers.mjs */
  reader: string;
  extension: string;
  /** how it may be refused */
  refusals: readonly ExitKind[];
  seeds(made: Seeds): Seed[];
  /** a change that knows the format; half of the inputs, where there is one */
  rewrite?(random: Random, seed: Seed, seeds: readonly Seed[]): Uint8Array;
  /** another file that says the same: it must be read with the same answer */
  same?(random: Random, bytes: Uint8Array): Uint8Array;
  judge: Judge;
}

const plain = (files: readonly Uint8Array[]): Seed[] => files.map((bytes) => ({ bytes }));
const json = (random: Random, { bytes }: Seed) => Buffer.from(mutatedJson(random, JSON.parse(Buffer.from(bytes).toString())));
const tensors =
  (inner?: string) =>
  (random: Random, { bytes }: Seed) =>
    rewrites.rewriteTensors(random, bytes, inner);
const checkpoint = (random: Random, { bytes }: Seed) => rewrites.withDigest(rewrites.rewriteTensors(random, bytes, 'content'));

/** One line of JSON lines changed, or doubled, or lost. */
function lines(random: Random, { bytes }: Seed): Buffer {
  const all = Buffer.from(bytes)
    .toString()
    .split('\n')
    .filter((line) => line !== '');
  const at = random.integer(all.length - 1);
  const changed = mutatedJson(random, JSON.parse(all[at]!));
  all.splice(at, oneIn(random, 4) ? 0 : 1, ...(oneIn(random, 5) ? [] : [changed]));
  return Buffer.from(all.map((line) => `${line}\n`).join(''));
}

const image = (
  share: number,
  extension: string,
  files: (made: Seeds) => readonly Uint8Array[],
  judge: Judge = judges.anything,
): Target => ({
  share,
  reader: 'image',
  extension,
  refusals: ['data'],
  seeds: (made) => plain(files(made)),
  judge,
});

const exported = (extension: 'onnx' | 'npz' | 'json' | 'html'): Target => ({
  share: 10,
  reader: 'exported',
  extension,
  refusals: ['model'],
  seeds: (made) => plain([made.exports[extension]]),
  judge: judges.anything,
});

const runFiles =
  (...names: string[]) =>
  (made: Seeds): Seed[] =>
    names.map((file) => ({ bytes: made.runFiles[file]!, extra: { file } }));

/** Every file that comes from outside, the reader that commands read it with, and what its answer must be. */
export const targets = {
  'model file': {
    share: 130,
    reader: 'model',
    extension: 'safetensors',
    refusals: ['model'],
    seeds: ({ models }) => plain(models),
    rewrite: (random, { bytes }) => rewrites.rewriteTensors(random, rewrites.withoutChecksum(bytes), 'classifier'),
    same: rewrites.sameTensors,
    judge: judges.model,
  },
  'exported ONNX': exported('onnx'),
  'exported npz': exported('npz'),
  'exported JSON': { ...exported('json'), rewrite: json },
  // that of another version is not run
  'exported page': { ...exported('html'), refusals: ['model', 'usage'] },
  'vector of learning rates': {
    share: 25,
    reader: 'vector',
    extension: 'safetensors',
    refusals: ['model'],
    seeds: ({ vectors }) => plain(vectors),
    rewrite: tensors(),
    same: rewrites.sameTensors,
    judge: judges.tensors,
  },
  'packed pictures': {
    share: 100,
    reader: 'packed',
    extension: 'safetensors',
    refusals: ['data', 'usage'],
    seeds: ({ packed }) => plain(packed),
    rewrite: tensors('pictures'),
    same: rewrites.sameTensors,
    judge: judges.tensors,
  },
  checkpoint: {
    share: 100,
    reader: 'checkpoint',
    extension: 'safetensors',
    refusals: ['model'],
    seeds: ({ checkpoints }) => plain(checkpoints),
    rewrite: checkpoint,
    judge: judges.checkpoint,
  },
  'run that goes on': {
    share: 15,
    reader: 'resume',
    extension: 'file',
    refusals: ['usage', 'data', 'model'],
    seeds: runFiles('config.json', 'split.csv', 'journal.jsonl', 'summary.json', 'checkpoint.safetensors'),
    judge: judges.run,
  },
  'run that goes on, its JSON': {
    share: 15,
    reader: 'resume',
    extension: 'json',
    refusals: ['usage', 'data', 'model'],
    seeds: runFiles('config.json', 'summary.json'),
    rewrite: json,
    judge: judges.run,
  },
  'run that goes on, its checkpoint': {
    share: 15,
    reader: 'resume',
    extension: 'safetensors',
    refusals: ['usage', 'data', 'model', 'diverged'],
    seeds: runFiles('checkpoint.safetensors'),
    rewrite: checkpoint,
    judge: judges.anything,
  },
  'run that is judged': {
    share: 20,
    reader: 'evaluate',
    extension: 'file',
    refusals: ['usage', 'data', 'model'],
    seeds: runFiles('config.json', 'split.csv', 'model.safetensors'),
    judge: judges.anything,
  },
  'run that is listed, shown and compared': {
    share: 20,
    reader: 'runs',
    extension: 'file',
    refusals: ['usage', 'data', 'model'],
    seeds: runFiles('config.json', 'split.csv', 'journal.jsonl', 'summary.json', 'predictions.csv', 'model.safetensors'),
    judge: judges.anything,
  },
  'run that is listed, shown and compared, its JSON': {
    share: 15,
    reader: 'runs',
    extension: 'json',
    refusals: ['usage', 'data', 'model'],
    seeds: runFiles('config.json', 'summary.json'),
    rewrite: json,
    judge: judges.anything,
  },
  'config.json': {
    share: 120,
    reader: 'config',
    extension: 'json',
    refusals: ['usage'],
    seeds: ({ configs }) => plain(configs),
    rewrite: json,
    judge: judges.anything,
  },
  'CSV of pictures': {
    share: 90,
    reader: 'csv',
    extension: 'csv',
    refusals: ['data', 'usage'],
    seeds: ({ csvs }) => plain(csvs),
    judge: judges.anything,
  },
  'split.csv': {
    share: 60,
    reader: 'split',
    extension: 'csv',
    refusals: ['model'],
    seeds: ({ splits }) => plain(splits),
    judge: judges.anything,
  },
  'run.lock': {
    share: 5,
    reader: 'lock',
    extension: 'json',
    refusals: ['usage', 'data'],
    seeds: ({ locks }) => plain(locks),
    rewrite: json,
    judge: judges.anything,
  },
  'trials.jsonl': {
    share: 30,
    reader: 'trials',
    extension: 'jsonl',
    refusals: ['usage', 'data'],
    seeds: ({ trials }) => plain(trials),
    rewrite: lines,
    judge: judges.anything,
  },
  ZIP: {
    share: 60,
    reader: 'zip',
    extension: 'zip',
    refusals: ['data', 'usage'],
    seeds: ({ zips }) => plain(zips),
    rewrite: (random, { bytes }) => rewrites.rewriteZip(random, bytes),
    judge: judges.packedFiles,
  },
  tar: {
    share: 50,
    reader: 'tar',
    extension: 'tar',
    refusals: ['data', 'usage'],
    seeds: ({ tars }) => plain(tars),
    rewrite: (random, { bytes }) => rewrites.rewriteTar(random, bytes),
    judge: judges.labels,
  },
  'tar.gz': {
    share: 40,
    reader: 'tarGz',
    extension: 'tar.gz',
    refusals: ['data', 'usage'],
    seeds: ({ tarGzs }) => plain(tarGzs),
    rewrite: (random, { bytes }) =>
      rewrites.rewriteGzip(pick(random, [(r, b) => mutate(r, b, []), rewrites.rewriteTar]))(random, bytes),
    judge: judges.packedFiles,
  },
  'CIFAR-10, archive': {
    share: 20,
    reader: 'cifar10',
    extension: 'tar.gz',
    refusals: ['data', 'usage'],
    seeds: ({ cifars }) => plain(cifars),
    rewrite: (random, { bytes }) => rewrites.rewriteGzip((r, b) => mutate(r, b, []))(random, bytes),
    judge: judges.packedFiles,
  },
  'CIFAR-10, batch': {
    share: 15,
    reader: 'cifar10Batch',
    extension: 'bin',
    refusals: ['data', 'usage'],
    seeds: ({ batches }) => plain(batches),
    judge: judges.labels,
  },
  HDF5: {
    share: 60,
    reader: 'hdf5',
    extension: 'h5',
    refusals: ['data', 'usage'],
    seeds: (made) => plain(made.hdf5),
    judge: judges.labels,
  },
  JPEG: image(20, 'jpg', ({ jpegs }) => jpegs),
  PNG: {
    ...image(40, 'png', ({ pngs }) => pngs, judges.png),
    rewrite: (random, { bytes }) => rewrites.rewritePng(random, bytes),
  },
  WebP: image(20, 'webp', ({ webps }) => webps),
  GIF: image(20, 'gif', ({ gifs }) => gifs),
  TIFF: image(20, 'tiff', ({ tiffs }) => tiffs),
  AVIF: image(12, 'avif', ({ avifs }) => avifs),
  HEIC: image(16, 'heic', ({ heics }) => heics),
  BMP: image(10, 'bmp', ({ bmps }) => bmps),
} satisfies Record<string, Target>;

/** SVG, which may name what is outside. @param folder  where the picture lies that must not be seen */
export function svgTarget(folder: string, names: object): Target {
  return {
    share: 30,
    reader: 'svg',
    extension: 'svg',
    refusals: ['data'],
    seeds: ({ svgs }) => svgs.map((bytes) => ({ bytes, extra: names })),
    rewrite: (random, _, seeds) =>
      hostileSvg(
        random,
        folder,
        seeds.map(({ bytes }) => bytes),
      ),
    judge: judges.anything,
  };
}
