import type { Random } from '../../src/random.ts';

/** Changes to bytes that know nothing of what the bytes mean. */

/** Inputs stay below this: a reader's answer to size alone is tested by hand. */
export const largestInput = 1024 * 1024;

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.integer(items.length - 1)]!;
}

/** True in one case of so many. */
export const oneIn = (random: Random, cases: number) => random.integer(cases - 1) === 0;

/** Mostly one change, sometimes several. @param others  to splice with */
export function mutate(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Buffer {
  let out: Buffer = Buffer.from(bytes);
  const changes = oneIn(random, 3) ? 2 + random.integer(6) : 1;
  for (let i = 0; i < changes; i++) out = pick(random, operators)(random, out, others).subarray(0, largestInput);
  return out;
}

type Operator = (random: Random, bytes: Buffer, others: readonly Uint8Array[]) => Buffer;

/** Numbers at which readers go wrong, by their width in bytes. */
const interesting: [width: number, values: bigint[]][] = [
  [1, [0n, 1n, 0x7fn, 0x80n, 0xffn]],
  [2, [0n, 1n, 0x7fffn, 0x8000n, 0xffffn]],
  [4, [0n, 1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0xfffffffen, 0x10000n]],
  [8, [0n, 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 32n]],
];

const texts = [
  '0',
  '-1',
  '1e308',
  '9007199254740993',
  '18446744073709551616',
  '99999999999999999999999',
  'NaN',
  '',
  '0x10',
  '..',
  '/',
];

const operators: Operator[] = [
  function flipBit(random, bytes) {
    if (bytes.length > 0) bytes[place(random, bytes)]! ^= 1 << random.integer(7);
    return bytes;
  },
  function setByte(random, bytes) {
    if (bytes.length > 0) bytes[place(random, bytes)] = random.integer(255);
    return bytes;
  },
  function setNumber(random, bytes) {
    const [width, values] = pick(random, interesting);
    if (bytes.length < width) return bytes;
    const at = random.integer(bytes.length - width);
    const digits = pick(random, values)
      .toString(16)
      .padStart(2 * width, '0');
    const number = Buffer.from(digits, 'hex');
    bytes.set(oneIn(random, 2) ? number : number.reverse(), at);
    return bytes;
  },
  function cutOff(random, bytes) {
    return bytes.subarray(0, random.integer(bytes.length));
  },
  function append(random, bytes) {
    const more = Buffer.alloc(1 + random.integer(64), oneIn(random, 2) ? 0 : random.integer(255));
    return Buffer.concat([bytes, more]);
  },
  function removeBlock(random, bytes) {
    const [start, end] = block(random, bytes);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  function repeatBlock(random, bytes) {
    const [start, end] = block(random, bytes);
    const times = pick(random, [1, 1, 2, 16, 1000]);
    const fitting = Math.min(times, Math.floor(largestInput / Math.max(1, end - start)));
    return Buffer.concat([
      bytes.subarray(0, end),
      ...Array<Buffer>(fitting).fill(bytes.subarray(start, end)),
      bytes.subarray(end),
    ]);
  },
  function fillBlock(random, bytes) {
    const [start, end] = block(random, bytes);
    return bytes.fill(pick(random, [0, 0xff, 0x20, random.integer(255)]), start, end);
  },
  function splice(random, bytes, others) {
    const other = pick(random, [bytes, ...others]);
    const end = random.integer(other.length);
    return Buffer.concat([bytes.subarray(0, random.integer(bytes.length)), other.subarray(end)]);
  },
  function swapBlocks(random, bytes) {
    const [first, second] = [random.integer(bytes.length), random.integer(bytes.length)].sort((a, b) => a - b) as [
      number,
      number,
    ];
    return Buffer.concat([bytes.subarray(second), bytes.subarray(first, second), bytes.subarray(0, first)]);
  },
  function replaceDigits(random, bytes) {
    const text = bytes.toString('latin1');
    const numbers = [...text.matchAll(/\d+/g)];
    if (numbers.length === 0) return bytes;
    const { index, 0: found } = pick(random, numbers);
    return Buffer.from(text.slice(0, index) + pick(random, texts) + text.slice(index + found.length), 'latin1');
  },
];

/** Half of all changes fall into the first 200 bytes: there headers are. */
function place(random: Random, bytes: Buffer): number {
  return random.integer((oneIn(random, 2) ? Math.min(bytes.length, 200) : bytes.length) - 1);
}

function block(random: Random, bytes: Buffer): [start: number, end: number] {
  const start = random.integer(bytes.length);
  return [start, Math.min(bytes.length, start + 1 + random.integer(oneIn(random, 2) ? 8 : 500))];
}
