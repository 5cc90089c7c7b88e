import { exp, log1p, sigmoid, tanh } from './elementary';
import {
  ActivateCall,
  Activation,
  ActivationGradientCall,
  BatchNormBackwardCall,
  BatchNormCall,
  BatchNormInferenceCall,
  Loss,
  LossGradientCall,
  SumExamplesCall,
} from './generated/calls';

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

/** out[u] (+)= Σ_i values[i, u] over `count` examples, in f64 one after the other, for units first … end − 1. */
export function sumExamples(call: SumExamplesCall, first: i32, end: i32): void {
  const stride = <usize>call.units * sizeof<real>();
  for (let u = first; u < end; u++) {
    const to = call.out + <usize>u * sizeof<real>();
    let sum: f64 = call.accumulates === 0 ? 0 : <f64>load<real>(to);
    let at = call.values + <usize>u * sizeof<real>();
    for (let i = 0; i < call.count; i++, at += stride) sum += <f64>load<real>(at);
    store<real>(to, <real>sum);
  }
}

/** z ← γ z_norm + β for units first … end − 1 of `count` examples, with the mean and the variance of this batch, which are kept. Sums of
 *  batch norm run over the examples in order, in f64. */
export function batchNorm(call: BatchNormCall, first: i32, end: i32): void {
  const stride = <usize>call.units * sizeof<real>();
  const count = <f64>call.count;
  const bytes = <usize>call.count * stride;
  for (let u = first; u < end; u++) {
    const at = <usize>u * sizeof<real>();
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
    const inverse = 1 / sqrt<f64>(variance + call.epsilon);
    const gamma = <f64>load<real>(call.gamma + at);
    const beta = <f64>load<real>(call.beta + at);
    for (let i: usize = 0; i < bytes; i += stride) {
      const normalized = (<f64>load<real>(column + i) - mean) * inverse;
      store<real>(call.normalized + at + i, <real>normalized);
      store<real>(column + i, <real>(gamma * normalized + beta));
    }
  }
}

/** z ← γ (z − mean) / √(variance + ε) + β, with a mean and a variance that are given. */
export function batchNormInference(call: BatchNormInferenceCall, first: i32, end: i32): void {
  const stride = <usize>call.units * sizeof<real>();
  const bytes = <usize>call.count * stride;
  for (let u = first; u < end; u++) {
    const at = <usize>u * sizeof<real>();
    const factor = <f64>load<real>(call.gamma + at) / sqrt<f64>(<f64>load<real>(call.variance + at) + call.epsilon);
    const shift = <f64>load<real>(call.beta + at) - factor * <f64>load<real>(call.mean + at);
    const column = call.z + at;
    for (let i: usize = 0; i < bytes; i += stride) store<real>(column + i, <real>(factor * <f64>load<real>(column + i) + shift));
  }
}

/** dγ = Σ dz z_norm, dβ = Σ dz, and dz becomes the gradient before batch norm, through mean and variance too. */
export function batchNormBackward(call: BatchNormBackwardCall, first: i32, end: i32): void {
  const stride = <usize>call.units * sizeof<real>();
  const count = <f64>call.count;
  const bytes = <usize>call.count * stride;
  for (let u = first; u < end; u++) {
    const at = <usize>u * sizeof<real>();
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
    const factor = <f64>load<real>(call.gamma + at) / sqrt<f64>(<f64>load<real>(call.variance + at) + call.epsilon);
    for (let i: usize = 0; i < bytes; i += stride) {
      const n = <f64>load<real>(normalized + i);
      store<real>(column + i, <real>(factor * (<f64>load<real>(column + i) - sum / count - (n * product) / count)));
    }
  }
}
