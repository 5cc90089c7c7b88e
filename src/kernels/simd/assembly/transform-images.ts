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
    if (isFlip(transform)) flip(from, to, call.side, load<f64>(transform) < 0, load<f64>(transform, 24) < 0);
    else resample(from, to, call.side, transform);
    if (load<f64>(transform, SATURATION) !== 1) saturate(to, size, load<f64>(transform, SATURATION));
    if (isRecoloured(transform)) recolour(to, size, transform, scratch);
  }
}

/** Whether whole pixels move, if any do. */
function isFlip(at: usize): bool {
  const stretches = abs<f64>(load<f64>(at)) !== 1 || abs<f64>(load<f64>(at, 24)) !== 1;
  const turns = load<f64>(at, 8) !== 0 || load<f64>(at, 16) !== 0;
  return !stretches && !turns && load<f64>(at, RIGHT) === 0 && load<f64>(at, DOWN) === 0;
}

function flip(from: usize, to: usize, side: i32, mirrored: bool, upended: bool): void {
  const line = 3 * <usize>side;
  for (let row = 0; row < side; row++, to += line) {
    const source = from + <usize>(upended ? side - 1 - row : row) * line;
    if (mirrored) mirrorRow(source, to, line);
    else memory.copy(to, source, line);
  }
}

function mirrorRow(from: usize, to: usize, line: usize): void {
  for (let at: usize = 0; at < line; at += 3) {
    const source = from + line - 3 - at;
    store<u16>(to + at, load<u16>(source));
    store<u8>(to + at, load<u8>(source, 2), 2);
  }
}

function isRecoloured(at: usize): bool {
  const adds = load<f64>(at, ADDED) !== 0 || load<f64>(at, ADDED + 8) !== 0 || load<f64>(at, ADDED + 16) !== 0;
  return adds || load<f64>(at, CONTRAST) !== 1;
}

/** Where a pixel came from, u and v, is a vector of float64; its colours are one of float32, which mostly says what they round to. */
function resample(from: usize, to: usize, side: i32, transform: usize): void {
  const middle = <f64>(side - 1) / 2;
  const middles = f64x2.splat(middle);
  const ofColumn = v128.load(transform);
  const right = load<f64>(transform, RIGHT);
  const line = 3 * <usize>side;
  const last = to + line * <usize>side - 3;
  // eight bytes of either row can be read here, two pixels and two bytes more
  const columns: u32 = max<i32>(side - 1, 0);
  const rows: u32 = max<i32>(side - 2, 0);
  for (let row = 0; row < side; row++) {
    const y = <f64>row - middle - load<f64>(transform, DOWN);
    const ofRow = f64x2.mul(v128.load(transform, ROW_OF), f64x2.splat(y));
    for (let column = -middle; column <= middle; column++, to += 3) {
      const place = f64x2.add(f64x2.add(f64x2.mul(ofColumn, f64x2.splat(column - right)), ofRow), middles);
      const corner = f64x2.floor(place);
      const share = f64x2.sub(place, corner);
      const whole = f64x2.add(corner, f64x2.splat(WHOLE));
      const left = i32x4.extract_lane(whole, 0);
      const top = i32x4.extract_lane(whole, 2);
      let upper: v128;
      let lower: v128;
      if (<u32>left < columns && <u32>top < rows) {
        const at = from + <usize>top * line + 3 * <usize>left;
        upper = v128.load8x8_u(at);
        lower = v128.load8x8_u(at + line);
      } else {
        const x0 = 3 * reflect(left, side);
        const x1 = 3 * reflect(left + 1, side);
        upper = pixelPair(from + reflect(top, side) * line, x0, x1);
        lower = pixelPair(from + reflect(top + 1, side) * line, x0, x1);
      }
      const value = between(upper, lower, f32x4.demote_f64x2_zero(share));
      const sum = f32x4.add(value, f32x4.splat(WHOLE_SINGLE));
      const beyond = f32x4.abs(f32x4.sub(value, f32x4.sub(sum, f32x4.splat(WHOLE_SINGLE))));
      // the fourth byte is the next pixel's, who is yet to come
      if (v128.any_true(f32x4.gt(beyond, f32x4.splat(DOUBTFUL))) || to === last) storeExactly(to, upper, lower, share);
      else v128.store32_lane(to, i8x16.shuffle(sum, sum, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), 0);
    }
  }
}

/** Added to a number it leaves no room for fractions: the sum has the nearest whole number in its low bits, also a negative one. Of two as near
 *  it is the even one. */
const WHOLE: f64 = 6755399441055744; // 1.5 · 2⁵²
const WHOLE_SINGLE: f32 = 12582912; // 1.5 · 2²³

/** How far from a whole number a colour in float32 may be for its rounding to be certain. It is off by at most 12 · 2⁻¹⁷: a, b, 1 − a and 1 − b by
 *  2⁻²⁴, which makes 255 · 2⁻²⁴ of a product, and each product and sum, below 256, by 2⁻¹⁷ more. */
const DOUBTFUL: f32 = 0.5 - 1.0 / 4096;

/** (upper · (1 − a) + next · a) · (1 − b) + … of red, green and blue, in float32.
 *  @param upper  two pixels of three words each; and so `lower`
 *  @param share  a and b */
function between(upper: v128, lower: v128, share: v128): v128 {
  const rest = f32x4.sub(f32x4.splat(1), share);
  const a = i32x4.shuffle(share, share, 0, 0, 0, 0);
  const notA = i32x4.shuffle(rest, rest, 0, 0, 0, 0);
  const above = f32x4.add(f32x4.mul(singles(upper), notA), f32x4.mul(singles(rightPixel(upper)), a));
  const below = f32x4.add(f32x4.mul(singles(lower), notA), f32x4.mul(singles(rightPixel(lower)), a));
  const b = i32x4.shuffle(share, share, 1, 1, 1, 1);
  const notB = i32x4.shuffle(rest, rest, 1, 1, 1, 1);
  return f32x4.add(f32x4.mul(above, notB), f32x4.mul(below, b));
}

function rightPixel(words: v128): v128 {
  return i16x8.shuffle(words, words, 3, 4, 5, 6, 7, 8, 9, 10);
}

function singles(words: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(words));
}

/** … 1 0 0 1 2 … side−1 side−1 side−2 … */
function reflect(index: i32, side: i32): usize {
  const period = 2 * side;
  let within = index % period;
  if (within < 0) within += period;
  return <usize>(within < side ? within : period - 1 - within);
}

/** Two pixels of a row, one behind the other, a word for each byte. */
function pixelPair(row: usize, x0: usize, x1: usize): v128 {
  return i16x8.extend_low_i8x16_u(i64x2.splat(pixel(row + x0) | (pixel(row + x1) << 24)));
}

function pixel(at: usize): i64 {
  return <i64>load<u16>(at) | ((<i64>load<u8>(at, 2)) << 16);
}

/** The same in float64, and to the last bit what the reference computes; a vector holds the upper and the lower row. */
function storeExactly(to: usize, upper: v128, lower: v128, share: v128): void {
  const rest = f64x2.sub(f64x2.splat(1), share);
  // of the left pixel red, green, blue, then of the right one, each from both rows
  const words = i16x8.shuffle(upper, lower, 0, 8, 1, 9, 2, 10, 3, 11);
  const redGreen = i32x4.extend_low_i16x8_u(words);
  const blueRed = i32x4.extend_high_i16x8_u(words);
  const greenBlue = i32x4.extend_low_i16x8_u(i16x8.shuffle(upper, lower, 4, 12, 5, 13, 6, 14, 7, 15));
  const a = i64x2.shuffle(share, share, 0, 0);
  const notA = i64x2.shuffle(rest, rest, 0, 0);
  const down = i64x2.shuffle(rest, share, 1, 3);
  const red = f64x2.mul(f64x2.add(f64x2.mul(lowReals(redGreen), notA), f64x2.mul(highReals(blueRed), a)), down);
  const green = f64x2.mul(f64x2.add(f64x2.mul(highReals(redGreen), notA), f64x2.mul(lowReals(greenBlue), a)), down);
  const blue = f64x2.mul(f64x2.add(f64x2.mul(lowReals(blueRed), notA), f64x2.mul(highReals(greenBlue), a)), down);
  const first = rounded(f64x2.add(i64x2.shuffle(red, green, 0, 2), i64x2.shuffle(red, green, 1, 3)));
  const second = rounded(f64x2.add(blue, i64x2.shuffle(blue, blue, 1, 0)));
  v128.store8_lane(to, first, 0);
  v128.store8_lane(to, first, 8, 1);
  v128.store8_lane(to, second, 0, 2);
}

function lowReals(integers: v128): v128 {
  return f64x2.convert_low_i32x4_s(integers);
}

function highReals(integers: v128): v128 {
  return f64x2.convert_low_i32x4_s(i32x4.shuffle(integers, integers, 2, 3, 2, 3));
}

/** As Math.round does it, half a unit up, for |x| < 2³¹: whole numbers in the low bits of each lane. */
function rounded(x: v128): v128 {
  const sum = f64x2.add(x, f64x2.splat(WHOLE));
  // where the even number was the lower of two, it is one too few
  const tie = f64x2.eq(f64x2.sub(x, f64x2.sub(sum, f64x2.splat(WHOLE))), f64x2.splat(0.5));
  return i64x2.sub(sum, tie); // all bits are −1
}

/** Saturation, in whole numbers: four pixels at a time, and single ones at the end, where sixteen bytes can't be read. */
function saturate(pixels: usize, size: usize, saturation: f64): void {
  const factor = i32x4.splat(<i32>floor<f64>(saturation * 4096 + 0.5));
  const end = pixels + size;
  let at = pixels;
  for (; at + 16 <= end; at += 12) {
    const bytes = saturated(v128.load(at), factor);
    v128.store64_lane(at, bytes, 0);
    v128.store32_lane(at, bytes, 2, 8);
  }
  for (; at < end; at += 3) {
    const pixel = i32x4.splat(<i32>load<u16>(at) | ((<i32>load<u8>(at, 2)) << 16));
    const bytes = saturated(pixel, factor);
    v128.store16_lane(at, bytes, 0);
    v128.store8_lane(at, bytes, 2, 2);
  }
}

/** Four pixels, a byte each for red, green, blue, red …; what is in the last four bytes means nothing. */
function saturated(bytes: v128, factor: v128): v128 {
  const none = i32x4.splat(0);
  const half = i32x4.splat(1 << 19);
  const redGreen = i8x16.shuffle(bytes, none, 0, 16, 1, 16, 3, 16, 4, 16, 6, 16, 7, 16, 9, 16, 10, 16);
  // a byte in the second place of a lane counts 256 times
  const red = i8x16.shuffle(bytes, none, 16, 0, 16, 16, 16, 3, 16, 16, 16, 6, 16, 16, 16, 9, 16, 16);
  const green = i8x16.shuffle(bytes, none, 16, 1, 16, 16, 16, 4, 16, 16, 16, 7, 16, 16, 16, 10, 16, 16);
  const blue = i8x16.shuffle(bytes, none, 16, 2, 16, 16, 16, 5, 16, 16, 16, 8, 16, 16, 16, 11, 16, 16);
  const fromBlue = i32x4.dot_i16x8_s(i32x4.shr_u(blue, 8), i32x4.splat(29));
  const grey = i32x4.add(i32x4.dot_i16x8_s(redGreen, i32x4.splat((150 << 16) | 77)), fromBlue);
  const base = i32x4.add(i32x4.shl(grey, 12), half);
  const redByte = aboutGrey(red, grey, base, factor);
  const greenByte = aboutGrey(green, grey, base, factor);
  const blueByte = aboutGrey(blue, grey, base, factor);
  const both = i16x8.narrow_i32x4_s(redByte, greenByte);
  const planes = i8x16.narrow_i16x8_u(both, i16x8.narrow_i32x4_s(blueByte, blueByte));
  return i8x16.shuffle(planes, planes, 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, 12, 13, 14, 15);
}

function aboutGrey(colour: v128, grey: v128, base: v128, factor: v128): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.mul(i32x4.sub(colour, grey), factor), base), 20);
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
  let sum = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
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
