import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPacked } from '../../../src/data/packed/file.ts';
import { readRows } from '../../../src/data/packed/rows.ts';
import { UserError } from '../../../src/errors.ts';
import { encodeHeader, type TensorHeader } from '../../../src/safetensors.ts';

/** Files made here byte by byte, not by the packer. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-packed-'));
});
afterAll(() => rm(folder, { recursive: true }));

const m = 3;
const rowBytes = 2 * 2 * 3;
const pictures = {
  preprocessing: { imageSize: 2, fit: 'cover', kernel: 'lanczos3' },
  classes: { positive: 'cat', negative: 'dog' },
  source: 'by hand',
  order: 'source',
  unreadable: 0,
};
const names = ['ä.png', '', 'b/c.png'];

/** A sound file, to be spoilt. */
function soundParts() {
  const bytes = names.map((name) => Buffer.from(name));
  const ends = [0, ...bytes.map((_, i) => bytes.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0))];
  const offsets = Buffer.alloc(8 * ends.length);
  for (const [i, end] of ends.entries()) offsets.writeBigInt64LE(BigInt(end), 8 * i);
  const tensors: Record<string, { type: string; shape: number[]; data: Buffer }> = {
    pixels: { type: 'U8', shape: [m, 2, 2, 3], data: Buffer.from(Array.from({ length: m * rowBytes }, (_, i) => i)) },
    nameOffsets: { type: 'I64', shape: [m + 1], data: offsets },
    hashes: { type: 'U8', shape: [m, 16], data: Buffer.from('0123456789abcdef'.repeat(m)) },
    labels: { type: 'U8', shape: [m], data: Buffer.from([1, 0, 1]) },
    names: { type: 'U8', shape: [ends.at(-1)!], data: Buffer.concat(bytes) },
  };
  const metadata: Record<string, string> = { format: 'cat-nn pictures', version: '1', pictures: JSON.stringify(pictures) };
  return { metadata, tensors };
}

function encode({ metadata, tensors }: ReturnType<typeof soundParts>): Buffer {
  let end = 0;
  const entries: TensorHeader['tensors'] = Object.entries(tensors).map(([name, { type, shape, data }]) => {
    const start = end;
    end += data.length;
    return { name, type, shape, start, end };
  });
  return Buffer.concat([encodeHeader({ metadata, tensors: entries }), ...Object.values(tensors).map(({ data }) => data)]);
}

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

test('a sound file is opened, and its rows, names and hashes are those that it holds', async () => {
  const file = openPacked(await written('sound.safetensors', encode(soundParts())));
  expect(Array.from(file.classOf, (place) => file.classes[place])).toEqual(['cat', 'dog', 'cat']);
  expect(file.names.slice(0, 3)).toEqual(names);
  expect(file.names.slice(2, 3)).toEqual(['b/c.png']);
  expect(file.hashes.slice(1, 2)).toEqual([Buffer.from('0123456789abcdef').toString('hex')]);
  const out = new Uint8Array(2 * rowBytes);
  await readRows(file, Int32Array.of(0, 2), out);
  expect([...out]).toEqual([...Array(12).keys(), ...Array.from({ length: 12 }, (_, i) => 24 + i)]);
});

type Parts = ReturnType<typeof soundParts>;
const described = (changes: object) => (parts: Parts) =>
  void (parts.metadata['pictures'] = JSON.stringify({ ...pictures, ...changes }));

const three = ['bird', 'cat', 'dog'];

/** A sound file of three classes, whose labels are indices into their names. */
function partsOfThree(labels = [2, 0, 1], classes: object = { positive: 'dog', negative: 'nondog', names: three }) {
  const parts = soundParts();
  parts.metadata['version'] = '2';
  described({ classes })(parts);
  const data = Buffer.alloc(4 * m);
  for (const [i, label] of labels.entries()) data.writeUInt32LE(label, 4 * i);
  parts.tensors['labels'] = { type: 'U32', shape: [m], data };
  return parts;
}

test('a file of more than two classes has their names, and labels that are indices', async () => {
  const file = openPacked(await written('three.safetensors', encode(partsOfThree())));
  expect(file.classes).toEqual(three);
  expect(Array.from(file.classOf, (place) => file.classes[place])).toEqual(['dog', 'bird', 'cat']);
});

test.each<[string, Parts, RegExp]>([
  ['a label beyond the names', partsOfThree([0, 3, 1]), /labels: expected 0 to 2, found 3 for picture 1/],
  ['a label of more than a byte', partsOfThree([0, 1, 258]), /labels: expected 0 to 2, found 258 for picture 2/],
  ['no names', partsOfThree(undefined, { positive: 'dog', negative: 'nondog' }), /classes\.names: expected three names/],
  [
    'two names',
    partsOfThree(undefined, { positive: 'dog', negative: 'x', names: ['cat', 'dog'] }),
    /classes\.names: expected three/,
  ],
  [
    'names that are not sorted',
    partsOfThree(undefined, { positive: 'dog', negative: 'x', names: three.toReversed() }),
    /classes\.names: expected three/,
  ],
  ['one name twice', partsOfThree(undefined, { positive: 'cat', negative: 'x', names: ['cat', 'cat', 'dog'] }), /classes\.names/],
  [
    'a name that is none',
    partsOfThree(undefined, { positive: 'cat', negative: 'x', names: ['', 'cat', 'dog'] }),
    /classes\.names/,
  ],
  [
    'a name that is a number',
    partsOfThree(undefined, { positive: 'cat', negative: 'x', names: [1, 'cat', 'dog'] }),
    /classes\.names/,
  ],
  [
    'a positive class that is none of the names',
    partsOfThree(undefined, { positive: 'cow', negative: 'noncow', names: three }),
    /classes\.positive: expected one of the names, found "cow"/,
  ],
  ['labels that are bytes', { ...partsOfThree(), tensors: soundParts().tensors }, /labels: expected U32 \(3\), found U8 \(3\)/],
])('of more than two classes, %s: refused', async (_, parts, message) => {
  const path = await written('spoilt-three.safetensors', encode(parts));
  expect(() => openPacked(path)).toThrow(message);
  expect(() => openPacked(path)).toThrow(expect.objectContaining({ kind: 'data', name: 'UserError' }));
});

test.each<[string, (parts: Parts) => void, RegExp]>([
  [
    'another format',
    ({ metadata }) => void (metadata['format'] = 'cat-nn model'),
    /expected packed pictures, found "cat-nn model"/,
  ],
  ['no format', ({ metadata }) => void delete metadata['format'], /another safetensors file/],
  ['another version', ({ metadata }) => void (metadata['version'] = '3'), /expected version 1 or 2 .* found 3/],
  ['no description', ({ metadata }) => void delete metadata['pictures'], /none that is JSON/],
  [
    'a description that is no object',
    ({ metadata }) => void (metadata['pictures'] = '[1]'),
    /imageSize: expected .* found nothing/,
  ],
  ['a size of 0', described({ preprocessing: { ...pictures.preprocessing, imageSize: 0 } }), /imageSize: .* found 0/],
  ['another fit', described({ preprocessing: { ...pictures.preprocessing, fit: 'toString' } }), /fit: expected one of cover/],
  ['another kernel', described({ preprocessing: { ...pictures.preprocessing, kernel: 'cubic' } }), /kernel: expected lanczos3/],
  ['one class', described({ classes: { positive: 'cat', negative: 'cat' } }), /classes.negative/],
  ['a class without a name', described({ classes: { positive: '', negative: 'cat' } }), /classes.positive/],
  ['an order that is none', described({ order: { seed: -1 } }), /order: expected/],
  ['a count that is none', described({ unreadable: 1.5 }), /unreadable: expected/],
  [
    'a tensor too many',
    ({ tensors }) => void (tensors['extra'] = { type: 'U8', shape: [0], data: Buffer.alloc(0) }),
    /extra: expected no such/,
  ],
  ['no labels', ({ tensors }) => void delete tensors['labels'], /labels: expected 1 to/],
  ['no names', ({ tensors }) => void delete tensors['names'], /expected a tensor names, found none/],
  [
    'pictures of another size',
    described({ preprocessing: { ...pictures.preprocessing, imageSize: 4 } }),
    /pixels: expected U8 \(3, 4, 4, 3\), found U8 \(3, 2, 2, 3\)/,
  ],
  [
    'labels of another type',
    ({ tensors }) => void (tensors['labels'] = { type: 'I64', shape: [m], data: Buffer.alloc(8 * m) }),
    /labels: expected U8 \(3\), found I64/,
  ],
  [
    'a label that is none',
    ({ tensors }) => void tensors['labels']!.data.fill(2, 1, 2),
    /labels: expected 0 or 1, found 2 for picture 1/,
  ],
])('%s is refused', async (_, spoil, message) => {
  const parts = soundParts();
  spoil(parts);
  const path = await written('spoilt.safetensors', encode(parts));
  expect(() => openPacked(path)).toThrow(message);
  expect(() => openPacked(path)).toThrow(expect.objectContaining({ kind: 'data', name: 'UserError' }));
});

test.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
  ['nothing', () => Buffer.alloc(0), /expected a safetensors file, found 0 bytes/],
  ['seven bytes', (bytes) => bytes.subarray(0, 7), /found 7 bytes/],
  ['a header longer than the file', (bytes) => bytes.fill(0xff, 0, 7), /expected a safetensors file, whose header has at most/],
  [
    'a packing that was not ended',
    (bytes) => bytes.fill(0, 0, 200),
    /expected a header that starts with|expected a header in JSON/,
  ],
  ['a body that is cut off', (bytes) => bytes.subarray(0, -1), /expected bytes within/],
  ['a byte too many', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]), /expected \d+ bytes of tensors/],
])('a file of %s is refused', async (_, spoil, message) => {
  const path = await written('spoilt.safetensors', spoil(encode(soundParts())));
  expect(() => openPacked(path)).toThrow(message);
});

test('a folder and a missing file are refused', () => {
  expect(() => openPacked(folder)).toThrow(/expected a file of packed pictures, found/);
  expect(() => openPacked(join(folder, 'none.safetensors'))).toThrow(/no such file/);
});

test('a header that claims more than the file holds is refused, however large the file is', async () => {
  const parts = soundParts();
  const bytes = encode(parts);
  const path = await written('huge.safetensors', bytes);
  await truncate(path, 2 ** 33); // a file with a hole: it takes no room on the disk
  const started = performance.now();
  expect(() => openPacked(path)).toThrow(/bytes of tensors, found 85899/);
  expect(performance.now() - started).toBeLessThan(1000);
});

test.each([
  ['descending', [0n, 6n, 3n, 13n]],
  ['beyond the names', [0n, 6n, 6n, 99n]],
  ['negative', [-1n, 6n, 6n, 13n]],
])('name offsets that are %s are refused when names are read', async (_, values) => {
  const parts = soundParts();
  for (const [i, value] of values.entries()) parts.tensors['nameOffsets']!.data.writeBigInt64LE(value, 8 * i);
  const file = openPacked(await written('offsets.safetensors', encode(parts)));
  expect(() => file.names.slice(0, 3)).toThrow(/nameOffsets: expected ascending offsets up to 13/);
});

test('names that are not UTF-8 are refused when they are read', async () => {
  const parts = soundParts();
  parts.tensors['names']!.data.fill(0xff, 0, 1);
  const file = openPacked(await written('names.safetensors', encode(parts)));
  expect(() => file.names.slice(0, 1)).toThrow(/expected names in UTF-8/);
});

test('a file that grows shorter while it is read is an error', async () => {
  const path = await written('shrinks.safetensors', encode(soundParts()));
  const file = openPacked(path);
  await truncate(path, file.pixelsAt + rowBytes + 1);
  await expect(readRows(file, Int32Array.of(1), new Uint8Array(rowBytes))).rejects.toThrow(UserError);
  await expect(readRows(file, Int32Array.of(0), new Uint8Array(rowBytes))).resolves.toBeUndefined();
});

test('any rows, near or far apart, land in their places', async () => {
  const [count, side] = [500, 40]; // rows of 4,800 bytes: gaps of up to 13 rows are read over
  const features = side * side * 3;
  const empty = { type: 'U8', shape: [0], data: Buffer.alloc(0) };
  const pixels = Buffer.alloc(count * features);
  for (let i = 0; i < count; i++) pixels.fill(i % 251, i * features, (i + 1) * features);
  const path = await written(
    'rows.safetensors',
    encode({
      metadata: {
        ...soundParts().metadata,
        pictures: JSON.stringify({ ...pictures, preprocessing: { ...pictures.preprocessing, imageSize: side } }),
      },
      tensors: {
        pixels: { type: 'U8', shape: [count, side, side, 3], data: pixels },
        nameOffsets: { type: 'I64', shape: [count + 1], data: Buffer.alloc(8 * (count + 1)) },
        hashes: { type: 'U8', shape: [count, 16], data: Buffer.alloc(16 * count) },
        labels: { type: 'U8', shape: [count], data: Buffer.alloc(count) },
        names: empty,
      },
    }),
  );
  const file = openPacked(path);
  for (const step of [1, 2, 7, 13, 14, 15, 16, 100]) {
    const rows = Int32Array.from({ length: Math.floor((count - 3) / step) }, (_, i) => 3 + i * step + (step > 2 ? i % 2 : 0));
    const out = new Uint8Array(rows.length * features);
    await readRows(file, rows, out);
    for (const [i, row] of rows.entries()) {
      const place = out.subarray(i * features, (i + 1) * features);
      expect(
        place.every((byte) => byte === row % 251),
        `row ${row} of every ${step}`,
      ).toBe(true);
    }
  }
});
