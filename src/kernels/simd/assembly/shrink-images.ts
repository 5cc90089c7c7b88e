import { rowOf } from './dequantize';
import { ShrinkImagesCall } from './generated/calls';

/** The images of `shrinkImages` (image-shrink.ts in the folder above says what they are), first … end − 1: the same sums in the same order as the reference there, two at a time, and so the
 *  same bytes. Where a pixel's taps lie, 8 bytes each: the first pixel that it is made of, and the weights. */

/** The longest line of an image (`data.imageSize`). */
const LONGEST: usize = 1024;

/** Bytes of a thread's scratch: a line of sums, and a vector that may be written beyond it. */
export function shrinkScratch(): usize {
  return (3 * LONGEST + 8) * 8;
}

export function shrinkImages(call: ShrinkImagesCall, first: i32, end: i32, scratch: usize): void {
  const line = 3 * <usize>call.side;
  const size = 3 * <usize>(call.smaller * call.smaller);
  const step = (<usize>(call.taps + 1)) << 3;
  for (let i = first; i < end; i++) {
    const from = rowOf(call, i);
    let to = call.out + <usize>i * size;
    for (let y: usize = 0; y < <usize>call.smaller; y++, to += 3 * <usize>call.smaller) {
      const taps = call.numbers + y * step;
      addRows(from + <usize>load<f64>(taps) * line, line, taps + 8, call.taps, scratch);
      shrinkLine(scratch, to, call.smaller, call.numbers, call.taps, step);
    }
  }
}

/** out[k] = Σ_j weights[j] · rows[j, k] */
function addRows(rows: usize, line: usize, weights: usize, taps: i32, out: usize): void {
  const whole = line & ~3;
  for (let k: usize = 0; k < whole; k += 4) {
    let a = f64x2.splat(0);
    let b = a;
    let from = rows + k;
    for (let j: usize = 0; j < <usize>taps; j++, from += line) {
      const weight = v128.load64_splat(weights + (j << 3));
      const numbers = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from)));
      a = f64x2.add(a, f64x2.mul(weight, f64x2.convert_low_i32x4_s(numbers)));
      b = f64x2.add(b, f64x2.mul(weight, f64x2.convert_low_i32x4_s(i32x4.shuffle(numbers, numbers, 2, 3, 2, 3))));
    }
    v128.store(out + (k << 3), a);
    v128.store(out + (k << 3), b, 16);
  }
  for (let k = whole; k < line; k++) {
    let sum: f64 = 0;
    for (let j: usize = 0; j < <usize>taps; j++) sum += load<f64>(weights + (j << 3)) * <f64>load<u8>(rows + j * line + k);
    store<f64>(out + (k << 3), sum);
  }
}

/** A line of bytes from a line of sums: red and green side by side in a vector, blue beside what is not looked at. */
function shrinkLine(sums: usize, to: usize, smaller: i32, numbers: usize, taps: i32, step: usize): void {
  for (let x = 0; x < smaller; x++, to += 3, numbers += step) {
    let a = f64x2.splat(0);
    let b = a;
    let from = sums + <usize>load<f64>(numbers) * 24;
    for (let j: usize = 0; j < <usize>taps; j++, from += 24) {
      const weight = v128.load64_splat(numbers + 8 + (j << 3));
      a = f64x2.add(a, f64x2.mul(weight, v128.load(from)));
      b = f64x2.add(b, f64x2.mul(weight, v128.load(from, 16)));
    }
    const half = f64x2.splat(0.5);
    const low = i32x4.trunc_sat_f64x2_u_zero(f64x2.add(a, half));
    const high = i32x4.trunc_sat_f64x2_u_zero(f64x2.add(b, half));
    store<u8>(to, <u8>i32x4.extract_lane(low, 0));
    store<u8>(to, <u8>i32x4.extract_lane(low, 1), 1);
    store<u8>(to, <u8>i32x4.extract_lane(high, 0), 2);
  }
}
