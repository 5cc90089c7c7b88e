import { Job } from './job';

/** Work on long vectors, such as all parameters: numbers first … end − 1 of `job.out`. */

/** Bytes of a step's numbers, a vector each. */
export const NUMBERS: usize = 9 * 16;

/** Writes a step's numbers as vectors. Loops load them from there: what V8 could compute from the job, it would compute anew in each turn. */
export function writeNumbers(job: Job, to: usize): void {
  v128.store(to, v128.splat<real>(<real>job.rate));
  v128.store(to, v128.splat<real>(<real>job.beta1), 16);
  v128.store(to, v128.splat<real>(<real>(1 - job.beta1)), 32);
  v128.store(to, v128.splat<real>(<real>job.beta2), 48);
  v128.store(to, v128.splat<real>(<real>(1 - job.beta2)), 64);
  v128.store(to, v128.splat<real>(<real>job.correction1), 80);
  v128.store(to, v128.splat<real>(<real>job.correction2), 96);
  v128.store(to, v128.splat<real>(<real>job.inside), 112);
  v128.store(to, v128.splat<real>(<real>job.outside), 128);
}

/** An optimizer's step, number by number (kernels.ts has the formulas). */
export function moveParameters(job: Job, first: i32, end: i32, scratch: usize): void {
  writeNumbers(job, scratch);
  moveStretch(job, scratch, job.gradient + <usize>first * sizeof<real>(), first, end - first);
}

/** The same for `count` numbers from number `first` on, whose gradient lies at `gradient`: it becomes the direction.
 *  @param numbers  of writeNumbers */
export function moveStretch(job: Job, numbers: usize, gradient: usize, first: i32, count: i32): void {
  const rate = v128.load(numbers);
  const keep1 = v128.load(numbers, 16);
  const take1 = v128.load(numbers, 32);
  const keep2 = v128.load(numbers, 48);
  const take2 = v128.load(numbers, 64);
  const correction1 = v128.load(numbers, 80);
  const correction2 = v128.load(numbers, 96);
  const inside = v128.load(numbers, 112);
  const outside = v128.load(numbers, 128);
  const from = <usize>first * sizeof<real>();
  const end = from + <usize>count * sizeof<real>();
  const weights = job.out;
  const velocity = job.velocity;
  const squares = job.squares;
  let at = from;
  for (; at + 16 <= end; at += 16, gradient += 16) {
    const g = v128.load(gradient);
    let direction = g;
    if (velocity !== 0) {
      direction = v128.add<real>(v128.mul<real>(keep1, v128.load(velocity + at)), v128.mul<real>(take1, g));
      v128.store(velocity + at, direction);
    }
    direction = v128.mul<real>(correction1, direction);
    if (squares !== 0) {
      const square = v128.mul<real>(take2, v128.mul<real>(g, g));
      const s = v128.add<real>(v128.mul<real>(keep2, v128.load(squares + at)), square);
      v128.store(squares + at, s);
      const root = v128.sqrt<real>(v128.add<real>(v128.mul<real>(correction2, s), inside));
      direction = v128.div<real>(direction, v128.add<real>(root, outside));
    }
    v128.store(gradient, direction);
    v128.store(weights + at, v128.sub<real>(v128.load(weights + at), v128.mul<real>(rate, direction)));
  }
  for (; at < end; at += sizeof<real>(), gradient += sizeof<real>()) moveOne(job, gradient, at);
}

/** The same for one number at the end. */
function moveOne(job: Job, gradient: usize, at: usize): void {
  const g = load<real>(gradient);
  let direction = g;
  if (job.velocity !== 0) {
    direction = <real>job.beta1 * load<real>(job.velocity + at) + <real>(1 - job.beta1) * g;
    store<real>(job.velocity + at, direction);
  }
  direction = <real>job.correction1 * direction;
  if (job.squares !== 0) {
    const s = <real>job.beta2 * load<real>(job.squares + at) + <real>(1 - job.beta2) * (g * g);
    store<real>(job.squares + at, s);
    direction /= sqrt<real>(<real>job.correction2 * s + <real>job.inside) + <real>job.outside;
  }
  store<real>(gradient, direction);
  store<real>(job.out + at, load<real>(job.out + at) - <real>job.rate * direction);
}

/** out += scale · input */
export function addScaled(job: Job, first: i32, end: i32): void {
  const from = <usize>first * sizeof<real>();
  addStretch(job.input + from, <real>job.scale, job.out + from, end - first);
}

/** The same for `count` numbers at given addresses. */
export function addStretch(input: usize, scale: real, out: usize, count: i32): void {
  const scales = v128.splat<real>(scale);
  const end = out + <usize>count * sizeof<real>();
  for (; out + 16 <= end; out += 16, input += 16) {
    v128.store(out, v128.add<real>(v128.load(out), v128.mul<real>(scales, v128.load(input))));
  }
  for (; out < end; out += sizeof<real>(), input += sizeof<real>()) {
    store<real>(out, load<real>(out) + scale * load<real>(input));
  }
}

/** Numbers whose squares are summed together, so that sums do not depend on who makes them. */
export const BLOCK: i32 = 4096;

/** out[b] = Σ x², over block b of the `count` numbers of the input, for blocks first … end − 1; sums are f64. */
export function squaredNorms(job: Job, first: i32, end: i32): void {
  for (let b = first; b < end; b++) {
    const from = b * BLOCK;
    const count = min<i32>(BLOCK, job.count - from);
    store<f64>(job.out + ((<usize>b) << 3), squaresOf(job.input + <usize>from * sizeof<real>(), count));
  }
}

/** Σ x² of `count` numbers, in f64. */
export function squaresOf(x: usize, count: i32): f64 {
  let a = f64x2.splat(0);
  let c = a;
  const end = x + <usize>count * sizeof<real>();
  for (; x + 4 * sizeof<real>() <= end; x += 4 * sizeof<real>()) {
    const low = sizeof<real>() === 4 ? f64x2.promote_low_f32x4(v128.load64_zero(x)) : v128.load(x);
    const high = sizeof<real>() === 4 ? f64x2.promote_low_f32x4(v128.load64_zero(x, 8)) : v128.load(x, 16);
    a = f64x2.add(a, f64x2.mul(low, low));
    c = f64x2.add(c, f64x2.mul(high, high));
  }
  a = f64x2.add(a, c);
  let sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  for (; x < end; x += sizeof<real>()) sum += <f64>load<real>(x) * <f64>load<real>(x);
  return sum;
}

/** 0 where all of `count` numbers are finite, else not a number. */
export function zeroIfFinite(x: usize, count: i32): f64 {
  const none = v128.splat<real>(0);
  let zeros = none;
  let others = none; // two sums, since an addition waits for the one before it
  const end = x + <usize>count * sizeof<real>();
  for (; x + 32 <= end; x += 32) {
    zeros = v128.add<real>(zeros, v128.mul<real>(v128.load(x), none));
    others = v128.add<real>(others, v128.mul<real>(v128.load(x, 16), none));
  }
  zeros = v128.add<real>(zeros, others);
  let sum: real = 0;
  for (; x < end; x += sizeof<real>()) sum += load<real>(x) * 0;
  if (sizeof<real>() === 4) {
    zeros = f32x4.add(zeros, i32x4.shuffle(zeros, zeros, 2, 3, 0, 1));
    return <f64>(f32x4.extract_lane(zeros, 0) + f32x4.extract_lane(zeros, 1)) + <f64>sum;
  }
  return f64x2.extract_lane(zeros, 0) + f64x2.extract_lane(zeros, 1) + <f64>sum;
}
