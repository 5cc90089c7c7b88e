import { describe, expect, test } from 'vitest';
import type { UserError } from '../../src/errors.ts';
import type { Network } from '../../src/nn/build.ts';
import { memoryNeeds, refuseTooMuch, type Sizes, sumOf } from '../../src/training/memory.ts';

const layer = { activation: 'relu', slope: 0.01, init: { name: 'he', factor: 1 }, keepProb: 1, batchNorm: false } as const;
const network = (inputs: number, ...units: number[]): Network => ({ inputs, layers: units.map((n) => ({ ...layer, units: n })) });
const sizes: Sizes = {
  network: network(1000, 50, 1),
  parameters: 50_101,
  form: 'direct',
  train: 300,
  dev: 100,
  pictures: 500,
  batch: 64,
  slots: 2,
  bytesEach: 4,
  room: null,
  brings: false,
  shuffle: 'auto',
  keepsBest: false,
  averages: false,
  mixes: false,
  stages: [],
  augments: false,
};
const bytesOf = (what: RegExp, of: Sizes) => sumOf(memoryNeeds(of).filter((need) => what.test(need.what)));
const refusal = (of: Sizes, options: Parameters<typeof refuseTooMuch>[1]): UserError => {
  try {
    refuseTooMuch(memoryNeeds(of), options);
  } catch (error) {
    return error as UserError;
  }
  throw new Error('nothing was refused');
};

describe('what a training takes', () => {
  test('by hand', () => {
    expect(bytesOf(/^500 pictures × 1000 bytes$/, sizes)).toBe(500_000);
    expect(bytesOf(/where the kernels read them/, sizes)).toBe(400_000);
    expect(bytesOf(/^50101 parameters × 4 /, sizes)).toBe(4 * 50_101 * 4);
    expect(bytesOf(/^a batch of 64 /, sizes)).toBe(64 * (50 * 3 + 2) * 4);
  });

  test('averaged weights take two more of each parameter where the kernels work, and one in each copy of a checkpoint', () => {
    const averaged = { ...sizes, averages: true };
    expect(bytesOf(/^50101 parameters × 6 .*, 2 of their average\)/, averaged)).toBe(6 * 50_101 * 4);
    expect(bytesOf(/^copies/, averaged) - bytesOf(/^copies/, sizes)).toBe(2 * 50_101 * 4);
  });

  test('of images that are brought into memory all are where the kernels read them, of those that are read a batch twice at least', () => {
    const read = { ...sizes, batch: 300, room: 0 };
    expect(bytesOf(/where the kernels read them/, { ...read, brings: true })).toBe((300 + 2 * 100) * 1000);
    expect(bytesOf(/where the kernels read them/, { ...read, batch: 64 })).toBe(2 * (64 + 64) * 1000);
    expect(bytesOf(/where the kernels read them/, { ...read, batch: 64, room: 400_000 })).toBe(2 * (192 + 100) * 1000);
  });

  test('the check of a step before a training of few parameters has the patches of two or more examples four times, where those are most', () => {
    const convolution = { ...layer, type: 'conv', filters: 64, kernel: 3, stride: 1, padding: 'same' } as const;
    const of = (side: number): Sizes => {
      const layers = [convolution, convolution, { type: 'globalAveragePool', keepProb: 1 } as const, { ...layer, units: 1 }];
      return { ...sizes, network: { inputs: side * side * 3, layers }, parameters: 38_785, batch: 16 };
    };
    const patches = (side: number) => side * side * 9 * 64;
    const copies = (4 + 2) * 38_785 * 4;
    expect(bytesOf(/^the check of a step: 2 × 9437184 numbers of patches × 4 × 8 bytes/, of(128))).toBe(
      2 * patches(128) * 32 + copies,
    );
    expect(bytesOf(/^the check of a step: 3 × 2359296 numbers/, of(64))).toBe(3 * patches(64) * 32 + copies);
    expect(bytesOf(/^the check of a step: 8 × 589824 numbers/, of(32))).toBe(8 * patches(32) * 32 + copies);
    expect(bytesOf(/^the check of a step/, sizes)).toBe(0);
  });

  test('in dual form a coefficient for each picture and unit takes the place of W1, and products are made', () => {
    const dual = { ...sizes, form: 'dual', slots: 0 } as const;
    const coefficients = 50 * (300 + 50) + 50 + 50 + 1;
    expect(bytesOf(/^17601 parameters × 2 /, dual)).toBe(2 * coefficients * 8);
    expect(bytesOf(/^inner products of 350 × 450 /, dual)).toBeGreaterThan(350 * 450 * 8);
    expect(bytesOf(/where the kernels read them/, dual)).toBe(0);
  });

  test('kernels copy one part after the other, as long as there is room', () => {
    const inputs = 12_288;
    const held = (train: number, dev: number) =>
      bytesOf(/where the kernels read them/, { ...sizes, network: network(inputs, 1), train, dev, pictures: train + dev });
    expect(held(200_000, 60_000)).toBe(260_000 * inputs);
    expect(held(200_000, 70_000)).toBe(200_000 * inputs); // both are more than 3 GiB
    expect(held(300_000, 60_000)).toBe(60_000 * inputs);
  });

  test('pictures that stay on the disk take what reading may take', () => {
    expect(bytesOf(/pictures/, { ...sizes, pictures: 1e9, train: 8e8, dev: 1e8, room: 2 ** 30 })).toBeLessThan(2 ** 32);
  });

  test.each([
    ['more pictures', { pictures: 600 }],
    ['a larger batch', { batch: 128 }],
    ['the best epoch kept', { keepsBest: true }],
    ['averaged weights', { averages: true }],
    ['augmented batches', { augments: true }],
    ['mixed batches', { mixes: true }],
    ['float64', { bytesEach: 8 }],
  ] as const)('%s: more', (_, change) => {
    const large = { ...sizes, parameters: 5e6 };
    expect(sumOf(memoryNeeds({ ...large, ...change }))).toBeGreaterThan(sumOf(memoryNeeds(large)));
  });
});

describe('a training that takes more than there is', () => {
  test('is refused with its arithmetic, the largest first', () => {
    const error = refusal({ ...sizes, pictures: 3e6, room: null }, { available: 2e9 });
    expect(error.kind).toBe('usage');
    expect(error.message).toMatch(
      /^expected a training within 2\.0 GB of memory, as this machine has, found one that takes 3\.2 GB:\n +3\.0 GB {2}3000000 pictures × 1000 bytes\n/,
    );
    expect(error.hint).toMatch(/data\.imageSize.*data\.memory/);
  });

  test('so are processes that do so together', () => {
    const one = sumOf(memoryNeeds(sizes));
    expect(() => refuseTooMuch(memoryNeeds(sizes), { processes: 3, available: 3 * one })).not.toThrow();
    const error = refusal(sizes, { processes: 4, available: 3 * one });
    expect(error.message).toMatch(/^expected 4 trainings at once within .* found that each takes \d{3}\.\d MB:/);
    expect(error.hint).toMatch(/^Fewer --jobs/);
  });

  test('and what WebAssembly can not address, whatever the machine has', () => {
    const parameters = 40_000 * 12_288;
    const error = refusal({ ...sizes, network: network(12_288, 40_000, 1), parameters, slots: 2 }, { available: 1e15 });
    expect(error.message).toMatch(
      /^expected a training within 4\.2 GB, which WebAssembly can address, found one that takes \d\.\d GB:/,
    );
  });
});
