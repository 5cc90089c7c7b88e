import { lossOfExamples } from './elementwise';
import { Job } from './job';
import { addRows, addTotals, EXACT_STEPS, factorOf, largestSize, splitAll, splitFacts, sumFour, TILE } from './one-unit';
import { smaller } from './tiles';
import { WIDE_SUMS } from './wide';

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

/** What each part tells of itself: Σ weight · L and Σ dZ. */
const FACTS: usize = 16;

/** Behind the sums: addresses of rows that are read side by side, and split numbers of a group. */
export function passScratch(): usize {
  return <usize>TILE * 8 + <usize>GROUP * 4 + max<usize>(<usize>GROUP * 4, WIDE_SUMS);
}

/** Parts first … end − 1, of `units` pictures each: z to `velocity`, dZ to `gradient`, Σ dZ · byte of part p to out[p], in f64, and its facts
 *  to `facts`. Labels are in `squares`, their weights in `beta1` and `beta2`; `decay` is what to divide dZ by. */
export function passParts(job: Job, first: i32, end: i32, scratch: usize): void {
  for (; first < end; first++) passPart(job, first, scratch);
}

function passPart(job: Job, part: i32, scratch: usize): void {
  const features = job.features;
  const totals = job.out + <usize>part * <usize>features * 8;
  const numbers = scratch + <usize>TILE * 8 + <usize>GROUP * 4;
  const end = smaller(job.count, (part + 1) * job.units);
  const split = splitFacts(job.weights, features);
  const unit = load<f64>(split) * job.scale;
  const shift = load<f64>(split, 16) + (job.bias === 0 ? 0 : <f64>load<f32>(job.bias));
  let cost: f64 = 0;
  let sum: f64 = 0;
  let factor: f32 = 0; // what turns dZ into whole numbers; 0 before the first
  let rows = 0; // that the sums hold
  let broken = false; // a dZ is not finite: neither is the gradient then
  let began = false; // whether totals hold anything yet
  memory.fill(scratch, 0, sumBytes(features));
  for (let i = part * job.units; i < end; i += GROUP) {
    const count = smaller(GROUP, end - i);
    const dZ = job.gradient + <usize>i * 4;
    for (let r = 0; r < count; r += 4) sumFour(job, i + r, smaller(4, count - r), unit, shift, job.velocity, numbers);
    cost += lossOfExamples(job.rule, job.velocity, job.squares, dZ - <usize>i * 4, i, i + count, job.beta1, job.beta2, job.decay);
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
    addRows(job, i, count, 0, features, scratch, scratch + <usize>TILE * 8, numbers, GROUP * 2);
    rows += count;
  }
  flush(scratch, totals, features, factor, began);
  if (broken) for (let k: usize = 0; k < <usize>features * 8; k += 8) store<f64>(totals + k, NaN);
  const facts = job.facts + <usize>part * FACTS;
  store<f64>(facts, cost);
  store<f64>(facts, sum, 8);
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

/** out[k] = scale · Σ_p of `units` parts, for columns first … end − 1; where there is a map, multiply[k] · Σ + add[k] · Σ dZ. */
export function sumParts(job: Job, first: i32, end: i32): void {
  const stride = <usize>job.features * 8;
  let sum: f64 = 0;
  for (let p = 0; p < job.units; p++) sum += load<f64>(job.facts + <usize>p * FACTS, 8);
  let k = <usize>first;
  if (job.multiply === 0) for (; k + 4 <= <usize>end; k += 4) sumFourColumns(job, k, stride);
  for (; k < <usize>end; k++) {
    let total: f64 = 0;
    let at = job.input + k * 8;
    for (let p = 0; p < job.units; p++, at += stride) total += load<f64>(at);
    if (job.multiply === 0) total *= job.scale;
    else total = total * <f64>load<f32>(job.multiply + k * 4) + sum * <f64>load<f32>(job.add + k * 4);
    store<f32>(job.out + k * 4, <f32>total);
  }
}

function sumFourColumns(job: Job, k: usize, stride: usize): void {
  let a = f64x2.splat(0);
  let b = a;
  let at = job.input + k * 8;
  for (let p = 0; p < job.units; p++, at += stride) {
    a = f64x2.add(a, v128.load(at));
    b = f64x2.add(b, v128.load(at, 16));
  }
  const scale = v128.load64_splat(changetype<usize>(job), offsetof<Job>('scale'));
  const to = job.out + k * 4;
  v128.store64_lane(to, f32x4.demote_f64x2_zero(f64x2.mul(a, scale)), 0);
  v128.store64_lane(to, f32x4.demote_f64x2_zero(f64x2.mul(b, scale)), 0, 8);
}
