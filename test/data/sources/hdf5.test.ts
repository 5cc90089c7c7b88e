import { mkdtempSync, readFileSync } from 'node:fs';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import * as hdf5 from 'h5wasm/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeImage } from '../../../src/data/decode.ts';
import { loadExamples } from '../../../src/data/load.ts';
import { type Hdf5Options, openHdf5 } from '../../../src/data/sources/hdf5.ts';
import { UserError } from '../../../src/errors.ts';
import { numpyRandom } from '../../../src/random.ts';
import { nn } from '../../cli.ts';
import { sharedData, withoutShared } from '../../shared.ts';
import { painted, picture, type Rgb } from '../pictures.ts';

const labelsFile = fileURLToPath(new URL('../../golden/hdf5-labels.json', import.meta.url));
const elsewhereFile = fileURLToPath(new URL('../../golden/hdf5-elsewhere.json', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nn-hdf5-'));
beforeAll(() => hdf5.ready);
afterAll(() => rm(folder, { recursive: true, force: true }));

type Set = Parameters<hdf5.Group['create_dataset']>[0];
let written = 0;

/** Writes a file of data sets; a name with a slash goes into a group. @returns its path */
function write(...sets: Set[]): string {
  const path = join(folder, `${++written}.h5`);
  const file = new hdf5.File(path, 'w');
  for (const { name, ...rest } of sets) {
    const [group, inner] = name.split('/');
    if (inner === undefined) file.create_dataset({ name, ...rest });
    else
      (file.get(group!) === null ? file.create_group(group!) : (file.get(group!) as hdf5.Group)).create_dataset({
        name: inner,
        ...rest,
      });
  }
  file.close();
  return path;
}

const m = 4;
const side = 8;
/** Picture i, another one for each i. */
const colour =
  (i: number) =>
  (row: number, column: number): Rgb => [row * 20 + i, column * 20 + i, 50 * i];
const pixelsOf = (i: number, size = side) => painted(size, size, colour(i));
const allPixels = (size = side) => Uint8Array.from(Array.from({ length: m }, (_, i) => [...pixelsOf(i, size)]).flat());
const truth = [0, 1, 1, 0];

const images: Set = { name: 'train_set_x', data: allPixels(), shape: [m, side, side, 3] };
const labels: Set = { name: 'train_set_y', data: BigInt64Array.from(truth, BigInt), shape: [m], dtype: '<q' };
const classes: Set = { name: 'list_classes', data: ['non-cat', 'cat'], shape: [2], dtype: 'S7' };

const load = async (path: string, more: Partial<Hdf5Options> = {}, imageSize = side, positive?: string) =>
  loadExamples(await openHdf5({ path, ...more }), { preprocessing: { imageSize, fit: 'cover' }, positive, strict: false });

async function refusal(path: string, more: Partial<Hdf5Options> = {}): Promise<UserError> {
  const error = await openHdf5({ path, ...more }).then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).exitCode).toBe(3);
  expect((error as UserError).message).toContain(path);
  expect((error as UserError).message).not.toMatch(/\n/);
  return error as UserError;
}

describe("a file of the course's layout", () => {
  test('gives its pictures to the byte, with labels, classes, numbers for names, and hashes', async () => {
    const { examples, classes: found, failures } = await load(write(images, labels, classes));
    expect(failures).toEqual([]);
    expect(found).toEqual({ positive: 'cat', negative: 'non-cat' });
    expect([...examples.labels]).toEqual(truth);
    expect(examples.pixels).toEqual(allPixels());
    expect(examples.names).toEqual(['0', '1', '2', '3']);
    expect(new Set(examples.hashes).size).toBe(m);
  });

  test.each<[string, Partial<Set>]>([
    ['int64 of shape (m, 1)', { shape: [m, 1] }],
    ['uint8 of shape (m)', { data: Uint8Array.from(truth), dtype: '<B' }],
    ['uint8 of shape (m, 1)', { data: Uint8Array.from(truth), dtype: '<B', shape: [m, 1] }],
    ['int32', { data: Int32Array.from(truth), dtype: '<i' }],
    ['int8', { data: Int8Array.from(truth), dtype: '<b' }],
    ['uint64', { data: BigUint64Array.from(truth, BigInt), dtype: '<Q' }],
    ['int64 of shape (1, m), as the notebooks hold them', { shape: [1, m] }],
    ['float64', { data: Float64Array.from(truth), dtype: '<d' }],
    ['float32 of shape (1, m)', { data: Float32Array.from(truth), dtype: '<f', shape: [1, m] }],
    ['float64 of shape (m, 1)', { data: Float64Array.from(truth), dtype: '<d', shape: [m, 1] }],
  ])('may have labels of %s', async (_, other) => {
    const { examples } = await load(write(images, { ...labels, ...other } as Set, classes));
    expect([...examples.labels]).toEqual(truth);
  });

  const packed = JSON.parse(readFileSync(labelsFile, 'utf8')) as { types: string[]; file: string };
  const readable = packed.types.filter((type) => type !== 'big enum');
  test('names of big-endian numbers are refused: the library can not read them', async () => {
    const path = join(folder, 'labels.h5');
    await writeFile(path, gunzipSync(Buffer.from(packed.file, 'base64')));
    const { message, hint } = await refusal(path, { labels: 'big enum' });
    expect(message).toMatch(/found big enum of names, big-endian \(4\)$/);
    expect(hint).toContain('Labels are 4 whole numbers');
  });

  test.each(readable)('may have labels of %s, in a column or in a row', async (type) => {
    const path = join(folder, 'labels.h5');
    await writeFile(path, gunzipSync(Buffer.from(packed.file, 'base64')));
    for (const name of [type, `${type}, in a row`])
      expect([...(await load(path, { labels: name })).examples.labels], name).toEqual(truth);
  });

  test('is found as before where numbers of another type stand beside its labels', async () => {
    const weights: Set = { name: 'weights', data: Float64Array.from([0.5, 2, 1, 1]), shape: [m], dtype: '<d' };
    const row: Set = { ...labels, name: 'row', shape: [1, m] };
    expect([...(await load(write(images, labels, classes, weights, row))).examples.labels]).toEqual(truth);
  });

  test('may be packed in chunks', async () => {
    const packed = { ...images, chunks: [1, side, side, 3], compression: 'gzip' as const, compression_opts: 6 };
    expect((await load(write(packed as Set, labels, classes))).examples.pixels).toEqual(allPixels());
  });

  test('keeps the hash of a picture at every size', async () => {
    const path = write(images, labels, classes);
    expect((await load(path, {}, 16)).examples.hashes).toEqual((await load(path)).examples.hashes);
  });

  test('has its pictures resized as files are', async () => {
    const path = write({ name: 'x', data: allPixels(32), shape: [m, 32, 32, 3] }, labels);
    const { examples } = await load(path, {}, 16);
    for (let i = 0; i < m; i++) {
      const png = await picture(32, 32, colour(i)).png().toBuffer();
      const wanted = await decodeImage(png, { imageSize: 16, fit: 'cover' });
      expect(Buffer.from(examples.pixels.slice(i * 768, (i + 1) * 768))).toEqual(Buffer.from(wanted));
    }
  });

  test('keeps what is not square within its row and column', async () => {
    const data = Uint8Array.from(Array.from({ length: m }, (_, i) => [...painted(16, 8, colour(i))]).flat());
    const source = await openHdf5({ path: write({ name: 'x', data, shape: [m, 8, 16, 3] }, labels) });
    const { pixels } = await source.read(1, { imageSize: 8, fit: 'fill' });
    const png = await picture(16, 8, colour(1)).png().toBuffer();
    expect(Buffer.from(pixels)).toEqual(Buffer.from(await decodeImage(png, { imageSize: 8, fit: 'fill' })));
  });

  test('may be read by many at once', async () => {
    const source = await openHdf5({ path: write(images, labels, classes) });
    const read = await Promise.all(Array.from({ length: 40 }, (_, k) => source.read(k % m, { imageSize: side, fit: 'cover' })));
    for (const [k, { pixels }] of read.entries()) expect(pixels).toEqual(pixelsOf(k % m));
  });
});

describe('the classes', () => {
  test('are non-cat and cat where list_classes is missing', async () => {
    const { classes: found, examples } = await load(write(images, labels));
    expect(found).toEqual({ positive: 'cat', negative: 'non-cat' });
    expect([...examples.labels]).toEqual(truth);
  });

  test('may come in the other order: 0 is the first', async () => {
    const { examples } = await load(write(images, labels, { ...classes, data: ['cat', 'non-cat'] }));
    expect([...examples.labels]).toEqual([1, 0, 0, 1]);
  });

  test('may be named in the config, or stand in another data set', async () => {
    const dogs = { ...classes, name: 'names', data: ['cat', 'dog'] };
    const named = await load(write(images, labels, classes), { classes: ['cat', 'dog'] });
    const other = await load(write(images, labels, classes, dogs), { classes: 'names' });
    for (const { classes: found, examples } of [named, other]) {
      expect(found).toEqual({ positive: 'cat', negative: 'dog' });
      expect([...examples.labels]).toEqual([1, 0, 0, 1]);
    }
  });

  test('may have any positive', async () => {
    const { classes: found, examples } = await load(write(images, labels, classes), {}, side, 'non-cat');
    expect(found).toEqual({ positive: 'non-cat', negative: 'cat' });
    expect([...examples.labels]).toEqual([1, 0, 0, 1]);
  });

  describe('of which there are three', () => {
    const digits: Set = { ...labels, data: BigInt64Array.from([2, 0, 1, 2], BigInt) };
    const three: Set = { name: 'list_classes', data: ['dog', 'cat', 'bird'], shape: [3], dtype: 'S4' };

    test('one may be named to stand against the others; the labels are places in the list', async () => {
      const path = write(images, digits, three);
      const cats = await load(path, {}, side, 'cat');
      expect(cats.classes).toEqual({ positive: 'cat', negative: 'noncat' });
      expect([...cats.examples.labels]).toEqual([0, 0, 1, 0]);
      const source = await openHdf5({ path });
      expect(Array.from(cats.strata!, (place) => source.classes[place])).toEqual(['bird', 'dog', 'cat', 'bird']);
      expect([...(await load(path, {}, side, 'bird')).examples.labels]).toEqual([1, 0, 0, 1]);
    });

    test('none is taken by itself', async () => {
      const path = write(images, digits, three);
      await expect(load(path)).rejects.toThrow(/expected two classes, found 3: bird, cat, dog/);
    });

    test('their names may be in the config alone', async () => {
      const { examples } = await load(write(images, digits), { classes: ['a', 'b', 'c'] }, side, 'c');
      expect([...examples.labels]).toEqual([1, 0, 0, 1]);
    });

    test('a label without a name is refused, and it says how to name it', async () => {
      const unnamed = await refusal(write(images, digits));
      expect(unnamed.message).toMatch(/label 0: expected 0 or 1, found 2/);
      expect(unnamed.hint).toMatch(/"classes": \["NAME"/);
      const beyond: Set = { ...labels, data: BigInt64Array.from([2, 0, 3, 2], BigInt) };
      expect((await refusal(write(images, beyond, three))).message).toMatch(/label 2: expected 0 to 2, .* found 3/);
    });
  });

  test.each<[string, Set[], Partial<Hdf5Options>, RegExp]>([
    ['one twice', [{ ...classes, data: ['cat', 'cat'] }], {}, /two classes or more, found cat, cat/],
    [
      'one twice in the config',
      [classes],
      { classes: ['cat', 'cat'] },
      /classes: expected the names of two classes or more, found cat, cat/,
    ],
    ['a single text', [{ name: 'list_classes', data: 'cat', shape: [], dtype: 'S3' }], {}, /two classes or more, found cat/],
    ['a data set that is not there', [classes], { classes: 'names' }, /names: no such data set; the file has .*list_classes/],
  ])('%s: refused', async (_, sets, more, message) => {
    expect((await refusal(write(images, labels, ...sets), more)).message).toMatch(message);
  });
});

describe('the data sets', () => {
  const others: Set[] = [
    { ...images, name: 'more_x', data: allPixels().map((value) => 255 - value) },
    { ...labels, name: 'more_y', data: BigInt64Array.from([1, 1, 0, 0], BigInt) },
  ];

  test('may be named where there are several', async () => {
    const path = write(images, labels, ...others);
    const { examples } = await load(path, { images: 'more_x', labels: 'more_y' });
    expect([...examples.labels]).toEqual([1, 1, 0, 0]);
    expect(examples.pixels).toEqual(allPixels().map((value) => 255 - value));
    const first = await load(path, { images: 'train_set_x', labels: 'train_set_y' });
    expect([...first.examples.labels]).toEqual(truth);
    expect(first.examples.pixels).toEqual(allPixels());
  });

  test('may stand in a group', async () => {
    const path = write({ ...images, name: 'train/x' }, { ...labels, name: 'train/y' });
    expect([...(await load(path, { images: 'train/x', labels: 'train/y' })).examples.labels]).toEqual(truth);
  });

  const floats: Set = { name: 'x', data: new Float32Array(m * 8 * 8 * 3), shape: [m, 8, 8, 3], dtype: '<f' };
  test.each<[string, Set[], Partial<Hdf5Options>, RegExp]>([
    ['no data sets', [], {}, /images: expected one data set of uint8 .*, found no data sets/],
    [
      'no pictures',
      [labels],
      {},
      /images: expected one data set of uint8 of shape \(m, height, width, 3\), found train_set_y int64 \(4\)/,
    ],
    [
      'two sets of pictures and no name',
      [images, labels, others[0]!],
      {},
      /images: expected one .* 2 of them: more_x, train_set_x/,
    ],
    [
      'two sets of labels and no name',
      [images, labels, others[1]!],
      {},
      /labels: expected one .* 2 of them: more_y, train_set_y/,
    ],
    ['no labels', [images], {}, /labels: expected one data set of integers, floats or bool of shape \(4\), \(4, 1\) or \(1, 4\)/],
    ['a name that is not there', [images, labels], { images: 'x' }, /x: no such data set; the file has train_set_x uint8/],
    ['pictures of floats', [floats, labels], {}, /found .*x float32 \(4, 8, 8, 3\)/],
    ['pictures of floats by name', [floats, labels], { images: 'x' }, /x: expected uint8 of shape .*, found x float32/],
    ['signed bytes', [{ ...images, data: new Int8Array(m * 192), dtype: '<b' }, labels], {}, /found .*int8/],
    ['channels first', [{ ...images, shape: [m, 3, 8, 8] }, labels], {}, /found .*uint8 \(4, 3, 8, 8\)/],
    ['grey pictures', [{ ...images, data: new Uint8Array(m * 64), shape: [m, 8, 8] }, labels], {}, /found .*uint8 \(4, 8, 8\)/],
    [
      'too few labels',
      [images, { ...labels, data: BigInt64Array.from([0n, 1n]), shape: [2] }],
      {},
      /labels: .*found .*int64 \(2\)/,
    ],
    ['labels in two rows', [images, { ...labels, shape: [2, 2] }], {}, /labels: .*found .*int64 \(2, 2\)/],
    [
      'labels of names',
      [images, { name: 'y', data: ['cat', 'dog', 'cat', 'dog'], shape: [4], dtype: 'S3' }],
      {},
      /labels: .*found .*y of texts \(4\)/,
    ],
    [
      'pictures too small',
      [{ ...images, data: new Uint8Array(m * 4 * 4 * 3), shape: [m, 4, 4, 3] }, labels],
      {},
      /at least 8 pixels a side .* found 4×4/,
    ],
  ])('%s: refused, with what was found', async (_, sets, more, message) => {
    expect((await refusal(write(...sets), more)).message).toMatch(message);
  });

  /** What is to be stored instead, in the words of h5py. */
  test.each<[string, Partial<Set>, string]>([
    ['floats', { data: new Float64Array(m * 192), dtype: '<d' }, 'numpy.rint(255 * f["x"][:]).astype("uint8")'],
    ['channels first', { shape: [m, 3, 8, 8] }, 'f["images"] = f["x"][:].transpose(0, 2, 3, 1),'],
    [
      'floats with channels first',
      { data: new Float32Array(m * 192), dtype: '<f', shape: [m, 3, 8, 8] },
      'numpy.rint(255 * f["x"][:].transpose(0, 2, 3, 1)).astype("uint8")',
    ],
    ['int64', { data: new BigInt64Array(m * 192), dtype: '<q' }, 'f["images"] = f["x"][:].astype("uint8"),'],
    ['grey', { data: new Uint8Array(m * 64), shape: [m, 8, 8] }, 'numpy.repeat(f["x"][:][..., None], 3, axis=3)'],
    ['grey with a channel', { data: new Uint8Array(m * 64), shape: [m, 8, 8, 1] }, 'numpy.repeat(f["x"][:], 3, axis=3)'],
    ['four channels', { data: new Uint8Array(m * 256), shape: [m, 8, 8, 4] }, 'f["x"][:][..., :3]'],
    ['one row a picture', { data: new Uint8Array(m * 192), shape: [m, 192] }, 'f["x"][:].reshape(4, 8, 8, 3)'],
  ])('pictures that are %s: it says what to store', async (_, other, words) => {
    const path = write({ ...images, name: 'x', ...other } as Set, labels);
    for (const more of [{}, { images: 'x' }]) {
      const { hint } = await refusal(path, more);
      expect(hint).toMatch(/^Pictures are bytes \(uint8\) from 0 to 255 in the shape \(m, height, width, 3\)/);
      expect(hint).toContain(words);
      expect(hint).not.toContain('Name it');
    }
  });

  test.each<[string, Set, string]>([
    ['names', { name: 'y', data: ['cat', 'dog', 'cat', 'dog'], shape: [m], dtype: 'S3' }, 'f["labels"] = f["y"][:] == b"cat",'],
    [
      'one-hot',
      { name: 'y', data: new Float64Array(2 * m), shape: [m, 2], dtype: '<d' },
      'f["labels"] = f["y"][:].argmax(axis=1),',
    ],
    [
      'too few',
      { name: 'y', data: new Uint8Array(2), shape: [2], dtype: '<B' },
      'Labels are 4 whole numbers, one for each picture',
    ],
  ])('labels that are %s: it says what to store', async (_, set, words) => {
    const path = write(images, set);
    for (const more of [{}, { labels: 'y' }]) expect((await refusal(path, more)).hint).toContain(words);
  });

  test('labels of floats that are no whole numbers: refused, with the first of them', async () => {
    const path = write(images, { ...labels, data: Float64Array.from([0, 1, 0.3, 1]), dtype: '<d' });
    expect((await refusal(path)).message).toBe(`${path}: label 2: expected 0 or 1, found 0.3`);
  });

  test.each([2, -1, 255])('label %i: refused, with its place', async (wrong) => {
    const path = write(images, { ...labels, data: BigInt64Array.from([0, 1, wrong, 2], BigInt) });
    expect((await refusal(path)).message).toBe(`${path}: label 2: expected 0 or 1, found ${wrong}`);
  });
});

describe('a damaged file', () => {
  test.each([0.3, 0.9])('cut off at %f of its length: refused', async (share) => {
    const path = write(images, labels, classes);
    await truncate(path, Math.floor((await readFile(path)).length * share));
    expect((await refusal(path)).message).toMatch(/a damaged HDF5 file: truncated file/);
  });

  test('that is text, or empty, or a folder, or nothing: refused', async () => {
    const text = join(folder, 'text.h5');
    await writeFile(text, 'path,label\n');
    expect((await refusal(text)).message).toMatch(/expected an HDF5 file, found another kind of file/);
    await writeFile(text, '');
    expect((await refusal(text)).message).toMatch(/expected an HDF5 file, found another kind of file/);
    expect((await refusal(folder)).message).toMatch(/expected an HDF5 file, found: it is a folder/);
    expect((await refusal(join(folder, 'nothing.h5'))).message).toMatch(/expected an HDF5 file, found: no such file or folder/);
  });

  test('with the right signature and nothing right behind it: refused', async () => {
    const path = join(folder, 'signature.h5');
    await writeFile(path, Buffer.concat([Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), Buffer.alloc(4000, 0xa5)]));
    expect((await refusal(path)).message).toMatch(/a damaged HDF5 file: bad superblock/);
  });

  test("of which one picture can't be unpacked gives the others", async () => {
    // noise, so that the packed chunks make up nearly all of the file
    const count = 6;
    const random = numpyRandom(1);
    const noise = Uint8Array.from({ length: count * 32 * 32 * 3 }, () => random.integer(255));
    const chunked = { name: 'x', data: noise, shape: [count, 32, 32, 3], chunks: [1, 32, 32, 3], compression: 'gzip' as const };
    const y: Set = { name: 'y', data: Uint8Array.from([0, 1, 0, 1, 0, 1]), shape: [count], dtype: '<B' };
    const path = write({ ...chunked, compression_opts: 1 } as Set, y);
    const bytes = await readFile(path);
    const middle = Math.floor(bytes.length / 2);
    bytes.fill(0xff, middle, middle + 40);
    await writeFile(path, bytes);
    const { examples, failures } = await load(path, {}, 32);
    expect(failures.length).toBe(1);
    expect(failures[0]!.reason).toMatch(/a damaged HDF5 file: (?!HDF5-DIAG)/);
    const bad = Number(failures[0]!.name);
    expect(examples.names).toEqual([0, 1, 2, 3, 4, 5].filter((i) => i !== bad).map(String));
    const last = examples.names.length - 1;
    const i = Number(examples.names[last]);
    expect(examples.pixels.slice(last * 3072)).toEqual(noise.slice(i * 3072, (i + 1) * 3072));
  });

  test('makes the library print nothing: nn says it in one line', async () => {
    const path = write(images, labels, classes);
    await truncate(path, Math.floor((await readFile(path)).length / 2));
    await writeFile(join(folder, 'config.json'), JSON.stringify({ data: { source: { type: 'hdf5', path } } }));
    const { code, stdout, stderr } = await nn(['train', '--config', 'config.json'], { cwd: folder });
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/damaged HDF5 file/);
    expect(stderr).not.toMatch(/HDF5-DIAG|#00\d/);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
  });
});

describe('nothing outside of the file is read, whatever it says:', () => {
  const packed = JSON.parse(readFileSync(elsewhereFile, 'utf8')) as Record<'outside' | 'external' | 'virtual', string>;
  const bytesOf = (kind: 'external' | 'virtual') => gunzipSync(Buffer.from(packed[kind], 'base64')).toString('latin1');

  test('no bytes of a file that its storage names', async () => {
    const secret = join(folder, 'secret');
    await writeFile(secret, Buffer.alloc(192, 7));
    const path = join(folder, 'external.h5');
    expect(bytesOf('external')).toContain(packed.outside);
    await writeFile(path, bytesOf('external').replace(packed.outside, secret.padEnd(packed.outside.length, '\0')), 'latin1');
    const source = await openHdf5({ path });
    await expect(source.read(0, { imageSize: 8, fit: 'cover' })).rejects.toThrow(/unable to open external raw data file/);
  });

  test('no data set that is made of others', async () => {
    const path = join(folder, 'virtual.h5');
    await writeFile(path, bytesOf('virtual'), 'latin1');
    expect((await refusal(path)).message).toBe(
      `${path}: images: expected data in the file itself, found a data set that is made of others, in ${packed.outside}`,
    );
  });

  test('no link to another file', async () => {
    const other = write({ ...images, name: 'images' });
    const path = join(folder, 'link.h5');
    const file = new hdf5.File(path, 'w');
    file.create_dataset(labels);
    file.create_external_link(other, 'images', 'images');
    file.close();
    expect((await refusal(path)).message).toMatch(/images: expected one data set of uint8 .*, found train_set_y int64 \(4\)/);
  });
});

describe('a small file that claims much', () => {
  /** Rows that are not written take no room. */
  function grown(rows: number): string {
    const path = join(folder, `grown-${rows}.h5`);
    const file = new hdf5.File(path, 'w');
    const chunks = [1, 8, 8, 3];
    file.create_dataset({ name: 'x', data: new Uint8Array(192), shape: chunks, chunks, maxshape: [null, 8, 8, 3] });
    file.create_dataset({ name: 'y', data: new Uint8Array(1), shape: [1], chunks: [1024], maxshape: [null] });
    (file.get('x') as hdf5.Dataset).resize([rows, 8, 8, 3]);
    (file.get('y') as hdf5.Dataset).resize([rows]);
    file.close();
    return path;
  }

  test('is refused before it takes memory', async () => {
    expect((await refusal(grown(100_000_000))).message).toMatch(
      /expected at most 1,032 times its own [\d,]+ bytes of pixels, found 100000000 pictures of 8×8/,
    );
  });

  test('is read where it could be packed so small', async () => {
    expect((await openHdf5({ path: grown(10_000) })).count).toBe(10_000);
  });

  test('or names many classes: refused without reading them', async () => {
    const many: Set = { name: 'list_classes', data: Array<string>(20_000).fill('cat'), shape: [20_000], dtype: 'S7' };
    expect((await refusal(write(images, labels, many))).message).toMatch(
      /list_classes: expected the names of two classes or more, found 20000 texts/,
    );
  });
});

describe("the course's own files", () => {
  // 209 and 50 pictures, 72 and 33 of them cats: the course's notebook, and what the notes say of its balance
  test.skipIf(sharedData === null).each([
    ['train_catvnoncat.h5', 209, 72],
    ['test_catvnoncat.h5', 50, 33],
  ])(
    `%s holds %i pictures of which %i are cats${sharedData === null ? ` (${withoutShared})` : ''}`,
    async (name, count, cats) => {
      const { examples, classes: found } = await load(join(sharedData!, 'course-catvnoncat', name), {}, 64);
      expect(found).toEqual({ positive: 'cat', negative: 'non-cat' });
      expect(examples.labels.length).toBe(count);
      expect(examples.labels.reduce((sum, y) => sum + y, 0)).toBe(cats);
      expect(new Set(examples.hashes).size).toBeGreaterThan(count * 0.9);
    },
  );
});
