import { Job } from './job';

/** Work on long vectors, such as all parameters: numbers first … end − 1 of `job.out`. */

/** Bytes of a step's numbers, nine of them: whole cache lines, so that what lies behind them begins with one. */
export const NUMBERS: usize = 128;

/** Writes a step's numbers as reals. Loops load them from there: what V8 could compute from the job, it would compute anew in each turn. */
export function writeNumbers(job: Job, to: usize): void {
  store<real>(to, <real>job.rate);
  store<real>(to, <real>job.beta1, 8);
  store<real>(to, <real>(1 - job.beta1), 16);
  store<real>(to, <real>job.beta2, 24);
  store<real>(to, <real>(1 - job.beta2), 32);
  store<real>(to, <real>job.correction1, 40);
  store<real>(to, <real>job.correction2, 48);
  store<real>(to, <real>job.inside, 56);
  store<real>(to, <real>job.outside, 64);
}

/** An optimizer's step, number by number (kernels.ts has the formulas). */
export function moveParameters(job: Job, first: i32, end: i32, scratch: usize): void {
  writeNumbers(job, scratch);
  moveStretch(job, scratch, job.gradient + <usize>first * sizeof<real>(), first, end - first);
}

/** The same for `count` numbers from number `first` on, whose gradient lies at `gradient`: it becomes the direction.
 *  @param numbers  of writeNumbers */
export function moveStretch(job: Job, numbers: usize, gradient: usize, first: i32, count: i32): void {
  const from = <usize>first * sizeof<real>();
  const end = from + <usize>count * sizeof<real>();
  const whole = from + ((<usize>count * sizeof<real>()) & ~31);
  if (job.velocity === 0) {
    if (job.squares === 0) movePairs<void, void>(job, numbers, gradient, from, whole);
    else movePairs<void, real>(job, numbers, gradient, from, whole);
  } else if (job.squares === 0) movePairs<real, void>(job, numbers, gradient, from, whole);
  else movePairs<real, real>(job, numbers, gradient, from, whole);
  for (let at = whole; at < end; at += sizeof<real>()) moveOne(job, gradient + (at - from), at);
}

/** Pairs of vectors, for each kind of step a loop of its own that asks nothing (wide.ts).
 *  @typeParam Velocity, Squares  void where there are none */
function movePairs<Velocity, Squares>(job: Job, numbers: usize, gradient: usize, at: usize, end: usize): void {
  const rate = v128.load_splat<real>(numbers);
  const keep1 = v128.load_splat<real>(numbers, 8);
  const take1 = v128.load_splat<real>(numbers, 16);
  const keep2 = v128.load_splat<real>(numbers, 24);
  const take2 = v128.load_splat<real>(numbers, 32);
  const correction1 = v128.load_splat<real>(numbers, 40);
  const correction2 = v128.load_splat<real>(numbers, 48);
  const inside = v128.load_splat<real>(numbers, 56);
  const outside = v128.load_splat<real>(numbers, 64);
  const weights = job.out;
  const velocity = job.velocity;
  const squares = job.squares;
  for (; at < end; at += 32, gradient += 32) {
    const gl = v128.load(gradient);
    const gh = v128.load(gradient, 16);
    const wl = v128.load(weights + at);
    const wh = v128.load(weights + at, 16);
    let dl = gl;
    let dh = gh;
    if (!isVoid<Velocity>()) {
      dl = v128.add<real>(v128.mul<real>(keep1, v128.load(velocity + at)), v128.mul<real>(take1, gl));
      dh = v128.add<real>(v128.mul<real>(keep1, v128.load(velocity + at, 16)), v128.mul<real>(take1, gh));
      v128.store(velocity + at, dl);
      v128.store(velocity + at, dh, 16);
    }
    dl = v128.mul<real>(correction1, dl);
    dh = v128.mul<real>(correction1, dh);
    if (!isVoid<Squares>()) {
      const squareL = v128.mul<real>(take2, v128.mul<real>(gl, gl));
      const squareH = v128.mul<real>(take2, v128.mul<real>(gh, gh));
      const sl = v128.add<real>(v128.mul<real>(keep2, v128.load(squares + at)), squareL);
      const sh = v128.add<real>(v128.mul<real>(keep2, v128.load(squares + at, 16)), squareH);
      v128.store(squares + at, sl);
      v128.store(squares + at, sh, 16);
      const rootL = v128.sqrt<real>(v128.add<real>(v128.mul<real>(correction2, sl), inside));
      const rootH = v128.sqrt<real>(v128.add<real>(v128.mul<real>(correction2, sh), inside));
      dl = v128.div<real>(dl, v128.add<real>(rootL, outside));
      dh = v128.div<real>(dh, v128.add<real>(rootH, outside));
    }
    v128.store(gradient, dl);
    v128.store(gradient, dh, 16);
    v128.store(weights + at, v128.sub<real>(wl, v128.mul<real>(rate, dl)));
    v128.store(weights + at, v128.sub<real>(wh, v128.mul<real>(rate, dh)), 16);
  }
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
  for (; out + 32 <= end; out += 32, input += 32) {
    const low = v128.add<real>(v128.load(out), v128.mul<real>(scales, v128.load(input)));
    const high = v128.add<real>(v128.load(out, 16), v128.mul<real>(scales, v128.load(input, 16)));
    v128.store(out, low);
    v128.store(out, high, 16);
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
