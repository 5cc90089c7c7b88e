import { Job } from './job';
import { lanes } from './tiles';

/** Work on long vectors, such as all parameters: numbers first … end − 1 of `job.out`. */

/** An optimizer's step, number by number (kernels.ts has the formulas). */
export function moveParameters(job: Job, first: i32, end: i32): void {
  const velocity = job.velocity;
  const squares = job.squares;
  const rate = v128.splat<real>(<real>job.scale);
  const keep1 = v128.splat<real>(<real>job.beta1);
  const take1 = v128.splat<real>(<real>(1 - job.beta1));
  const keep2 = v128.splat<real>(<real>job.beta2);
  const take2 = v128.splat<real>(<real>(1 - job.beta2));
  const correction1 = v128.splat<real>(<real>job.correction1);
  const correction2 = v128.splat<real>(<real>job.correction2);
  const inside = v128.splat<real>(<real>job.inside);
  const outside = v128.splat<real>(<real>job.outside);
  const whole = first + ((end - first) & -lanes());
  for (let at = <usize>first * sizeof<real>(); at < <usize>whole * sizeof<real>(); at += 16) {
    const g = v128.load(job.gradient + at);
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
    v128.store(job.gradient + at, direction);
    v128.store(job.out + at, v128.sub<real>(v128.load(job.out + at), v128.mul<real>(rate, direction)));
  }
  for (let k = whole; k < end; k++) moveOne(job, <usize>k * sizeof<real>());
}

/** The same for one number at the end. */
function moveOne(job: Job, at: usize): void {
  const g = load<real>(job.gradient + at);
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
  store<real>(job.gradient + at, direction);
  store<real>(job.out + at, load<real>(job.out + at) - <real>job.scale * direction);
}

/** out += scale · input */
export function addScaled(job: Job, first: i32, end: i32): void {
  const scale = v128.splat<real>(<real>job.scale);
  const whole = first + ((end - first) & -lanes());
  for (let at = <usize>first * sizeof<real>(); at < <usize>whole * sizeof<real>(); at += 16) {
    v128.store(job.out + at, v128.add<real>(v128.load(job.out + at), v128.mul<real>(scale, v128.load(job.input + at))));
  }
  for (let at = <usize>whole * sizeof<real>(); at < <usize>end * sizeof<real>(); at += sizeof<real>()) {
    store<real>(job.out + at, load<real>(job.out + at) + <real>job.scale * load<real>(job.input + at));
  }
}

/** Numbers whose squares are summed together, so that sums do not depend on who makes them. */
export const BLOCK: i32 = 4096;

/** out[b] = Σ x², over block b of the `count` numbers of the input, for blocks first … end − 1; sums are f64. */
export function squaredNorms(job: Job, first: i32, end: i32): void {
  for (let b = first; b < end; b++) {
    const from = b * BLOCK;
    const to = from + BLOCK < job.count ? from + BLOCK : job.count;
    let a = f64x2.splat(0);
    let c = a;
    let k = from;
    for (; k + 4 <= to; k += 4) {
      const at = job.input + <usize>k * sizeof<real>();
      const low = sizeof<real>() === 4 ? f64x2.promote_low_f32x4(v128.load64_zero(at)) : v128.load(at);
      const high = sizeof<real>() === 4 ? f64x2.promote_low_f32x4(v128.load64_zero(at, 8)) : v128.load(at, 16);
      a = f64x2.add(a, f64x2.mul(low, low));
      c = f64x2.add(c, f64x2.mul(high, high));
    }
    a = f64x2.add(a, c);
    let sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
    for (; k < to; k++) {
      const value = <f64>load<real>(job.input + <usize>k * sizeof<real>());
      sum += value * value;
    }
    store<f64>(job.out + <usize>b * 8, sum);
  }
}
