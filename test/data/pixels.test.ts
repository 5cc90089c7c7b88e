import { expect, test } from 'vitest';
import { blockLength, pixelBlocks, type StoredPixels } from '../../src/data/pixels.ts';

const features = 3;

/** Picture i is [i, i + 1, i + 2], in blocks of `length`. */
function stored(count: number, length: number, fails = (_row: number) => false): StoredPixels {
  const pixels: StoredPixels = {
    count,
    features,
    budgetBytes: 2 * length * features,
    read: async (rows, out) => {
      await Promise.resolve();
      for (const [i, row] of rows.entries()) {
        if (fails(row)) throw new Error(`row ${row}`);
        out.set([row, row + 1, row + 2], i * features);
      }
    },
    readNow: () => {},
    select: () => pixels,
  };
  return pixels;
}

test('blocks are all pixels in order', async () => {
  const pixels = stored(10, 4);
  expect(blockLength(pixels)).toBe(4);
  const seen: number[][] = [];
  for await (const { first, count, bytes } of pixelBlocks(pixels, features)) seen.push([first, count, ...bytes]);
  expect(seen).toEqual([
    [0, 4, 0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5],
    [4, 4, 4, 5, 6, 5, 6, 7, 6, 7, 8, 7, 8, 9],
    [8, 2, 8, 9, 10, 9, 10, 11],
  ]);
});

test('whoever reads at the same time has a room of its own', async () => {
  const readers = [pixelBlocks(stored(20, 2), features), pixelBlocks(stored(20, 2), features)];
  for (let i = 0; i < 10; i++) {
    const blocks = await Promise.all(readers.map((reader) => reader.next()));
    const rooms = blocks.map(({ value }) => value.bytes.buffer);
    expect(rooms[0]).not.toBe(rooms[1]);
    for (const { value } of blocks) expect([...value.bytes.slice(0, 2)]).toEqual([2 * i, 2 * i + 1]);
  }
});

test('rooms are used again, however reading ended; smaller ones are not taken for larger', async () => {
  const roomsOf = async (pixels: StoredPixels) => {
    const rooms = new Set<ArrayBufferLike>();
    for await (const { bytes } of pixelBlocks(pixels, features)) rooms.add(bytes.buffer);
    return rooms;
  };
  const first = await roomsOf(stored(1000, 100));
  expect(first.size).toBe(2);
  await expect(roomsOf(stored(1000, 100, (row) => row === 555))).rejects.toThrow('row 555');
  for await (const _ of pixelBlocks(stored(1000, 100), features)) break;
  expect(await roomsOf(stored(1000, 100))).toEqual(first);
  expect([...(await roomsOf(stored(500, 50)))].every((room) => first.has(room))).toBe(true);
  for (const room of await roomsOf(stored(1000, 200))) {
    expect(first.has(room)).toBe(false);
    expect(room.byteLength).toBe(200 * features);
  }
});
