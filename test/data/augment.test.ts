import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { logits } from '../../src/classifier/classifier.ts';
import { checkConfig } from '../../src/config/load.ts';
import { type Augmentation, augmentBatch, augmentImage, augments } from '../../src/data/augment.ts';
import { losses } from '../../src/nn/losses.ts';
import { numpyRandom, type Random } from '../../src/random.ts';
import { fitOptions, planTraining } from '../../src/training/plan.ts';
import { epochsOf, type HeldData, kernels, noisePictures, prepareHeld } from '../training/problems.ts';
import { noAugmentation } from './pictures.ts';

/** Augments one picture. @param uniforms  what is drawn, in turn: in the order of the fields, shift first right and then down */
function augmented(from: Uint8Array, wishes: Partial<Augmentation>, uniforms: number[] | Random): Uint8Array {
  const queue = Array.isArray(uniforms) ? [...uniforms] : [];
  const scripted: Random = { ...numpyRandom(1), uniform: () => queue.shift()! };
  const to = new Uint8Array(from.length);
  const side = Math.sqrt(from.length / 3);
  augmentImage(from, to, {
    augmentation: { ...noAugmentation, ...wishes },
    side,
    random: Array.isArray(uniforms) ? scripted : uniforms,
  });
  return to;
}

/** A picture from its values: (row, column, channel) to a byte. */
function picture(side: number, value: (row: number, column: number, channel: number) => number): Uint8Array {
  return Uint8Array.from({ length: side * side * 3 }, (_, at) =>
    value(Math.floor(at / (3 * side)), Math.floor(at / 3) % side, at % 3),
  );
}

const at = (pixels: Uint8Array, side: number) => (row: number, column: number, channel: number) =>
  pixels[(row * side + column) * 3 + channel]!;

const pictures = fc
  .integer({ min: 1, max: 9 })
  .chain((side) =>
    fc.record({ side: fc.constant(side), from: fc.uint8Array({ minLength: side * side * 3, maxLength: side * side * 3 }) }),
  );
const yes = 0.2;
const no = 0.7;

/** Numbers one after the other. */
function inTurn(numbers: readonly number[]): () => number {
  const queue = [...numbers];
  return () => queue.shift()!;
}

/** The indices of a side, mirrored beyond both its edges: … 1 0 | 0 1 2 | 2 1 … */
function mirroredIndex(index: number, side: number): number {
  const within = Array.from({ length: side }, (_, i) => i);
  return [...within.toReversed(), ...within, ...within.toReversed()][side + index]!;
}

describe('without any variation', () => {
  test('pictures stay as they are, byte for byte', () => {
    fc.assert(
      fc.property(pictures, ({ from }) => {
        expect(augmented(from, {}, [])).toEqual(from);
      }),
    );
  });

  test('nothing counts as augmentation; each field alone does', () => {
    expect(augments(noAugmentation)).toBe(false);
    expect(augments({ ...noAugmentation, zoom: [1, 1] })).toBe(false);
    expect(augments({ ...noAugmentation, zoom: [1, 1.1] })).toBe(true);
    for (const [field, value] of Object.entries(noAugmentation)) {
      expect(augments({ ...noAugmentation, [field]: typeof value === 'boolean' ? true : 0.1 })).toBe(true);
    }
  });
});

describe('flips', () => {
  test('move whole pixels: left and right, up and down', () => {
    fc.assert(
      fc.property(pictures, ({ side, from }) => {
        const pixel = at(from, side);
        const mirrored = picture(side, (row, column, c) => pixel(row, side - 1 - column, c));
        const upended = picture(side, (row, column, c) => pixel(side - 1 - row, column, c));
        expect(augmented(from, { flipHorizontal: true }, [yes])).toEqual(mirrored);
        expect(augmented(from, { flipVertical: true }, [yes])).toEqual(upended);
        expect(augmented(from, { flipHorizontal: true, flipVertical: true }, [no, no])).toEqual(from);
      }),
    );
  });

  test('twice are none', () => {
    const both = { flipHorizontal: true, flipVertical: true };
    fc.assert(
      fc.property(pictures, fc.constantFrom(yes, no), fc.constantFrom(yes, no), ({ from }, horizontal, vertical) => {
        expect(augmented(augmented(from, both, [horizontal, vertical]), both, [horizontal, vertical])).toEqual(from);
      }),
    );
  });

  test('happen about every second time, each by itself', () => {
    const side = 2;
    const one = picture(side, (row, column) => 100 * row + 10 * column);
    const n = 2000;
    const out = batch(
      new Uint8Array(n * one.length).map((_, i) => one[i % one.length]!),
      side,
      {
        flipHorizontal: true,
        flipVertical: true,
      },
    );
    const corners = Array.from({ length: n }, (_, i) => out[i * one.length]!); // 0: none, 10: mirrored, 100: upended, 110: both
    for (const corner of [0, 10, 100, 110]) {
      const share = corners.filter((value) => value === corner).length / n;
      expect(Math.abs(share - 1 / 4)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / n));
    }
  });
});

describe('a shift', () => {
  test('by whole pixels moves the content and mirrors it at the edges', () => {
    const shifts = fc.integer({ min: -4, max: 4 });
    fc.assert(
      fc.property(pictures, shifts, shifts, ({ side, from }, right, down) => {
        fc.pre(Math.max(Math.abs(right), Math.abs(down)) <= side);
        const expected = picture(side, (row, column, c) =>
          at(from, side)(mirroredIndex(row - down, side), mirroredIndex(column - right, side), c),
        );
        // shift is a share of the side, and a draw u means (2u − 1) times it
        const uniforms = [right, down].map((pixels) => (pixels / side + 1) / 2);
        expect(augmented(from, { shift: 1 }, uniforms)).toEqual(expected);
      }),
    );
  });

  test('by half a pixel takes the mean of two neighbours', () => {
    const side = 4;
    const from = picture(side, (_, column) => 20 * column);
    const moved = at(augmented(from, { shift: 0.5 / side }, [1, 0.5]), side); // to the right
    expect([0, 1, 2, 3].map((column) => moved(2, column, 0))).toEqual([0, 10, 30, 50]);
  });
});

describe('rotation', () => {
  test('by 180° is both flips', () => {
    fc.assert(
      fc.property(pictures, ({ from }) => {
        const turned = augmented(augmented(from, { flipHorizontal: true }, [yes]), { flipVertical: true }, [yes]);
        expect(augmented(from, { rotate: 180 }, [1, 0.5, 0.5])).toEqual(turned);
      }),
    );
  });

  test('by 90° turns columns into rows, one way or the other', () => {
    fc.assert(
      fc.property(pictures, ({ side, from }) => {
        const pixel = at(from, side);
        const one = picture(side, (row, column, c) => pixel(side - 1 - column, row, c));
        const other = picture(side, (row, column, c) => pixel(column, side - 1 - row, c));
        expect([augmented(from, { rotate: 90 }, [1]), augmented(from, { rotate: 90 }, [0])]).toEqual([one, other]);
      }),
    );
  });

  test('keeps the middle and what is the same all around it', () => {
    const side = 9;
    const rings = picture(side, (row, column) => Math.max(0, 200 - 6 * ((row - 4) ** 2 + (column - 4) ** 2)));
    const turned = augmented(rings, { rotate: 30 }, [0.9]);
    expect(at(turned, side)(4, 4, 1)).toBe(200);
    for (const [row, column] of [
      [2, 4],
      [4, 2],
      [3, 5],
      [5, 3],
    ] as const) {
      // a curved surface between pixels: bilinear is off by at most ⅛ of the second differences, 12 each way
      expect(Math.abs(at(turned, side)(row, column, 1) - at(rings, side)(row, column, 1))).toBeLessThanOrEqual(4);
    }
  });
});

describe('zoom', () => {
  test.each([
    ['nearer', 1, 1.5],
    ['farther', 0, 0.5],
  ])('%s stretches about the middle', (_, uniform, scale) => {
    const side = 9;
    const from = picture(side, (_, column) => 100 + 12 * (column - 4)); // a ramp is right between pixels, too
    const zoomed = at(augmented(from, { zoom: 0.5 }, [uniform]), side);
    for (const column of [3, 4, 5]) expect(zoomed(4, column, 2)).toBe(100 + (12 * (column - 4)) / scale);
  });

  test('of a picture of one colour changes nothing, nor does any movement', () => {
    const flat = picture(7, (_, __, c) => [10, 120, 250][c]!);
    const moves = { zoom: 0.4, rotate: 45, shift: 0.3, flipHorizontal: true };
    for (const seed of [1, 2, 3]) expect(augmented(flat, moves, numpyRandom(seed))).toEqual(flat);
  });
});

describe('several movements at once', () => {
  test('a quarter turn of a picture that has no symmetry, by hand', () => {
    // a b        c a
    // c d   →    d b   clockwise
    const [a, b, c, d] = [10, 60, 130, 250];
    const from = picture(2, (row, column) => [a, b, c, d][2 * row + column]!);
    const turned = (uniform: number) => Array.from(augmented(from, { rotate: 90 }, [uniform])).filter((_, i) => i % 3 === 0);
    expect(turned(1)).toEqual([c, a, d, b]);
    expect(turned(0)).toEqual([b, d, a, c]);
  });

  test('a drawn square grows by the zoom, wide by the root of e^aspect and high by its inverse', () => {
    const side = 96;
    const square = picture(side, (row, column) => (Math.abs(row - 47.5) < 16 && Math.abs(column - 47.5) < 16 ? 255 : 0));
    // the sums over the middle row and column are the width and height in pixels; beyond 32 of the middle are mirror images
    const middle = Array.from({ length: 64 }, (_, i) => i + 16);
    const sizeOf = (wishes: Partial<Augmentation>, uniforms: number[]) => {
      const pixel = at(augmented(square, wishes, uniforms), side);
      const sum = (value: (i: number) => number) => middle.reduce((total, i) => total + value(i), 0) / 255;
      return { width: sum((i) => pixel(47, i, 0)), height: sum((i) => pixel(i, 47, 0)) };
    };
    // 32 · e^±0.2 = 39.08 and 26.20, by hand; where pixels are left out, the slope of the edge is hit here or there
    const cases: [Partial<Augmentation>, number[], number, number][] = [
      [{ aspect: 0.4 }, [1], 39.08, 26.2],
      [{ aspect: 0.4 }, [0], 26.2, 39.08],
      [{ zoom: [0.5, 2] }, [1 / 3], 32, 32],
      [{ zoom: [0.5, 2] }, [1], 64, 64],
      [{ zoom: [0.5, 2], aspect: 0.4 }, [0, 1], 39.08 / 2, 26.2 / 2],
    ];
    for (const [wishes, uniforms, width, height] of cases) {
      const found = sizeOf(wishes, uniforms);
      expect(Math.abs(found.width - width)).toBeLessThan(0.6);
      expect(Math.abs(found.height - height)).toBeLessThan(0.6);
    }
  });

  test('a picture is stretched along its own axes, then turned', () => {
    const side = 33;
    const dot = picture(side, (row, column) => (row === 16 && column === 24 ? 200 : 0)); // 8 to the right of the middle
    const moved = at(augmented(dot, { rotate: 90, aspect: 2 * Math.log(2) }, [1, 1]), side); // twice as wide, then clockwise
    expect(moved(32, 16, 0)).toBe(200);
  });

  test('edges are mirrored on all four sides, also twice as far away', () => {
    const side = 3;
    const from = picture(side, (row, column) => 10 * row + column);
    const far = at(augmented(from, { zoom: [0.2, 0.2] }, [0.5]), side); // a step to the side is five pixels
    // … 2 2 1 0 | 0 1 2 | 2 1 0 0 …: index −4 is 2, index 6 is 0
    expect([0, 1, 2].map((row) => [0, 1, 2].map((column) => far(row, column, 0)))).toEqual([
      [22, 21, 20],
      [12, 11, 10],
      [2, 1, 0],
    ]);
  });
});

describe('colours', () => {
  const hand = (values: number[]) => picture(2, (row, column) => values[2 * row + column]!);

  test('brightness adds a share of 255, and stays within bytes', () => {
    const from = hand([0, 100, 200, 250]);
    const add = (uniform: number) => augmented(from, { brightness: 0.2 }, [uniform]); // 0.2 · 255 = 51
    expect(add(1)).toEqual(hand([51, 151, 251, 255]));
    expect(add(0)).toEqual(hand([0, 49, 149, 199]));
    expect(add(0.5)).toEqual(from);
  });

  test("contrast multiplies what differs from the picture's mean", () => {
    const from = hand([90, 110, 130, 150]); // mean 120
    const stretch = (uniform: number) => augmented(from, { contrast: 0.5 }, [uniform]);
    expect(stretch(1)).toEqual(hand([75, 105, 135, 165]));
    expect(stretch(0)).toEqual(hand([105, 115, 125, 135]));
  });

  test('with both, the brightness is not stretched', () => {
    expect(augmented(hand([90, 110, 130, 150]), { brightness: 0.2, contrast: 0.5 }, [1, 1])).toEqual(hand([126, 156, 186, 216]));
  });

  const pixel = picture(1, (_, __, c) => [200, 100, 40][c]!);

  test('saturation is a factor about the grey of each pixel, by the luminance of Rec. 601', () => {
    // 0.299 · 200 + 0.587 · 100 + 0.114 · 40 = 123.06
    expect([...augmented(pixel, { saturation: 1 }, [0])]).toEqual([123, 123, 123]);
    expect([...augmented(pixel, { saturation: 1 }, [0.25])]).toEqual([162, 112, 82]); // half of what differs: 161.5, 111.5, 81.5
    expect([...augmented(pixel, { saturation: 1 }, [0.5])]).toEqual([...pixel]);
    expect([...augmented(pixel, { saturation: 1 }, [1])]).toEqual([255, 77, 0]); // twice: 277, 77, −43
  });

  test('saturation leaves grey as it is, whatever is drawn', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.double({ min: 0, max: 1, noNaN: true }), (grey, uniform) => {
        const from = picture(2, () => grey);
        expect(augmented(from, { saturation: 1 }, [uniform])).toEqual(from);
      }),
    );
  });

  test('tint adds to each channel by itself, and stays within bytes', () => {
    // 0.2 · 255 = 51, red up, green none, blue down
    expect([...augmented(pixel, { tint: 0.2 }, [1, 0.5, 0])]).toEqual([251, 100, 0]);
    expect([...augmented(pixel, { tint: 0.2 }, [0, 1, 0.5])]).toEqual([149, 151, 40]);
  });

  test('all colours at once: saturation, then contrast about the mean, brightness and tint, rounded once', () => {
    // half the saturation leaves 162, 112, 82 with the mean 118.67; half the contrast brings 140.33, 115.33, 100.33
    const wishes = { brightness: 0.2, contrast: 0.5, saturation: 1, tint: 0.1 };
    // brightness +51, contrast ½, saturation ½, tint +25.5, 0, −25.5
    expect([...augmented(pixel, wishes, [1, 0, 0.25, 1, 0.5, 0])]).toEqual([217, 166, 126]);
  });

  test('noise comes on top of saturation and tint', () => {
    const grey = augmented(pixel, { saturation: 1, tint: 0.2 }, [0, 1, 1, 1]);
    const noisy = augmented(
      pixel,
      { saturation: 1, tint: 0.2, noise: 1e-6 },
      { ...numpyRandom(3), uniform: inTurn([0, 1, 1, 1]) },
    );
    expect(noisy).toEqual(grey);
    expect([...grey]).toEqual([174, 174, 174]);
  });

  test.each([0.02, 0.1])('noise %f has that deviation, as a share of 255, and mean 0', (noise) => {
    const grey = picture(64, () => 128);
    const differences = Array.from(augmented(grey, { noise }, numpyRandom(5)), (value) => value - 128);
    const n = differences.length;
    const mean = differences.reduce((sum, d) => sum + d, 0) / n;
    const deviation = Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0) / n);
    const sigma = noise * 255;
    expect(Math.abs(mean)).toBeLessThan((5 * sigma) / Math.sqrt(n));
    // rounding adds a variance of 1/12
    expect(Math.abs(deviation - Math.sqrt(sigma * sigma + 1 / 12))).toBeLessThan((5 * sigma) / Math.sqrt(2 * n));
  });

  test('noise never leaves 0 to 255', () => {
    expect(
      Math.max(
        ...augmented(
          picture(16, () => 0),
          { noise: 0.1 },
          numpyRandom(1),
        ),
      ),
    ).toBeLessThan(128);
    expect(
      Math.min(
        ...augmented(
          picture(16, () => 255),
          { noise: 0.1 },
          numpyRandom(1),
        ),
      ),
    ).toBeGreaterThan(128);
  });
});

const everything: Augmentation = {
  flipHorizontal: true,
  flipVertical: true,
  noise: 0.05,
  shift: 0.2,
  zoom: 0.2,
  rotate: 20,
  brightness: 0.1,
  contrast: 0.2,
  aspect: 0.2,
  saturation: 0.3,
  tint: 0.05,
};

function batch(
  pixels: Uint8Array,
  side: number,
  wishes: Partial<Augmentation>,
  { indices, seed = 1, epoch = 1 }: { indices?: number[]; seed?: number; epoch?: number } = {},
): Uint8Array {
  const features = side * side * 3;
  const wanted = Int32Array.from(indices ?? Array.from({ length: pixels.length / features }, (_, i) => i));
  const out = new Uint8Array(wanted.length * features);
  augmentBatch(pixels, wanted, out, { augmentation: { ...noAugmentation, ...wishes }, side, seed, epoch });
  return out;
}

describe('what is drawn', () => {
  test('new fields draw after the old ones, and nothing where they are off: old configs get the pictures that they got', () => {
    const counted = (wishes: Partial<Augmentation>) => {
      let draws = 0;
      const { uniform, ...random } = numpyRandom(1);
      const counting = { ...random, uniform: () => [uniform(), draws++][0]! };
      augmented(new Uint8Array(3), wishes, counting);
      return draws;
    };
    const older = { flipHorizontal: true, flipVertical: true, zoom: 0.1, rotate: 5, shift: 0.1, brightness: 0.1, contrast: 0.1 };
    expect(counted({})).toBe(0);
    expect(counted(older)).toBe(8); // shift has two
    expect(counted({ ...older, zoom: [0.9, 1.2] })).toBe(8);
    expect(counted({ ...older, aspect: 0.1, saturation: 0.1, tint: 0.1 })).toBe(13); // tint has three
    // with draws that bring no change (½) for the new fields, behind those of the old ones, the picture is that of the old fields alone
    const from = picture(5, (row, column, c) => (37 * row + 91 * column + 53 * c) % 256);
    const draws = [yes, no, 0.3, 0.8, 0.1, 0.9, 0.6, 0.2];
    const expected = augmented(from, older, draws);
    expect(expected).not.toEqual(from);
    expect(augmented(from, { ...older, aspect: 0.5, saturation: 0.5, tint: 0.5 }, [...draws, 0.5, 0.5, 0.5, 0.5, 0.5])).toEqual(
      expected,
    );
  });

  const { pixels, features } = noisePictures(6, { side: 8 });
  const row = (out: Uint8Array, i: number) => out.slice(i * features, (i + 1) * features);

  test('depends on seed, epoch and example alone, not on the batch around it', () => {
    const whole = batch(pixels, 8, everything);
    expect(batch(pixels, 8, everything)).toEqual(whole);
    const other = batch(pixels, 8, everything, { indices: [4, 1] });
    expect([row(other, 0), row(other, 1)]).toEqual([row(whole, 4), row(whole, 1)]);
  });

  test('is the same in a batch that is worked on in parts', () => {
    const n = 600;
    const many = new Uint8Array(n * 12).map((_, i) => pixels[i % pixels.length]!);
    const whole = batch(many, 2, everything);
    for (const i of [0, 255, 256, 511, 512, 599]) {
      expect(batch(many, 2, everything, { indices: [i] })).toEqual(whole.subarray(i * 12, (i + 1) * 12));
    }
  });

  test('is the same by the kernels', () => {
    const options = { augmentation: everything, side: 8, seed: 1, epoch: 3, transform: kernels.transformImages };
    const out = new Uint8Array(2 * features);
    augmentBatch(pixels, Int32Array.of(4, 1), out, options);
    expect(out).toEqual(batch(pixels, 8, everything, { indices: [4, 1], epoch: 3 }));
  });

  test('is another variation in another epoch, with another seed, and for another example', () => {
    const first = batch(pixels, 8, everything);
    expect(batch(pixels, 8, everything, { epoch: 2 })).not.toEqual(first);
    expect(batch(pixels, 8, everything, { seed: 2 })).not.toEqual(first);
    const twins = new Uint8Array([...row(pixels, 0), ...row(pixels, 0)]);
    const out = batch(twins, 8, everything);
    expect(row(out, 0)).not.toEqual(row(out, 1));
  });
});

describe('training with augmentation', () => {
  const configOf = (augment: object) =>
    checkConfig(
      {
        data: { source: { type: 'drawn', count: 40 }, imageSize: 8, augment },
        model: { layers: [{ units: 3 }] },
        training: { epochs: 2 },
        precision: 'float64',
      },
      'test',
    );
  const prepare = (augment: object) => prepareHeld(configOf(augment));
  let plain: HeldData;
  let varied: HeldData;
  beforeAll(async () => {
    plain = await prepare({});
    varied = await prepare(everything);
  });
  const optionsFor = (data: HeldData, augment: object) =>
    fitOptions(configOf(augment), data.splits, planTraining(configOf(augment), data.splits, kernels), kernels);

  test('changes neither the split, nor the normalisation, nor the first weights', () => {
    expect(varied.splits).toEqual(plain.splits);
    const [without, withIt] = [optionsFor(plain, {}), optionsFor(varied, everything)];
    expect(withIt.parameters.values).toEqual(without.parameters.values);
    expect(withIt.scaling).toEqual(without.scaling);
  });

  test('shows the network other pictures, and leaves those in memory alone', async () => {
    const before = varied.splits.train.pixels.slice();
    const [without, withIt] = [await epochsOf(optionsFor(plain, {})), await epochsOf(optionsFor(varied, everything))];
    expect(withIt[0]!.cost).not.toBe(without[0]!.cost);
    expect(varied.splits.train.pixels).toEqual(before);
  });

  test('looks at dev as it is', async () => {
    const options = optionsFor(varied, everything);
    const events = await epochsOf(options);
    const { pixels, labels } = varied.splits.dev!;
    const z = logits(options, kernels, pixels);
    const cost = z.reduce((sum, value, i) => sum + losses.crossEntropy.value(value, labels[i]!), 0) / labels.length;
    expect(events.at(-1)!.dev!.cost).toBeCloseTo(cost, 14);
  });
});
