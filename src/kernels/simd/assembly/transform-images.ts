import { rowOf } from './dequantize';
import { TRANSFORM_NUMBERS, TransformImagesCall } from './generated/calls';

/**
 * The images of `transformImages` (image-transform.ts in the folder above says what they are), first … end − 1: the same operations in the same
 * order as the reference there, two at a time, and so the same bytes.
 *
 * Where the numbers of a transform lie, 8 bytes each (`transformNumbers` of bindings.ts): xx, yx, xy, yy, right, down, saturation, contrast, and
 * what is added to red, green and blue.
 */
const ROW_OF: usize = 16;
const RIGHT: usize = 32;
const DOWN: usize = 40;
const SATURATION: usize = 48;
const CONTRAST: usize = 56;
const ADDED: usize = 64;

/** Bytes of a thread's scratch: what each byte of each channel becomes. */
export function transformScratch(): usize {
  return 3 * 256;
}

export function transformImages(call: TransformImagesCall, first: i32, end: i32, scratch: usize): void {
  const size = <usize>call.features;
  for (let i = first; i < end; i++) {
    const from = rowOf(call, i);
    const to = call.out + <usize>i * size;
    const transform = call.transforms + <usize>i * <usize>(8 * TRANSFORM_NUMBERS);
    if (isInPlace(transform)) memory.copy(to, from, size);
    else resample(from, to, call.side, transform);
    if (load<f64>(transform, SATURATION) !== 1) saturate(to, size, load<f64>(transform, SATURATION));
    if (isRecoloured(transform)) recolour(to, size, transform, scratch);
  }
}

function isInPlace(at: usize): bool {
  const turns = load<f64>(at) !== 1 || load<f64>(at, 8) !== 0 || load<f64>(at, 16) !== 0 || load<f64>(at, 24) !== 1;
  return !turns && load<f64>(at, RIGHT) === 0 && load<f64>(at, DOWN) === 0;
}

function isRecoloured(at: usize): bool {
  const adds = load<f64>(at, ADDED) !== 0 || load<f64>(at, ADDED + 8) !== 0 || load<f64>(at, ADDED + 16) !== 0;
  return adds || load<f64>(at, CONTRAST) !== 1;
}

/** Vectors hold u and v; then of each colour the upper and the lower row. */
function resample(from: usize, to: usize, side: i32, transform: usize): void {
  const middle = <f64>(side - 1) / 2;
  const middles = f64x2.splat(middle);
  const ones = f64x2.splat(1);
  const ofColumn = v128.load(transform);
  const right = load<f64>(transform, RIGHT);
  const line = 3 * <usize>side;
  // eight bytes of either row can be read here, two pixels and two bytes more
  const columns: u32 = max<i32>(side - 1, 0);
  const rows: u32 = max<i32>(side - 2, 0);
  for (let row = 0; row < side; row++) {
    const y = <f64>row - middle - load<f64>(transform, DOWN);
    const ofRow = f64x2.mul(v128.load(transform, ROW_OF), f64x2.splat(y));
    for (let column = 0; column < side; column++, to += 3) {
      const x = <f64>column - middle - right;
      const place = f64x2.add(f64x2.add(f64x2.mul(ofColumn, f64x2.splat(x)), ofRow), middles);
      const corner = f64x2.floor(place);
      const share = f64x2.sub(place, corner);
      const whole = i32x4.trunc_sat_f64x2_s_zero(corner);
      const left = i32x4.extract_lane(whole, 0);
      const top = i32x4.extract_lane(whole, 1);
      let upper: v128;
      let lower: v128;
      if (<u32>left < columns && <u32>top < rows) {
        const at = from + <usize>top * line + 3 * <usize>left;
        upper = v128.load64_zero(at);
        lower = v128.load64_zero(at + line);
      } else {
        const x0 = 3 * reflect(left, side);
        const x1 = 3 * reflect(left + 1, side);
        upper = pixelPair(from + reflect(top, side) * line, x0, x1);
        lower = pixelPair(from + reflect(top + 1, side) * line, x0, x1);
      }
      storePixel(to, upper, lower, share, f64x2.sub(ones, share));
    }
  }
}

/** … 1 0 0 1 2 … side−1 side−1 side−2 … */
function reflect(index: i32, side: i32): usize {
  const period = 2 * side;
  let within = index % period;
  if (within < 0) within += period;
  return <usize>(within < side ? within : period - 1 - within);
}

/** Two pixels of a row, one behind the other. */
function pixelPair(row: usize, x0: usize, x1: usize): v128 {
  return i64x2.replace_lane(i64x2.splat(0), 0, pixel(row + x0) | (pixel(row + x1) << 24));
}

// @ts-ignore: decorator
@inline
function pixel(at: usize): i64 {
  return <i64>load<u16>(at) | (<i64>load<u8>(at, 2) << 16);
}

/** Between two pixels of two rows.
 *  @param share  a and b: how far to the right and down; `rest` is 1 − a and 1 − b */
// @ts-ignore: decorator
@inline
function storePixel(to: usize, upper: v128, lower: v128, share: v128, rest: v128): void {
  // of the left pixel red, green, blue, then of the right one, each from the upper and the lower row
  const bytes = i8x16.shuffle(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const words = i16x8.extend_low_i8x16_u(bytes);
  const redGreen = i32x4.extend_low_i16x8_u(words);
  const blueRed = i32x4.extend_high_i16x8_u(words);
  const greenBlue = i32x4.extend_low_i16x8_u(i16x8.extend_high_i8x16_u(bytes));
  const a = i64x2.shuffle(share, share, 0, 0);
  const notA = i64x2.shuffle(rest, rest, 0, 0);
  const down = i64x2.shuffle(rest, share, 1, 3);
  const red = f64x2.mul(f64x2.add(f64x2.mul(lowReals(redGreen), notA), f64x2.mul(highReals(blueRed), a)), down);
  const green = f64x2.mul(f64x2.add(f64x2.mul(highReals(redGreen), notA), f64x2.mul(lowReals(greenBlue), a)), down);
  const blue = f64x2.mul(f64x2.add(f64x2.mul(lowReals(blueRed), notA), f64x2.mul(highReals(greenBlue), a)), down);
  const first = rounded(f64x2.add(i64x2.shuffle(red, green, 0, 2), i64x2.shuffle(red, green, 1, 3)));
  const last = rounded(f64x2.add(blue, i64x2.shuffle(blue, blue, 1, 0)));
  v128.store8_lane(to, first, 0);
  v128.store8_lane(to, first, 8, 1);
  v128.store8_lane(to, last, 0, 2);
}

// @ts-ignore: decorator
@inline
function lowReals(integers: v128): v128 {
  return f64x2.convert_low_i32x4_s(integers);
}

// @ts-ignore: decorator
@inline
function highReals(integers: v128): v128 {
  return f64x2.convert_low_i32x4_s(i32x4.shuffle(integers, integers, 2, 3, 2, 3));
}

/** As Math.round does it, half a unit up, for |x| < 2³¹: whole numbers in the low bits of each lane. 2⁵² + x has no room for fractions, and rounds
 *  to the nearest number, of two as near to the even one: where that was the lower of them, it is one too few. */
// @ts-ignore: decorator
@inline
function rounded(x: v128): v128 {
  const power = f64x2.splat(6755399441055744); // 2⁵² + 2⁵¹: room below for negative numbers
  const sum = f64x2.add(x, power);
  const tie = f64x2.eq(f64x2.sub(x, f64x2.sub(sum, power)), f64x2.splat(0.5));
  return i64x2.sub(sum, tie); // all bits are −1
}

/** Saturation, in whole numbers, a pixel in the lanes 0, 1 and 2. */
function saturate(pixels: usize, size: usize, saturation: f64): void {
  const factor = i32x4.splat(<i32>floor<f64>(saturation * 4096 + 0.5));
  const half = i32x4.splat(1 << 19);
  const end = pixels + size;
  for (let at = pixels; at < end; at += 3) {
    const red = <i32>load<u8>(at);
    const green = <i32>load<u8>(at, 1);
    const blue = <i32>load<u8>(at, 2);
    const grey = i32x4.splat(77 * red + 150 * green + 29 * blue);
    const colours = i32x4(red << 8, green << 8, blue << 8, 0);
    const values = i32x4.add(i32x4.mul(i32x4.sub(colours, grey), factor), i32x4.add(i32x4.shl(grey, 12), half));
    const bytes = i16x8.narrow_i32x4_s(i32x4.shr_s(values, 20), half);
    const clamped = i8x16.narrow_i16x8_u(bytes, bytes);
    v128.store8_lane(at, clamped, 0);
    v128.store8_lane(at, clamped, 1, 1);
    v128.store8_lane(at, clamped, 2, 2);
  }
}

/** Contrast and light: what a byte becomes depends on it and its channel alone, so that 768 are computed, and the rest is looked up. */
function recolour(pixels: usize, size: usize, transform: usize, table: usize): void {
  const mean = <f64>sumOfBytes(pixels, size) / <f64>size;
  for (let channel: usize = 0; channel < 3; channel++) {
    fillTable(table + 256 * channel, mean, load<f64>(transform, CONTRAST), load<f64>(transform + 8 * channel, ADDED));
  }
  const end = pixels + size;
  for (let at = pixels; at < end; at += 3) {
    store<u8>(at, load<u8>(table + <usize>load<u8>(at)));
    store<u8>(at, load<u8>(table + <usize>load<u8>(at, 1), 256), 1);
    store<u8>(at, load<u8>(table + <usize>load<u8>(at, 2), 512), 2);
  }
}

function sumOfBytes(bytes: usize, count: usize): i32 {
  let sums = i32x4.splat(0);
  const end = bytes + count;
  for (; bytes + 16 <= end; bytes += 16) {
    sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(v128.load(bytes))));
  }
  let sum =
    i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
  for (; bytes < end; bytes++) sum += load<u8>(bytes);
  return sum;
}

/** What each byte of a channel becomes. */
function fillTable(table: usize, mean: f64, contrast: f64, added: f64): void {
  const means = f64x2.splat(mean);
  for (let byte: i32 = 0; byte < 256; byte += 2) {
    const both = f64x2(<f64>byte, <f64>(byte + 1));
    const stretched = f64x2.add(means, f64x2.mul(f64x2.sub(both, means), f64x2.splat(contrast)));
    const whole = rounded(f64x2.add(stretched, f64x2.splat(added)));
    const words = i16x8.narrow_i32x4_s(i32x4.shuffle(whole, whole, 0, 2, 0, 2), whole);
    v128.store16_lane(table + <usize>byte, i8x16.narrow_i16x8_u(words, words), 0);
  }
}
