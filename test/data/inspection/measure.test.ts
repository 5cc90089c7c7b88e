import { describe, expect, test } from 'vitest';
import type { Rectangle } from '../../../src/data/image.ts';
import { borderOf, colourOf, measure, thumbnailOf } from '../../../src/data/inspection/measure.ts';
import { numpyRandom } from '../../../src/random.ts';
import { painted, type Rgb } from '../pictures.ts';

const rectangle = (width: number, height: number, colour: (row: number, column: number) => Rgb): Rectangle => ({
  width,
  height,
  pixels: painted(width, height, colour),
});
const grey = (value: number): Rgb => [value, value, value];

describe('what the pixels of a picture say', () => {
  test('one colour has no contrast and nothing sharp', () => {
    expect(measure(rectangle(20, 10, () => [100, 100, 100]))).toEqual({
      brightness: expect.closeTo(100, 9),
      highlight: expect.closeTo(100, 0),
      contrast: 0,
      sharpness: 0,
    });
  });

  test('brightness is luminance: 0.299 red, 0.587 green, 0.114 blue', () => {
    expect(measure(rectangle(8, 8, () => [255, 0, 0])).brightness).toBeCloseTo(0.299 * 255, 9);
    expect(measure(rectangle(8, 8, () => [0, 255, 0])).brightness).toBeCloseTo(0.587 * 255, 9);
    expect(measure(rectangle(8, 8, () => [0, 0, 255])).brightness).toBeCloseTo(0.114 * 255, 9);
  });

  test('contrast is the standard deviation of the channel that varies most', () => {
    // half of the red values are 10 lower, half 10 higher than their mean
    expect(measure(rectangle(8, 8, (_, column) => [column < 4 ? 90 : 110, 50, 50])).contrast).toBeCloseTo(10, 9);
  });

  test('a checkerboard is as sharp as can be: each Laplacian is 8 times the deviation', () => {
    const board = (a: number, b: number) => rectangle(10, 10, (row, column) => grey((row + column) % 2 === 0 ? a : b));
    expect(measure(board(0, 200)).sharpness).toBeCloseTo(64, 6);
    expect(measure(board(90, 110)).sharpness, 'whatever the contrast').toBeCloseTo(64, 6);
  });

  test('white noise is near 20, a slope is 0', () => {
    const random = numpyRandom(1);
    const noise = measure(rectangle(128, 128, () => grey(random.integer(255))));
    expect(noise.sharpness).toBeGreaterThan(19);
    expect(noise.sharpness).toBeLessThan(21);
    expect(measure(rectangle(40, 30, (row, column) => grey(row + 2 * column))).sharpness).toBeCloseTo(0, 9);
  });

  test('the highlight is what one pixel in twenty exceeds', () => {
    const bright = (count: number) => rectangle(10, 10, (row, column) => grey(row * 10 + column < count ? 200 : 10));
    const highlight = (count: number) => Math.round(measure(bright(count)).highlight);
    expect([highlight(4), highlight(6)]).toEqual([10, 200]);
  });

  test('a picture too small for a Laplacian has none', () => {
    expect(measure(rectangle(2, 50, (row) => grey(row))).sharpness).toBe(0);
  });
});

test('the mean colour is that of each channel', () => {
  expect([...colourOf(rectangle(9, 8, (row) => [row < 4 ? 10 : 30, 7, 255]))]).toEqual([20, 7, 255]);
});

describe('the border', () => {
  test('is the outermost pixels of each side: top, right, bottom, left', () => {
    const colours: Rgb[] = [grey(10), grey(20), grey(30), grey(40)]; // the corners belong to two sides
    const picture = rectangle(50, 40, (row, column) =>
      row === 0 ? colours[0]! : row === 39 ? colours[2]! : column === 49 ? colours[1]! : column === 0 ? colours[3]! : grey(200),
    );
    const border = borderOf(picture);
    expect([...border.subarray(0, 4)]).toEqual([10, 10, 10, 0]);
    expect([...border.subarray(8, 12)]).toEqual([30, 30, 30, 0]);
    // 38 of its 40 pixels are of its own colour, one is 10, one 30: the mean is 20, the deviation √(200/40)
    expect([...border.subarray(4, 8)]).toEqual([20, 20, 20, 2]);
    // 38 times 40, 10 and 30
    expect([...border.subarray(12, 16)]).toEqual([39, 39, 39, 5]);
  });
});

describe('the thumbnail', () => {
  test('has the mean of each of 8 × 8 shares', () => {
    const picture = rectangle(16, 24, (row, column) => [row, column * 2, 255]);
    const thumbnail = thumbnailOf(picture);
    // shares are 2 pixels wide and 3 high: rows 3, 4, 5 and columns 2, 3
    expect([...thumbnail.subarray((8 + 1) * 3, (8 + 1) * 3 + 3)]).toEqual([4, 5, 255]);
    expect([...thumbnail.subarray(63 * 3)]).toEqual([22, 29, 255]);
  });

  test.each([
    [8, 8],
    [3, 200],
    [13, 7],
    [128, 1],
  ])('of %i × %i pixels, all of one colour, is of that colour', (width, height) => {
    expect(new Set(thumbnailOf(rectangle(width, height, () => grey(77))))).toEqual(new Set([77]));
  });
});
