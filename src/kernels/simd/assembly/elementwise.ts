import { exp, log1p, sigmoid, tanh } from './elementary';
import { Job } from './job';

/** Work number by number on what layers put out: activations with their derivatives, and losses. */

/** The rules, in the order of the host's lists (elementwise.ts beside this folder). */
const SIGMOID: i32 = 0;
const TANH: i32 = 1;
const RELU: i32 = 2;
const LEAKY_RELU: i32 = 3;

const CROSS_ENTROPY: i32 = 0;

/** out = g(input), and times `weights`, dropout's mask, where there is one; numbers first … end − 1. `scale` is a slope. */
export function activate(job: Job, first: i32, end: i32): void {
  const rule = job.rule;
  if (rule <= TANH) activateOneByOne(job, first, end, rule);
  else activateVectors(job, first, end, rule);
  if (job.weights === 0) return;
  const last = <usize>end * sizeof<real>();
  let at = <usize>first * sizeof<real>();
  for (; at + 16 <= last; at += 16)
    v128.store(job.out + at, v128.mul<real>(v128.load(job.out + at), v128.load(job.weights + at)));
  for (; at < last; at += sizeof<real>()) store<real>(job.out + at, load<real>(job.out + at) * load<real>(job.weights + at));
}

function activateOneByOne(job: Job, first: i32, end: i32, rule: i32): void {
  for (let at = <usize>first * sizeof<real>(); at < <usize>end * sizeof<real>(); at += sizeof<real>()) {
    const z = <f64>load<real>(job.input + at);
    store<real>(job.out + at, <real>(rule === SIGMOID ? sigmoid(z) : tanh(z)));
  }
}

function activateVectors(job: Job, first: i32, end: i32, rule: i32): void {
  const slope = <real>job.scale;
  const slopes = v128.splat<real>(slope);
  const zero = v128.splat<real>(0);
  const last = <usize>end * sizeof<real>();
  let at = <usize>first * sizeof<real>();
  for (; at + 16 <= last; at += 16) {
    const z = v128.load(job.input + at);
    let a = z;
    if (rule === RELU) a = v128.and(z, v128.gt<real>(z, zero));
    else if (rule === LEAKY_RELU) a = v128.bitselect(z, v128.mul<real>(slopes, z), v128.gt<real>(z, zero));
    v128.store(job.out + at, a);
  }
  for (; at < last; at += sizeof<real>()) {
    const z = load<real>(job.input + at);
    let a = z;
    if (rule === RELU) a = z > 0 ? z : 0;
    else if (rule === LEAKY_RELU) a = z > 0 ? z : slope * z;
    store<real>(job.out + at, a);
  }
}

/** out ← out · mask · g′, with z in `input`, a in `gradient`, and dropout's mask in `weights`, if any: then a holds g(z) · mask, and
 *  `decay` is what brings g(z) back where a unit was kept. */
export function activationGradient(job: Job, first: i32, end: i32): void {
  const rule = job.rule;
  const mask = job.weights;
  const slope = <real>job.scale;
  const back: real = mask === 0 ? 1 : <real>job.decay;
  const last = <usize>end * sizeof<real>();
  let at = <usize>first * sizeof<real>();
  for (; at + 16 <= last; at += 16) {
    let d = v128.load(job.out + at);
    if (mask !== 0) d = kept(d, v128.load(mask + at));
    const z = v128.load(job.input + at);
    const a = v128.mul<real>(v128.load(job.gradient + at), v128.splat<real>(back));
    v128.store(job.out + at, timesDerivative(rule, d, z, a, slope));
  }
  for (; at < last; at += sizeof<real>()) {
    let d = v128.splat<real>(load<real>(job.out + at));
    if (mask !== 0) d = kept(d, v128.splat<real>(load<real>(mask + at)));
    const z = v128.splat<real>(load<real>(job.input + at));
    const a = v128.splat<real>(load<real>(job.gradient + at) * back);
    store<real>(job.out + at, v128.extract_lane<real>(timesDerivative(rule, d, z, a, slope), 0));
  }
}

/** d · mask, and 0 where the mask is. */
function kept(d: v128, mask: v128): v128 {
  return v128.and(v128.mul<real>(d, mask), v128.ne<real>(mask, v128.splat<real>(0)));
}

function timesDerivative(rule: i32, d: v128, z: v128, a: v128, slope: real): v128 {
  const zero = v128.splat<real>(0);
  const one = v128.splat<real>(1);
  if (rule === RELU) return v128.and(d, v128.gt<real>(z, zero));
  if (rule === LEAKY_RELU) return v128.bitselect(d, v128.mul<real>(d, v128.splat<real>(slope)), v128.gt<real>(z, zero));
  if (rule === SIGMOID) return v128.mul<real>(d, v128.mul<real>(a, v128.sub<real>(one, a)));
  // 1 − a², in a form that keeps its digits where a is near ±1
  if (rule === TANH) return v128.mul<real>(d, v128.mul<real>(v128.sub<real>(one, a), v128.add<real>(one, a)));
  return d;
}

/** dZ (`out`) = weight · L′(z, y) / `features` for examples first … end − 1 with z in `input` and labels in `indices`, a byte each; their
 *  sum of weight · L goes to `facts`, in f64. An example of class 0 weighs `beta1`, one of class 1 `beta2`. */
export function lossGradient(job: Job, first: i32, end: i32): void {
  const sum = lossOfExamples(job.rule, job.input, job.indices, job.out, first, end, job.beta1, job.beta2, <f64>job.features);
  store<f64>(job.facts, sum);
}

/** The same of given addresses, each that of example 0. @returns Σ weight · L */
export function lossOfExamples(
  rule: i32,
  z: usize,
  labels: usize,
  dZ: usize,
  first: i32,
  end: i32,
  weight0: f64,
  weight1: f64,
  m: f64,
): f64 {
  let sum: f64 = 0;
  for (let i = first; i < end; i++) {
    const at = <usize>i * sizeof<real>();
    const y = load<u8>(labels + <usize>i);
    const logit = <f64>load<real>(z + at);
    const weight = y === 0 ? weight0 : weight1;
    const e = exp(logit >= 0 ? -logit : logit); // of which both σ and softplus are made
    const p = logit >= 0 ? 1 / (1 + e) : e / (1 + e);
    sum += weight * lossOf(rule, logit, e, p, y);
    const slope = rule === CROSS_ENTROPY ? p - <f64>y : (p - <f64>y) * p * (1 - p);
    store<real>(dZ + at, <real>((weight * slope) / m));
  }
  return sum;
}

/** @param e, p  exp(−|z|) and σ(z) */
function lossOf(rule: i32, z: f64, e: f64, p: f64, y: u8): f64 {
  if (rule === CROSS_ENTROPY) {
    const against = y === 1 ? -z : z;
    return (against > 0 ? against : 0) + log1p(e);
  }
  const error = p - <f64>y;
  return (error * error) / 2;
}

/** out[u] (+)= Σ_i input[i, u] over `count` examples, in f64 one after the other, for units first … end − 1. */
export function sumExamples(job: Job, first: i32, end: i32): void {
  const stride = <usize>job.units * sizeof<real>();
  for (let u = first; u < end; u++) {
    const to = job.out + <usize>u * sizeof<real>();
    let sum: f64 = job.accumulate === 0 ? 0 : <f64>load<real>(to);
    let at = job.input + <usize>u * sizeof<real>();
    for (let i = 0; i < job.count; i++, at += stride) sum += <f64>load<real>(at);
    store<real>(to, <real>sum);
  }
}
