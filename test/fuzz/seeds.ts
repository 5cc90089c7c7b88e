import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as hdf5 from 'h5wasm/node';
import sharp from 'sharp';
import { lockFolder, lockName } from '../../src/run/lock.ts';
import { encodeTensors } from '../../src/run/tensor-file.ts';
import { run, writeJson } from '../cli/pictures.ts';
import { configsPath } from '../cli.ts';
import { tarOf, zipOf } from '../data/archives.ts';
import { bmpOf } from '../data/bmps.ts';
import { heic8, heic10, heicAlpha } from '../data/heic-files.ts';
import { codedOf, colours, gridOf, heifOf, mirrored, rotated, sizeOf } from '../data/heifs.ts';
import { busyJpeg, painted, picture, solidPng } from '../data/pictures.ts';
import { outside } from './svg-mutations.ts';

/** Sound files of every kind, made by nn itself where it writes them: inputs are made of these. */

const data = { source: { type: 'drawn', count: 12 }, imageSize: 8, split: { dev: 3, test: 3 } };
const configs: Record<string, object> = {
  run: { data, model: { layers: [{ units: 3 }] }, training: { epochs: 3, learningRate: 0.01, checkpointMinutes: 0 } },
  other: {
    data,
    precision: 'float64',
    model: {
      layers: [
        { units: 3, batchNorm: true },
        { units: 2, activation: 'leakyRelu' },
      ],
    },
    training: { epochs: 2, optimizer: { name: 'adam' }, earlyStopping: { patience: 2 }, checkpointMinutes: 0 },
  },
  tune: {
    data,
    model: { layers: [] },
    training: { epochs: 1 },
    search: { trials: 2, parameters: { 'training.learningRate': { logUniform: [0.001, 0.1] } } },
  },
};

export type Seeds = Awaited<ReturnType<typeof makeSeeds>>;

/** @param made  a folder, which keeps what readers need whole: runs, a search, CIFAR-10 */
export async function makeSeeds(made: string) {
  const at = (...path: string[]) => join(made, ...path);
  const nn = (...words: string[]) => run(0, words, { cwd: made, env: { NN_RUNS: at('runs') } });
  for (const [name, config] of Object.entries(configs)) await writeJson(at(`${name}.json`), config);
  await nn('train', '-q', '-c', 'run.json', '-o', 'run');
  await nn('train', '-q', '-c', 'run.json', '-o', 'whole', '--set', 'training.epochs=6');
  await nn('train', '-q', '-c', 'other.json', '-o', 'other');
  await nn('data', 'pack', '-q', 'run.json', '--out', 'packed.safetensors');
  const zoo = ['bird/a.png', 'cat/a.png', 'dog/a.png', 'dog/b.png'].map(async (name, i) => ({
    name,
    data: await solidPng([40 * i, 90, 9]),
  }));
  await writeFile(at('zoo.zip'), zipOf(await Promise.all(zoo)));
  await nn('data', 'pack', '-q', 'zoo.zip', '--positive', 'cat', '--size', '8', '--out', 'zoo.safetensors');
  await nn('tune', '-q', '-c', 'tune.json', '-o', 'search', '--jobs', '1');
  const exported = async (extension: string) => {
    await nn('export', '-q', '-m', 'run/model.safetensors', '-o', `model.${extension}`);
    return readFile(at(`model.${extension}`));
  };
  const of = (name: string) => Promise.all(['run', 'other'].map((folder) => readFile(at(folder, name))));
  const names = ['quickstart', 'course-four-layer', 'tune-quickstart'];
  return {
    models: await of('model.safetensors'),
    checkpoints: await of('checkpoint.safetensors'),
    packed: await Promise.all(['packed', 'zoo'].map((name) => readFile(at(`${name}.safetensors`)))),
    vectors: [encodeTensors({ metadata: {}, tensors: { v: { shape: [192, 1], data: new Float64Array(192).fill(1) } } })],
    configs: [
      ...(await Promise.all(names.map((name) => readFile(join(configsPath, `${name}.json`))))),
      ...(await of('config.json')),
    ],
    csvs: csvs.map((text) => Buffer.from(text)),
    splits: await of('split.csv'),
    locks: [await lockOfTheDead(made)],
    trials: [await readFile(at('search', 'trials.jsonl'))],
    runFiles: Object.fromEntries(
      await Promise.all(
        [
          'config.json',
          'split.csv',
          'journal.jsonl',
          'summary.json',
          'predictions.csv',
          'model.safetensors',
          'checkpoint.safetensors',
        ].map(async (name) => [name, await readFile(at('run', name))] as const),
      ),
    ),
    whole: await readFile(at('whole', 'model.safetensors')),
    exports: {
      onnx: await exported('onnx'),
      npz: await exported('npz'),
      json: await exported('json'),
      html: await exported('html'),
    },
    ...(await archives(made)),
    hdf5: await hdf5Files(made),
    ...(await images(made)),
  };
}

/** A lock as a process leaves it that was killed, on this machine but before it last began. */
async function lockOfTheDead(folder: string): Promise<Buffer> {
  const lock = await lockFolder(folder);
  const owner = JSON.parse(await readFile(join(folder, lockName), 'utf8')) as object;
  await lock.release();
  return Buffer.from(`${JSON.stringify({ ...owner, pid: 2 ** 22 + 1, began: 'long ago' })}\n`);
}

const csvs = [
  'path,label\na.png,cat\nb/c.png,dog\n',
  'id,label,path\r\n1,cat,"a, ""quoted"".png"\r\n2,dog," spaced\nout.png"\r\n\r\n',
  '\ufefflabel,path\nkatze,ä.png\nhund,/abs/b.png\nhund,../up.png',
  'path;label\na\\b.png;cat\n"c;d.png";dog\n',
  Buffer.from('\ufeffpath\tlabel\r\nä.png\tcat\r\nb.png\tdog\r\n', 'utf16le'),
];

async function archives(made: string) {
  const png = (shade: number) => solidPng([shade, 90, 200 - shade]);
  const pictures = await Promise.all(
    ['cat/a.png', 'cat/deep/b.png', 'dog/a.png', 'dog/b.png'].map(async (name, i) => ({ name, data: await png(40 * i) })),
  );
  const tar = tarOf([{ name: 'cat/', type: '5' }, ...pictures]);
  const record = (label: number, shade: number) => Buffer.concat([Buffer.of(label), Buffer.alloc(3072, shade)]);
  const batch = Buffer.concat([record(3, 10), record(5, 20), record(0, 30)]);
  const meta = Buffer.from('airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n');
  const files = { 'batches.meta.txt': meta, 'data_batch_1.bin': batch, 'test_batch.bin': record(3, 200) };
  const folder = 'cifar-10-batches-bin';
  await mkdir(join(made, folder));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(made, folder, name), bytes);
  const cifar = tarOf(Object.entries(files).map(([name, bytes]) => ({ name: `${folder}/${name}`, data: bytes })));
  return {
    zips: [zipOf(pictures), zipOf(pictures.map((one) => ({ ...one, method: 0 })))],
    tars: [tar],
    tarGzs: [gzipSync(tar)],
    cifars: [gzipSync(cifar)],
    batches: [batch],
  };
}

async function hdf5Files(made: string): Promise<Buffer[]> {
  await hdf5.ready;
  const pixels = painted(8, 8 * 4, (row, column) => [row * 5, column * 20, 90]);
  const kinds = { plain: {}, chunked: { chunks: [1, 8, 8, 3], compression: 'gzip' as const, compression_opts: 4 } };
  return Promise.all(
    Object.entries(kinds).map(async ([name, more]) => {
      const path = join(made, `${name}.h5`);
      const file = new hdf5.File(path, 'w');
      file.create_dataset({ name: 'train_set_x', data: pixels, shape: [4, 8, 8, 3], dtype: '<B', ...more });
      file.create_dataset({ name: 'train_set_y', data: BigInt64Array.of(0n, 1n, 1n, 0n), shape: [4], dtype: '<q' });
      file.create_dataset({ name: 'list_classes', data: ['non-cat', 'cat'], shape: [2], dtype: 'S7' });
      file.close();
      return readFile(path);
    }),
  );
}

async function images(made: string) {
  const busy = sharp(await busyJpeg(40));
  const withAlpha = picture(20, 24, (row, column) => [row * 9, column * 8, 99]).ensureAlpha(0.5);
  const red = await solidPng([255, 0, 0]);
  for (const folder of [made, join(made, 'work')]) await writeFile(join(folder, outside.present), red);
  const svg = (content: string) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="16">${content}</svg>`);
  return {
    jpegs: [
      await busy.clone().jpeg().toBuffer(),
      await busy
        .clone()
        .jpeg({ progressive: true })
        .withExif({ IFD0: { Orientation: '6' } })
        .toBuffer(),
    ],
    pngs: [
      await busy.clone().png().toBuffer(),
      await withAlpha.clone().png({ progressive: true }).toBuffer(),
      await busy.clone().png({ palette: true }).toBuffer(),
    ],
    webps: [await busy.clone().webp().toBuffer(), await withAlpha.clone().webp({ lossless: true }).toBuffer()],
    gifs: [await busy.clone().gif().toBuffer()],
    tiffs: await Promise.all(
      (['none', 'lzw', 'deflate', 'jpeg'] as const).map((compression) =>
        busy
          .clone()
          .tiff({ compression, tile: compression === 'lzw' })
          .toBuffer(),
      ),
    ),
    avifs: [await busy.clone().avif({ effort: 0 }).toBuffer()],
    heics: [heic8, heic10, heicAlpha, gridOfTiles()],
    bmps: bitmaps(),
    svgs: [
      svg('<rect width="9" height="9" fill="red"/><path d="M1 1L9 9z" stroke="#00f"/>'),
      svg(
        `<image href="data:image/png;base64,${red.toString('base64')}" width="9" height="9"/><g transform="scale(2)"><circle r="4"/></g>`,
      ),
    ],
  };
}

/** As phones store it: tiles, a turn, colours by numbers. */
function gridOfTiles(): Buffer {
  const { data, coding } = codedOf(heic8, 'hvcC');
  const tile = { type: 'hvc1', data, properties: [coding, sizeOf(96, 64)] };
  const properties = [sizeOf(180, 64), rotated(1), mirrored(0), colours(12, 13, 6)];
  return heifOf([{ type: 'grid', data: gridOf(1, 2, 180, 64), refers: ['dimg', 2, 3], properties }, tile, tile]);
}

function bitmaps(): Buffer[] {
  const size = { width: 19, height: 12 };
  const palette = Array.from({ length: 16 }, (_, i) => [i * 16, 255 - i, i * 3] as const);
  const index = (row: number, column: number) => (column % 5 === 0 ? (row * column) % 16 : row % 16);
  return [
    bmpOf({ ...size, bits: 24 }, (row, column) => row * 70_000 + column * 300),
    bmpOf({ ...size, bits: 4, palette, compression: 'runs' }, index),
    bmpOf({ ...size, bits: 8, palette, isTopDown: true }, index),
    bmpOf(
      { ...size, bits: 32, header: 124, compression: 'masks', masks: [0xff, 0xff00, 0xff0000, 0xff000000] },
      () => 0x80102030,
    ),
  ];
}
