import { exp, log1p, sigmoid, tanh } from './elementary';
import {
  ActivateCall,
  Activation,
  ActivationGradientCall,
  BatchNormBackwardCall,
  BatchNormCall,
  BatchNormGradientsCall,
  BatchNormInferenceCall,
  BatchNormStatisticsCall,
  Loss,
  LossGradientCall,
  SumExamplesCall,
} from './generated/calls';
import { smaller } from './tiles';

/** Work number by number on what layers put out: activations with their derivatives, losses, batch norm. */

/** a = g(z), and times dropout's mask, where there is one; numbers first … end − 1. */
export function activate(call: ActivateCall, first: i32, end: i32): void {
  const rule = call.rule;
  if (rule === Activation.sigmoid || rule === Activation.tanh) activateOneByOne(call, first, end, rule);
  else activateVectors(call, first, end, rule);
  if (call.mask === 0) return;
  const last = <usize>end * sizeof<real>();
  let at = <usize>first * sizeof<real>();
  for (; at + 16 <= last; at += 16) v128.store(call.a + at, v128.mul<real>(v128.load(call.a + at), v128.load(call.mask + at)));
  for (; at < last; at += sizeof<real>()) store<real>(call.a + at, load<real>(call.a + at) * load<real>(call.mask + at));
}

function activateOneByOne(call: ActivateCall, first: i32, end: i32, rule: i32): void {
  for (let at = <usize>first * sizeof<real>(); at < <usize>end * sizeof<real>(); at += sizeof<real>()) {
    const z = <f64>load<real>(call.z + at);
    store<real>(call.a + at, <real>(rule === Activation.sigmoid ? sigmoid(z) : tanh(z)));
  }
}

function activateVectors(call: ActivateCall, first: i32, end: i32, rule: i32): void {
  const slope = <real>call.slope;
  const slopes = v128.splat<real>(slope);
  const zero = v128.splat<real>(0);
  const last = <usize>end * sizeof<real>();
  let at = <usize>first * sizeof<real>();
  for (; at + 16 <= last; at += 16) {
    const z = v128.load(call.z + at);
    let a = z;
    if (rule === Activation.relu) a = v128.and(z, v128.gt<real>(z, zero));
    else if (rule === Activation.leakyRelu) a = v128.bitselect(z, v128.mul<real>(slopes, z), v128.gt<real>(z, zero));
    v128.store(call.a + at, a);
  }
  for (; at < last; at += sizeof<real>()) {
    const z = load<real>(call.z + at);
    let a = z;
    if (rule === Activation.relu) a = z > 0 ? z : 0;
    else if (rule === Activation.leakyRelu) a = z > 0 ? z : slope * z;
    store<real>(call.a + at, a);
  }
}

/** dZ ← dZ · mask · g′. Where there is dropout's mask, a holds g(z) · mask, and `keepProb` is what brings g(z) back where a unit was kept. */
export function activationGradient(call: ActivationGradientCall, first: i32, end: i32): void {
  const rule = call.rule;
  const mask = call.mask;
  const slope = <real>call.slope;
  const back: real = mask === 0 ? 1 : <real>call.keepProb;
  const last = <usize>end * sizeof<real>();
  let at = <usize>first * sizeof<real>();
  // which asks for neither a nor mask: what it does not read, it does not wait for
  if (rule === Activation.relu && mask === 0) {
    const zero = v128.splat<real>(0);
    for (; at + 16 <= last; at += 16)
      v128.store(call.dZ + at, v128.and(v128.load(call.dZ + at), v128.gt<real>(v128.load(call.z + at), zero)));
  }
  for (; at + 16 <= last; at += 16) {
    let d = v128.load(call.dZ + at);
    if (mask !== 0) d = kept(d, v128.load(mask + at));
    const z = v128.load(call.z + at);
    const a = v128.mul<real>(v128.load(call.a + at), v128.splat<real>(back));
    v128.store(call.dZ + at, timesDerivative(rule, d, z, a, slope));
  }
  for (; at < last; at += sizeof<real>()) {
    let d = v128.splat<real>(load<real>(call.dZ + at));
    if (mask !== 0) d = kept(d, v128.splat<real>(load<real>(mask + at)));
    const z = v128.splat<real>(load<real>(call.z + at));
    const a = v128.splat<real>(load<real>(call.a + at) * back);
    store<real>(call.dZ + at, v128.extract_lane<real>(timesDerivative(rule, d, z, a, slope), 0));
  }
}

/** d · mask, and 0 where the mask is. */
function kept(d: v128, mask: v128): v128 {
  return v128.and(v128.mul<real>(d, mask), v128.ne<real>(mask, v128.splat<real>(0)));
}

function timesDerivative(rule: i32, d: v128, z: v128, a: v128, slope: real): v128 {
  const zero = v128.splat<real>(0);
  const one = v128.splat<real>(1);
  if (rule === Activation.relu) return v128.and(d, v128.gt<real>(z, zero));
  if (rule === Activation.leakyRelu) return v128.bitselect(d, v128.mul<real>(d, v128.splat<real>(slope)), v128.gt<real>(z, zero));
  if (rule === Activation.sigmoid) return v128.mul<real>(d, v128.mul<real>(a, v128.sub<real>(one, a)));
  // 1 − a², in a form that keeps its digits where a is near ±1
  if (rule === Activation.tanh) return v128.mul<real>(d, v128.mul<real>(v128.sub<real>(one, a), v128.add<real>(one, a)));
  return d;
}

/** dZ = weight · L′(z, y) / m for examples first … end − 1; their sum of weight · L goes to `cost`, in f64. */
export function lossGradient(call: LossGradientCall, first: i32, end: i32): void {
  store<f64>(call.cost, lossOfExamples(call, first, end));
}

/** The same for any call with the fields of a loss. @returns Σ weight · L */
export function lossOfExamples<Call>(call: Call, first: i32, end: i32): f64 {
  const rule = call.rule;
  let sum: f64 = 0;
  for (let i = first; i < end; i++) {
    const at = <usize>i * sizeof<real>();
    const y = load<u8>(call.labels + <usize>i);
    const logit = <f64>load<real>(call.z + at);
    const weight = y === 0 ? call.weight0 : call.weight1;
    const e = exp(logit >= 0 ? -logit : logit); // of which both σ and softplus are made
    const p = logit >= 0 ? 1 / (1 + e) : e / (1 + e);
    sum += weight * lossOf(rule, logit, e, p, y);
    const slope = rule === Loss.crossEntropy ? p - <f64>y : (p - <f64>y) * p * (1 - p);
    store<real>(call.dZ + at, <real>((weight * slope) / call.m));
  }
  return sum;
}

/** @param e, p  exp(−|z|) and σ(z) */
function lossOf(rule: i32, z: f64, e: f64, p: f64, y: u8): f64 {
  if (rule === Loss.crossEntropy) {
    const against = y === 1 ? -z : z;
    return (against > 0 ? against : 0) + log1p(e);
  }
  const error = p - <f64>y;
  return (error * error) / 2;
}

/** Units whose columns are gone through together, row after row: a row's cache lines are used as a whole. Each unit's sum still runs over the examples in order, in
 *  f64, so the bits do not depend on who stands beside it. What is kept of each lies in the scratch, as f64. */
const TOGETHER: i32 = 32;
/** Bytes of one number of each of them. */
const KEPT: usize = TOGETHER * 8;

/** Two reals as f64. */
function pairOf(at: usize): v128 {
  return sizeof<real>() === 4 ? f64x2.promote_low_f32x4(v128.load64_zero(at)) : v128.load(at);
}

function putPair(at: usize, pair: v128): void {
  if (sizeof<real>() === 4) v128.store64_lane(at, f32x4.demote_f64x2_zero(pair), 0);
  else v128.store(at, pair);
}

/** Bytes of `units` reals, and where the reals lie whose f64 lie at `kept`. */
function realBytes(units: i32): usize {
  return <usize>units * sizeof<real>();
}

function realAt(kept: usize): usize {
  return (kept >> 3) * sizeof<real>();
}

/** Rows that are gone through at once for each few units: they stay in the first-level cache, and the units' sums in registers. */
const ROWS_AT_ONCE: i32 = 32;
/** Bytes of the sums that are in registers together. */
const IN_REGISTERS: usize = 64;

/** sums[u] += Σ_i values[i, u] over `count` rows that are `stride` bytes apart; for `bytes` of sums, which are of even numbers of units. */
function addRows(sums: usize, values: usize, stride: usize, count: i32, bytes: usize): void {
  addTerms<void>(sums, sums, values, stride, count, bytes);
}

/** squares[u] += Σ_i (values[i, u] − means[u])², as `addRows` goes. */
function addSquares(squares: usize, means: usize, values: usize, stride: usize, count: i32, bytes: usize): void {
  addTerms<real>(squares, means, values, stride, count, bytes);
}

/** @typeParam Squares  void where values themselves are added, and `means` is not looked at */
function addTerms<Squares>(sums: usize, means: usize, values: usize, stride: usize, count: i32, bytes: usize): void {
  for (; count > 0; count -= ROWS_AT_ONCE, values += ROWS_AT_ONCE * stride) {
    const end = values + <usize>smaller(count, ROWS_AT_ONCE) * stride;
    let k: usize = 0;
    for (; k + IN_REGISTERS <= bytes; k += IN_REGISTERS) {
      let a = v128.load(sums + k);
      let b = v128.load(sums + k, 16);
      let c = v128.load(sums + k, 32);
      let d = v128.load(sums + k, 48);
      for (let row = values; row < end; row += stride) {
        const at = row + realAt(k);
        a = f64x2.add(a, termOf<Squares>(pairOf(at), means + k));
        b = f64x2.add(b, termOf<Squares>(pairOf(at + realBytes(2)), means + k + 16));
        c = f64x2.add(c, termOf<Squares>(pairOf(at + realBytes(4)), means + k + 32));
        d = f64x2.add(d, termOf<Squares>(pairOf(at + realBytes(6)), means + k + 48));
      }
      v128.store(sums + k, a);
      v128.store(sums + k, b, 16);
      v128.store(sums + k, c, 32);
      v128.store(sums + k, d, 48);
    }
    for (; k < bytes; k += 16) {
      let sum = v128.load(sums + k);
      for (let row = values; row < end; row += stride) sum = f64x2.add(sum, termOf<Squares>(pairOf(row + realAt(k)), means + k));
      v128.store(sums + k, sum);
    }
  }
}

function termOf<Squares>(value: v128, mean: usize): v128 {
  if (isVoid<Squares>()) return value;
  const off = f64x2.sub(value, v128.load(mean));
  return f64x2.mul(off, off);
}

/** sums[u] += Σ_i d[i, u] and products[u] += Σ_i d[i, u] · other[i, u], as `addRows` goes. */
function addProducts(sums: usize, products: usize, values: usize, other: usize, stride: usize, count: i32, bytes: usize): void {
  const apart = other - values;
  for (; count > 0; count -= ROWS_AT_ONCE, values += ROWS_AT_ONCE * stride) {
    const end = values + <usize>smaller(count, ROWS_AT_ONCE) * stride;
    let k: usize = 0;
    for (; k + IN_REGISTERS <= bytes; k += IN_REGISTERS) {
      let a = v128.load(sums + k);
      let b = v128.load(sums + k, 16);
      let c = v128.load(sums + k, 32);
      let d = v128.load(sums + k, 48);
      let p = v128.load(products + k);
      let q = v128.load(products + k, 16);
      let r = v128.load(products + k, 32);
      let s = v128.load(products + k, 48);
      for (let row = values; row < end; row += stride) {
        const at = row + realAt(k);
        let value = pairOf(at);
        a = f64x2.add(a, value);
        p = f64x2.add(p, f64x2.mul(value, pairOf(at + apart)));
        value = pairOf(at + realBytes(2));
        b = f64x2.add(b, value);
        q = f64x2.add(q, f64x2.mul(value, pairOf(at + apart + realBytes(2))));
        value = pairOf(at + realBytes(4));
        c = f64x2.add(c, value);
        r = f64x2.add(r, f64x2.mul(value, pairOf(at + apart + realBytes(4))));
        value = pairOf(at + realBytes(6));
        d = f64x2.add(d, value);
        s = f64x2.add(s, f64x2.mul(value, pairOf(at + apart + realBytes(6))));
      }
      v128.store(sums + k, a);
      v128.store(sums + k, b, 16);
      v128.store(sums + k, c, 32);
      v128.store(sums + k, d, 48);
      v128.store(products + k, p);
      v128.store(products + k, q, 16);
      v128.store(products + k, r, 32);
      v128.store(products + k, s, 48);
    }
    for (; k < bytes; k += 16) {
      let sum = v128.load(sums + k);
      let product = v128.load(products + k);
      for (let row = values; row < end; row += stride) {
        const value = pairOf(row + realAt(k));
        sum = f64x2.add(sum, value);
        product = f64x2.add(product, f64x2.mul(value, pairOf(row + apart + realAt(k))));
      }
      v128.store(sums + k, sum);
      v128.store(products + k, product);
    }
  }
}

/** out[u] (+)= Σ_i values[i, u] over `count` examples, in f64 one after the other, for units first … end − 1. */
export function sumExamples(call: SumExamplesCall, first: i32, end: i32, scratch: usize): void {
  const stride = realBytes(call.units);
  for (let u = first; u < end; u += TOGETHER) {
    const some = smaller(TOGETHER, end - u);
    const bytes = <usize>(some & ~1) * 8;
    const to = call.out + realBytes(u);
    const values = call.values + realBytes(u);
    for (let k: usize = 0; k < bytes; k += 16)
      v128.store(scratch + k, call.accumulates === 0 ? f64x2.splat(0) : pairOf(to + realAt(k)));
    addRows(scratch, values, stride, call.count, bytes);
    for (let k: usize = 0; k < bytes; k += 16) putPair(to + realAt(k), v128.load(scratch + k));
    if (some & 1) sumUnit(call, u + some - 1);
  }
}

function sumUnit(call: SumExamplesCall, u: i32): void {
  const stride = realBytes(call.units);
  const to = call.out + realBytes(u);
  let sum: f64 = call.accumulates === 0 ? 0 : <f64>load<real>(to);
  let at = call.values + realBytes(u);
  for (let i = 0; i < call.count; i++, at += stride) sum += <f64>load<real>(at);
  store<real>(to, <real>sum);
}

/** Mean and variance of units first … end − 1 over `count` examples, and what `batchNorm` wants of each: f64, in rows of as many as there are units: mean,
 *  1 / √(variance + ε), γ and β. Sums of batch norm run over the examples in order, in f64. */
export function batchNormStatistics(call: BatchNormStatisticsCall, first: i32, end: i32, scratch: usize): void {
  for (let u = first; u < end; u += TOGETHER) {
    const some = smaller(TOGETHER, end - u);
    statisticsTogether(call, u, <usize>(some & ~1) * 8, scratch);
    if (some & 1) statisticsOfUnit(call, u + some - 1);
  }
}

/** @param bytes  of one f64 of each of the units */
function statisticsTogether(call: BatchNormStatisticsCall, u: i32, bytes: usize, means: usize): void {
  const squares = means + KEPT;
  const row = <usize>call.units * 8;
  const to = call.kept + <usize>u * 8;
  const stride = realBytes(call.units);
  const from = realBytes(u);
  const count = f64x2.splat(<f64>call.count);
  for (let k: usize = 0; k < bytes; k += 16) {
    v128.store(means + k, f64x2.splat(0));
    v128.store(squares + k, f64x2.splat(0));
  }
  addRows(means, call.z + from, stride, call.count, bytes);
  for (let k: usize = 0; k < bytes; k += 16) v128.store(means + k, f64x2.div(v128.load(means + k), count));
  addSquares(squares, means, call.z + from, stride, call.count, bytes);
  for (let k: usize = 0; k < bytes; k += 16) {
    const mean = v128.load(means + k);
    const variance = f64x2.div(v128.load(squares + k), count);
    const at = from + realAt(k);
    putPair(call.mean + at, mean);
    putPair(call.variance + at, variance);
    const root = f64x2.sqrt(f64x2.add(variance, f64x2.splat(call.epsilon)));
    v128.store(to + k, mean);
    v128.store(to + row + k, f64x2.div(f64x2.splat(1), root));
    v128.store(to + 2 * row + k, pairOf(call.gamma + at));
    v128.store(to + 3 * row + k, pairOf(call.beta + at));
  }
}

function statisticsOfUnit(call: BatchNormStatisticsCall, u: i32): void {
  const stride = realBytes(call.units);
  const count = <f64>call.count;
  const bytes = <usize>call.count * stride;
  const at = realBytes(u);
  const column = call.z + at;
  let sum: f64 = 0;
  for (let i: usize = 0; i < bytes; i += stride) sum += <f64>load<real>(column + i);
  const mean = sum / count;
  let squares: f64 = 0;
  for (let i: usize = 0; i < bytes; i += stride) {
    const d = <f64>load<real>(column + i) - mean;
    squares += d * d;
  }
  const variance = squares / count;
  store<real>(call.mean + at, <real>mean);
  store<real>(call.variance + at, <real>variance);
  const row = <usize>call.units * 8;
  const to = call.kept + <usize>u * 8;
  store<f64>(to, mean);
  store<f64>(to + row, 1 / sqrt<f64>(variance + call.epsilon));
  store<f64>(to + 2 * row, <f64>load<real>(call.gamma + at));
  store<f64>(to + 3 * row, <f64>load<real>(call.beta + at));
}

/** z ← γ z_norm + β for examples first … end − 1. Threads share examples here, and units above: two that write to the lines of one row wait for each other. */
export function batchNorm(call: BatchNormCall, first: i32, end: i32): void {
  const stride = realBytes(call.units);
  const bytes = <usize>(call.units & ~1) * 8;
  const means = call.kept;
  const row = <usize>call.units * 8;
  const inverses = means + row;
  const gammas = inverses + row;
  const betas = gammas + row;
  const last = call.z + <usize>end * stride;
  let normalized = call.normalized + <usize>first * stride;
  for (let z = call.z + <usize>first * stride; z < last; z += stride, normalized += stride) {
    for (let k: usize = 0; k < bytes; k += 16) {
      const at = realAt(k);
      const value = f64x2.mul(f64x2.sub(pairOf(z + at), v128.load(means + k)), v128.load(inverses + k));
      putPair(normalized + at, value);
      putPair(z + at, f64x2.add(f64x2.mul(v128.load(gammas + k), value), v128.load(betas + k)));
    }
    if (bytes === row) continue;
    const at = realAt(bytes);
    const value = (<f64>load<real>(z + at) - load<f64>(means + bytes)) * load<f64>(inverses + bytes);
    store<real>(normalized + at, <real>value);
    store<real>(z + at, <real>(load<f64>(gammas + bytes) * value + load<f64>(betas + bytes)));
  }
}

/** z ← γ (z − mean) / √(variance + ε) + β, with a mean and a variance that are given. */
export function batchNormInference(call: BatchNormInferenceCall, first: i32, end: i32, scratch: usize): void {
  const stride = realBytes(call.units);
  const shifts = scratch + KEPT;
  for (let u = first; u < end; u += TOGETHER) {
    const some = smaller(TOGETHER, end - u);
    const bytes = <usize>(some & ~1) * 8;
    const from = realBytes(u);
    for (let k: usize = 0; k < bytes; k += 16) {
      const at = from + realAt(k);
      const root = f64x2.sqrt(f64x2.add(pairOf(call.variance + at), f64x2.splat(call.epsilon)));
      const factor = f64x2.div(pairOf(call.gamma + at), root);
      v128.store(scratch + k, factor);
      v128.store(shifts + k, f64x2.sub(pairOf(call.beta + at), f64x2.mul(factor, pairOf(call.mean + at))));
    }
    const last = call.z + from + <usize>call.count * stride;
    for (let row = call.z + from; row < last; row += stride) {
      for (let k: usize = 0; k < bytes; k += 16) {
        const at = row + realAt(k);
        putPair(at, f64x2.add(f64x2.mul(v128.load(scratch + k), pairOf(at)), v128.load(shifts + k)));
      }
    }
    if (some & 1) inferUnit(call, u + some - 1);
  }
}

function inferUnit(call: BatchNormInferenceCall, u: i32): void {
  const stride = realBytes(call.units);
  const bytes = <usize>call.count * stride;
  const at = realBytes(u);
  const factor = <f64>load<real>(call.gamma + at) / sqrt<f64>(<f64>load<real>(call.variance + at) + call.epsilon);
  const shift = <f64>load<real>(call.beta + at) - factor * <f64>load<real>(call.mean + at);
  const column = call.z + at;
  for (let i: usize = 0; i < bytes; i += stride) store<real>(column + i, <real>(factor * <f64>load<real>(column + i) + shift));
}

/** dγ = Σ dz z_norm and dβ = Σ dz for units first … end − 1, and what `batchNormBackward` wants of each: f64, in rows of as many as there are units: γ / √(variance + ε),
 *  Σ dz / count, and Σ dz z_norm, divided too where `count` is a power of two: then factors and products have the same digits, and one division a unit does for all of
 *  its numbers. */
export function batchNormGradients(call: BatchNormGradientsCall, first: i32, end: i32, scratch: usize): void {
  for (let u = first; u < end; u += TOGETHER) {
    const some = smaller(TOGETHER, end - u);
    gradientsTogether(call, u, <usize>(some & ~1) * 8, scratch);
    if (some & 1) gradientsOfUnit(call, u + some - 1);
  }
}

function isPowerOfTwo(count: i32): bool {
  return popcnt<i32>(count) === 1;
}

/** @param bytes  of one f64 of each of the units */
function gradientsTogether(call: BatchNormGradientsCall, u: i32, bytes: usize, sums: usize): void {
  const products = sums + KEPT;
  const row = <usize>call.units * 8;
  const to = call.kept + <usize>u * 8;
  const stride = realBytes(call.units);
  const from = realBytes(u);
  const count = f64x2.splat(<f64>call.count);
  for (let k: usize = 0; k < bytes; k += 16) {
    v128.store(sums + k, f64x2.splat(0));
    v128.store(products + k, f64x2.splat(0));
  }
  addProducts(sums, products, call.dZ + from, call.normalized + from, stride, call.count, bytes);
  for (let k: usize = 0; k < bytes; k += 16) {
    const at = from + realAt(k);
    const product = v128.load(products + k);
    putPair(call.betaGradient + at, v128.load(sums + k));
    putPair(call.gammaGradient + at, product);
    const root = f64x2.sqrt(f64x2.add(pairOf(call.variance + at), f64x2.splat(call.epsilon)));
    v128.store(to + k, f64x2.div(pairOf(call.gamma + at), root));
    v128.store(to + row + k, f64x2.div(v128.load(sums + k), count));
    v128.store(to + 2 * row + k, isPowerOfTwo(call.count) ? f64x2.div(product, count) : product);
  }
}

function gradientsOfUnit(call: BatchNormGradientsCall, u: i32): void {
  const stride = realBytes(call.units);
  const count = <f64>call.count;
  const bytes = <usize>call.count * stride;
  const at = realBytes(u);
  const column = call.dZ + at;
  const normalized = call.normalized + at;
  let sum: f64 = 0;
  let product: f64 = 0;
  for (let i: usize = 0; i < bytes; i += stride) {
    const d = <f64>load<real>(column + i);
    sum += d;
    product += d * <f64>load<real>(normalized + i);
  }
  store<real>(call.betaGradient + at, <real>sum);
  store<real>(call.gammaGradient + at, <real>product);
  const row = <usize>call.units * 8;
  const to = call.kept + <usize>u * 8;
  store<f64>(to, <f64>load<real>(call.gamma + at) / sqrt<f64>(<f64>load<real>(call.variance + at) + call.epsilon));
  store<f64>(to + row, sum / count);
  store<f64>(to + 2 * row, isPowerOfTwo(call.count) ? product / count : product);
}

/** dz becomes the gradient before batch norm, through mean and variance too, for examples first … end − 1. */
export function batchNormBackward(call: BatchNormBackwardCall, first: i32, end: i32): void {
  if (isPowerOfTwo(call.count)) gradientRows<void>(call, first, end);
  else gradientRows<real>(call, first, end);
}

/** @typeParam Divides  void where the products are divided already */
function gradientRows<Divides>(call: BatchNormBackwardCall, first: i32, end: i32): void {
  const stride = realBytes(call.units);
  const bytes = <usize>(call.units & ~1) * 8;
  const row = <usize>call.units * 8;
  const factors = call.kept;
  const means = factors + row;
  const products = means + row;
  const count = f64x2.splat(<f64>call.count);
  const last = call.dZ + <usize>end * stride;
  let normalized = call.normalized + <usize>first * stride;
  for (let dZ = call.dZ + <usize>first * stride; dZ < last; dZ += stride, normalized += stride) {
    for (let k: usize = 0; k < bytes; k += 16) {
      const at = realAt(k);
      let along = f64x2.mul(pairOf(normalized + at), v128.load(products + k));
      if (!isVoid<Divides>()) along = f64x2.div(along, count);
      const left = f64x2.sub(f64x2.sub(pairOf(dZ + at), v128.load(means + k)), along);
      putPair(dZ + at, f64x2.mul(v128.load(factors + k), left));
    }
    if (bytes === row) continue;
    const at = realAt(bytes);
    let along = <f64>load<real>(normalized + at) * load<f64>(products + bytes);
    if (!isVoid<Divides>()) along = along / <f64>call.count;
    store<real>(dZ + at, <real>(load<f64>(factors + bytes) * (<f64>load<real>(dZ + at) - load<f64>(means + bytes) - along)));
  }
}
