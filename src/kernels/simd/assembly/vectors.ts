import { AddScaledCall, NORM_BLOCK, OptimizerStepCall, SquaredNormsCall } from './generated/calls';

/** Work on long vectors, such as all parameters: numbers first … end − 1. */

/** Bytes of a step's coefficients, nine of them: whole cache lines, so that what lies behind them begins with one. */
export const COEFFICIENTS: usize = 128;

/** Writes a step's coefficients as reals. Loops load them from there: what V8 could compute from the call, it would compute anew in each turn. */
export function writeCoefficients<Call>(call: Call, to: usize): void {
  store<real>(to, <real>call.learningRate);
  store<real>(to, <real>call.beta1, 8);
  store<real>(to, <real>(1 - call.beta1), 16);
  store<real>(to, <real>call.beta2, 24);
  store<real>(to, <real>(1 - call.beta2), 32);
  store<real>(to, <real>call.biasCorrection1, 40);
  store<real>(to, <real>call.biasCorrection2, 48);
  store<real>(to, <real>call.epsilonInsideRoot, 56);
  store<real>(to, <real>call.epsilon, 64);
}

/** An optimizer's step, number by number (kernels.ts has the formulas). */
export function optimizerStep(call: OptimizerStepCall, first: i32, end: i32, scratch: usize): void {
  writeCoefficients(call, scratch);
  stepRange(call, scratch, call.gradient + <usize>first * sizeof<real>(), first, end - first);
}

/** The same for `count` numbers from number `first` on, whose gradient lies at `gradient`: it becomes the direction.
 *  @param coefficients  of writeCoefficients */
export function stepRange<Call>(call: Call, coefficients: usize, gradient: usize, first: i32, count: i32): void {
  const from = <usize>first * sizeof<real>();
  const end = from + <usize>count * sizeof<real>();
  const whole = from + ((<usize>count * sizeof<real>()) & ~31);
  const values = call.values;
  const moment1 = call.firstMoment;
  const moment2 = call.secondMoment;
  if (moment1 === 0) {
    if (moment2 === 0) stepPairs<void, void>(coefficients, values, moment1, moment2, gradient, from, whole);
    else stepPairs<void, real>(coefficients, values, moment1, moment2, gradient, from, whole);
  } else if (moment2 === 0) stepPairs<real, void>(coefficients, values, moment1, moment2, gradient, from, whole);
  else stepPairs<real, real>(coefficients, values, moment1, moment2, gradient, from, whole);
  for (let at = whole; at < end; at += sizeof<real>())
    stepOne(coefficients, values, moment1, moment2, gradient + (at - from), at);
}

/** Pairs of vectors, for each kind of step a loop of its own that asks nothing (`wide` in tiles.ts).
 *  @typeParam First, Second  void where there are no such moments */
function stepPairs<First, Second>(
  coefficients: usize,
  values: usize,
  firstMoment: usize,
  secondMoment: usize,
  gradient: usize,
  at: usize,
  end: usize,
): void {
  const learningRate = v128.load_splat<real>(coefficients);
  const keep1 = v128.load_splat<real>(coefficients, 8);
  const take1 = v128.load_splat<real>(coefficients, 16);
  const keep2 = v128.load_splat<real>(coefficients, 24);
  const take2 = v128.load_splat<real>(coefficients, 32);
  const biasCorrection1 = v128.load_splat<real>(coefficients, 40);
  const biasCorrection2 = v128.load_splat<real>(coefficients, 48);
  const epsilonInsideRoot = v128.load_splat<real>(coefficients, 56);
  const epsilon = v128.load_splat<real>(coefficients, 64);
  for (; at < end; at += 32, gradient += 32) {
    const gl = v128.load(gradient);
    const gh = v128.load(gradient, 16);
    const wl = v128.load(values + at);
    const wh = v128.load(values + at, 16);
    let dl = gl;
    let dh = gh;
    if (!isVoid<First>()) {
      dl = v128.add<real>(v128.mul<real>(keep1, v128.load(firstMoment + at)), v128.mul<real>(take1, gl));
      dh = v128.add<real>(v128.mul<real>(keep1, v128.load(firstMoment + at, 16)), v128.mul<real>(take1, gh));
      v128.store(firstMoment + at, dl);
      v128.store(firstMoment + at, dh, 16);
    }
    dl = v128.mul<real>(biasCorrection1, dl);
    dh = v128.mul<real>(biasCorrection1, dh);
    if (!isVoid<Second>()) {
      const squareL = v128.mul<real>(take2, v128.mul<real>(gl, gl));
      const squareH = v128.mul<real>(take2, v128.mul<real>(gh, gh));
      const sl = v128.add<real>(v128.mul<real>(keep2, v128.load(secondMoment + at)), squareL);
      const sh = v128.add<real>(v128.mul<real>(keep2, v128.load(secondMoment + at, 16)), squareH);
      v128.store(secondMoment + at, sl);
      v128.store(secondMoment + at, sh, 16);
      const rootL = v128.sqrt<real>(v128.add<real>(v128.mul<real>(biasCorrection2, sl), epsilonInsideRoot));
      const rootH = v128.sqrt<real>(v128.add<real>(v128.mul<real>(biasCorrection2, sh), epsilonInsideRoot));
      dl = v128.div<real>(dl, v128.add<real>(rootL, epsilon));
      dh = v128.div<real>(dh, v128.add<real>(rootH, epsilon));
    }
    v128.store(gradient, dl);
    v128.store(gradient, dh, 16);
    v128.store(values + at, v128.sub<real>(wl, v128.mul<real>(learningRate, dl)));
    v128.store(values + at, v128.sub<real>(wh, v128.mul<real>(learningRate, dh)), 16);
  }
}

/** The same for one number at the end. */
function stepOne(coefficients: usize, values: usize, firstMoment: usize, secondMoment: usize, gradient: usize, at: usize): void {
  const g = load<real>(gradient);
  let direction = g;
  if (firstMoment !== 0) {
    direction = load<real>(coefficients, 8) * load<real>(firstMoment + at) + load<real>(coefficients, 16) * g;
    store<real>(firstMoment + at, direction);
  }
  direction = load<real>(coefficients, 40) * direction;
  if (secondMoment !== 0) {
    const s = load<real>(coefficients, 24) * load<real>(secondMoment + at) + load<real>(coefficients, 32) * (g * g);
    store<real>(secondMoment + at, s);
    direction /= sqrt<real>(load<real>(coefficients, 48) * s + load<real>(coefficients, 56)) + load<real>(coefficients, 64);
  }
  store<real>(gradient, direction);
  store<real>(values + at, load<real>(values + at) - load<real>(coefficients) * direction);
}

/** out += factor · values */
export function addScaled(call: AddScaledCall, first: i32, end: i32): void {
  const from = <usize>first * sizeof<real>();
  addScaledRange(call.values + from, <real>call.factor, call.out + from, end - first);
}

/** The same for `count` numbers at given addresses. */
export function addScaledRange(input: usize, scale: real, out: usize, count: i32): void {
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

/** out[b] = Σ x², over block b of the `count` values, for blocks first … end − 1; sums are f64. */
export function squaredNorms(call: SquaredNormsCall, first: i32, end: i32): void {
  for (let b = first; b < end; b++) {
    const from = b * NORM_BLOCK;
    const count = min<i32>(NORM_BLOCK, call.count - from);
    store<f64>(call.out + ((<usize>b) << 3), squaresOf(call.values + <usize>from * sizeof<real>(), count));
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
