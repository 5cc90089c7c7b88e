import { lossOfExamples } from './elementwise';
import { LOGISTIC_COLUMNS, LogisticPassCall, LogisticPassSumCall, PASS_STATISTICS } from './generated/calls';
import { addRows, addTotals, EXACT_STEPS, factorOf, largestSize, splitAll, splitStatistics, sumFour } from './logistic';
import { smaller, WIDE_SUMS } from './tiles';

/**
 * Logistic regression forward and back in one: some pictures give their z and dZ, and go back while they are still in a cache, so that
 * memory is read once. The pictures are cut into parts whose number they alone say; each has sums of its own, which are then added in
 * the order of the parts. So the bits do not depend on who makes which part.
 */

/** Pictures that go forward and back together: with weights and sums they stay in the second-level cache. */
const GROUP: i32 = 32;
/** Pictures whose products with numbers of one unit fit sums of 32 bits. */
const EXACT_ROWS: i32 = 2 * EXACT_STEPS;
/** How many times smaller than its sums' unit allows for the numbers of a group may be: three of their 28 bits are lost then. */
const SLACK: f32 = 8;

/** Bytes of the statistics of a part. */
const STATISTICS: usize = PASS_STATISTICS * 8;

/** Behind the sums: addresses of rows that are read side by side, and split numbers of a group. */
export function logisticPassScratch(): usize {
  return <usize>LOGISTIC_COLUMNS * 8 + <usize>GROUP * 4 + max<usize>(<usize>GROUP * 4, WIDE_SUMS);
}

/** z and dZ of parts first … end − 1, of `partCount` pictures each, with Σ dZ · byte of part p in sums[p], in f64; and for each part, in f64,
 *  Σ weight · L and Σ dZ. */
export function logisticPass(call: LogisticPassCall, first: i32, end: i32, scratch: usize): void {
  for (; first < end; first++) passPart(call, first, scratch);
}

function passPart(call: LogisticPassCall, part: i32, scratch: usize): void {
  const features = call.features;
  const totals = call.sums + <usize>part * <usize>features * 8;
  const numbers = scratch + <usize>LOGISTIC_COLUMNS * 8 + <usize>GROUP * 4;
  const end = smaller(call.count, (part + 1) * call.partCount);
  const split = splitStatistics(call.weights, features);
  const unit = load<f64>(split) * call.scale;
  const shift = load<f64>(split, 16) + (call.bias === 0 ? 0 : <f64>load<f32>(call.bias));
  let cost: f64 = 0;
  let sum: f64 = 0;
  let factor: f32 = 0; // what turns dZ into whole numbers; 0 before the first
  let rows = 0; // that the sums hold
  let broken = false; // a dZ is not finite: neither is the gradient then
  let began = false; // whether totals hold anything yet
  memory.fill(scratch, 0, sumBytes(features));
  for (let i = part * call.partCount; i < end; i += GROUP) {
    const count = smaller(GROUP, end - i);
    const dZ = call.dZ + <usize>i * 4;
    for (let r = 0; r < count; r += 4) sumFour(call, i + r, smaller(4, count - r), unit, shift, call.z, numbers);
    cost += lossOfExamples(call, i, i + count);
    for (let r: usize = 0; r < <usize>count; r++) sum += <f64>load<f32>(dZ + r * 4);
    const largest = largestSize(dZ, count);
    if (!(largest < Infinity)) broken = true;
    if (broken || largest === 0) continue;
    const wanted = factorOf(largest);
    if (factor === 0 || wanted < factor || wanted > SLACK * factor || rows + count > EXACT_ROWS) {
      if (factor !== 0) {
        flush(scratch, totals, features, factor, began);
        began = true;
      }
      factor = wanted;
      rows = 0;
    }
    memory.fill(numbers, 0, <usize>GROUP * 4);
    splitAll(dZ, count, factor, numbers, GROUP * 2);
    addRows(call, i, count, 0, features, scratch, scratch + <usize>LOGISTIC_COLUMNS * 8, numbers, GROUP * 2);
    rows += count;
  }
  flush(scratch, totals, features, factor, began);
  if (broken) for (let k: usize = 0; k < <usize>features * 8; k += 8) store<f64>(totals + k, NaN);
  const statistics = call.statistics + <usize>part * STATISTICS;
  store<f64>(statistics, cost);
  store<f64>(statistics, sum, 8);
}

/** totals (+)= sums / factor, and the sums begin anew. Before anything has been added to them they are all 0. */
function flush(sums: usize, totals: usize, columns: i32, factor: f32, adds: bool): void {
  addTotals(sums, totals, columns, factor === 0 ? 0 : 1 / <f64>factor, adds);
  memory.fill(sums, 0, sumBytes(columns));
}

/** Bytes of the sums of some columns: 16 of them together (addRows). */
function sumBytes(columns: i32): usize {
  return <usize>((columns + 15) & ~15) * 8;
}

/** out[k] = scale · Σ_p of the parts' sums, for columns first … end − 1; where there are scales, scales[k] · Σ + shifts[k] · Σ dZ. */
export function logisticPassSum(call: LogisticPassSumCall, first: i32, end: i32): void {
  const stride = <usize>call.features * 8;
  let sum: f64 = 0;
  for (let p = 0; p < call.parts; p++) sum += load<f64>(call.statistics + <usize>p * STATISTICS, 8);
  let k = <usize>first;
  if (call.scales === 0) for (; k + 4 <= <usize>end; k += 4) sumFourColumns(call, k, stride);
  for (; k < <usize>end; k++) {
    let total: f64 = 0;
    let at = call.sums + k * 8;
    for (let p = 0; p < call.parts; p++, at += stride) total += load<f64>(at);
    if (call.scales === 0) total *= call.scale;
    else total = total * <f64>load<f32>(call.scales + k * 4) + sum * <f64>load<f32>(call.shifts + k * 4);
    store<f32>(call.out + k * 4, <f32>total);
  }
}

function sumFourColumns(call: LogisticPassSumCall, k: usize, stride: usize): void {
  let a = f64x2.splat(0);
  let b = a;
  let at = call.sums + k * 8;
  for (let p = 0; p < call.parts; p++, at += stride) {
    a = f64x2.add(a, v128.load(at));
    b = f64x2.add(b, v128.load(at, 16));
  }
  const scale = v128.load64_splat(changetype<usize>(call), offsetof<LogisticPassSumCall>('scale'));
  const to = call.out + k * 4;
  v128.store64_lane(to, f32x4.demote_f64x2_zero(f64x2.mul(a, scale)), 0);
  v128.store64_lane(to, f32x4.demote_f64x2_zero(f64x2.mul(b, scale)), 0, 8);
}
