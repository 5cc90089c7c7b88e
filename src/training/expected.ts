import type { FloatBatch, Floats } from '../kernels/kernels.ts';
import { referenceKernels } from '../kernels/reference.ts';
import { activations } from '../model/activations.ts';
import { type BatchStatistics, batchNormEpsilon } from '../model/batch-norm.ts';
import type { Layer } from '../model/network.ts';
import { type OptimizerName, type OptimizerOptions, optimizers } from '../optimize/optimizers.ts';

/** What the operations of a step should come to, by the reference in float64, and how far rounding may carry kernels from it. Rows are examples; all that
 *  an operation takes is what the kernels themselves had (check-step.ts). */

export interface Expected {
  values: Float64Array;
  /** of each value: how far off it may be */
  bounds: Float64Array;
}

/** How kernels round. */
export interface Rounding {
  /** of one number: 2⁻²⁴ in float32 */
  unit: number;
  /** of a sum of n products, as a share of the norms of what is multiplied: errors of n roundings add up like √n of them, and some are left over
   *  for sums whose terms are all of one sign */
  sum(n: number): number;
  /** below this a number has no digits left */
  floor: number;
}

export function roundingOf(unit: number, floor: number): Rounding {
  return { unit, sum: (n) => 8 * unit * (Math.sqrt(n) + 4), floor };
}

/** What a layer has below it. */
export interface Inputs {
  rows: FloatBatch;
  /** of each example: the norm of what it is made of, and the largest of it */
  norms: Float64Array;
  largest: Float64Array;
}

const reference = referenceKernels('float64');

/** @param parts  as long as `values`: what each is the sum of, signs taken away */
export function inputsOf(values: Floats, parts: Floats, count: number, features: number): Inputs {
  const row = (d: number) => parts.subarray(d * features, (d + 1) * features);
  const largest = Float64Array.from({ length: count }, (_, d) => largestOf(row(d)));
  const norms = Float64Array.from({ length: count }, (_, d) => norm(row(d)));
  return { rows: { kind: 'floats', values, count, features }, norms, largest };
}

/** Z = W·A + b */
export function products(
  { rows, norms }: Inputs,
  weights: Floats,
  bias: Floats | null,
  units: number,
  { sum, floor }: Rounding,
): Expected {
  const { count, features } = rows;
  const result = expectedOf(count * units);
  reference.linear({ input: rows, weights, bias, units, out: result.values });
  for (let u = 0; u < units; u++) {
    const size = norm(weights.subarray(u * features, (u + 1) * features));
    const least = sum(features) * Math.abs(bias?.[u] ?? 0) + floor;
    for (let d = 0; d < count; d++) result.bounds[d * units + u] = sum(features) * norms[d]! * size + least;
  }
  return result;
}

/** μ and σ² of Z, and (Z − μ) / √(σ² + ε), where each example comes equally often in a batch. */
export function normalized(
  z: Expected,
  batch: number,
  units: number,
  { unit, sum }: Rounding,
): Record<'mean' | 'variance' | 'normalized', Expected> {
  const count = z.values.length / units;
  const [mean, variance, all] = [expectedOf(units), expectedOf(units), expectedOf(z.values.length)];
  for (let u = 0; u < units; u++) {
    const own = (of: Float64Array) => Float64Array.from({ length: count }, (_, d) => of[d * units + u]!);
    const values = own(z.values);
    const average = values.reduce((total, value) => total + value, 0) / count;
    const spread = values.reduce((total, value) => total + (value - average) ** 2, 0) / count;
    const off = Math.max(...own(z.bounds)) + sum(batch) * Math.max(...values.map(Math.abs));
    const offSpread = 4 * off * (Math.sqrt(spread) + off) + sum(batch) * spread;
    const root = Math.sqrt(spread + batchNormEpsilon);
    put(mean, u, average, off);
    put(variance, u, spread, offSpread);
    for (const [d, value] of values.entries()) {
      const share = (value - average) / root;
      put(
        all,
        d * units + u,
        share,
        (2 * off) / root + (Math.abs(share) * offSpread) / (root * root) + 16 * unit * Math.abs(share),
      );
    }
  }
  return { mean, variance, normalized: all };
}

/** γ z_norm + β */
export function shifted(norms: Floats, gamma: Floats, beta: Floats, count: number, { unit }: Rounding): Expected {
  const units = gamma.length;
  const result = expectedOf(count * units);
  for (let at = 0; at < count * units; at++) {
    const [part, other] = [gamma[at % units]! * norms[at]!, beta[at % units]!];
    put(result, at, part + other, 16 * unit * (Math.abs(part) + Math.abs(other)));
  }
  return result;
}

/** g(Z) ∘ mask */
export function activated(
  { activation, slope }: Layer,
  z: Floats,
  mask: Floats | null,
  length: number,
  { unit }: Rounding,
): Expected {
  const values = new Float64Array(length);
  reference.activate({ rule: activations[activation], slope, z, a: values, mask, length });
  return { values, bounds: values.map((value, at) => 64 * unit * Math.max(Math.abs(value), mask?.[at] ?? 1)) };
}

/** dA = Wᵀ·dZ for the layer below, and from it dA ∘ mask ∘ g′(Z). */
export function gradientBelow(
  above: { dZ: Floats; weights: Floats; units: number },
  { layer, z, a, mask }: { layer: Layer; z: Floats; a: Floats; mask: Floats | null },
  count: number,
  { unit, sum, floor }: Rounding,
): Expected {
  const { units: features, activation, slope, keepProb } = layer;
  const { dZ, weights, units } = above;
  const { values, bounds } = expectedOf(count * features);
  reference.linearGradInput({ dZ, weights, units, features, count, out: values });
  const columns = new Float64Array(features);
  for (let u = 0; u < units; u++) {
    for (let k = 0; k < features; k++) columns[k]! += weights[u * features + k]! * weights[u * features + k]!;
  }
  const steepest = Math.max(1, Math.abs(slope));
  for (let d = 0; d < count; d++) {
    const size = sum(units) * norm(dZ.subarray(d * units, (d + 1) * units));
    for (let k = 0; k < features; k++) {
      const at = d * features + k;
      bounds[at] = steepest * (mask?.[at] ?? 1) * (size * Math.sqrt(columns[k]!) + 64 * unit * Math.abs(values[at]!)) + floor;
    }
  }
  reference.activationGradient({ rule: activations[activation], slope, z, a, dZ: values, mask, keepProb, length: values.length });
  return { values, bounds };
}

/** The gradient before batch norm, and those of γ and β. @param after  the one after it */
export function throughNorm(
  after: Expected,
  { variance, normalized: norms }: BatchStatistics,
  gamma: Floats,
  batch: number,
  { sum, floor }: Rounding,
): Record<'dZ' | 'gamma' | 'beta', Expected> {
  const units = gamma.length;
  const count = after.values.length / units;
  const times = batch / count;
  const [dZ, dGamma, dBeta] = [expectedOf(count * units), expectedOf(units), expectedOf(units)];
  dZ.values.set(after.values);
  const gradients = { gammaGradient: dGamma.values, betaGradient: dBeta.values };
  reference.batchNormBackward({
    dZ: dZ.values,
    count,
    gamma,
    variance,
    normalized: norms,
    epsilon: batchNormEpsilon,
    ...gradients,
  });
  for (let u = 0; u < units; u++) {
    let [off, offProduct] = [0, 0];
    const offAt = (at: number) => after.bounds[at]! + sum(batch) * Math.abs(after.values[at]!);
    for (let at = u; at < count * units; at += units) {
      off += offAt(at);
      offProduct += offAt(at) * Math.abs(norms[at]!);
    }
    const factor = Math.abs(gamma[u]!) / Math.sqrt(variance[u]! + batchNormEpsilon);
    for (let at = u; at < count * units; at += units) {
      dZ.bounds[at] = 2 * factor * (offAt(at) + off / count + (Math.abs(norms[at]!) * offProduct) / count) + floor;
    }
    put(dBeta, u, dBeta.values[u]! * times, off * times + floor);
    put(dGamma, u, dGamma.values[u]! * times, 2 * offProduct * times + floor);
  }
  return { dZ, gamma: dGamma, beta: dBeta };
}

/** Σ dZ over the examples of a batch, in which each comes so many times. */
export function sums(dZ: Floats, times: Float64Array, units: number, { sum, floor }: Rounding): Expected {
  const result = expectedOf(units);
  const share = sum(times.reduce((total, n) => total + n, 0));
  for (let at = 0; at < times.length * units; at++) {
    const term = times[Math.floor(at / units)]! * dZ[at]!;
    result.values[at % units]! += term;
    result.bounds[at % units]! += share * Math.abs(term);
  }
  for (let u = 0; u < units; u++) result.bounds[u]! += floor;
  return result;
}

/** Numbers that are made at once. */
const blockLength = 2 ** 14;

/** dW = dZ·Aᵀ, some rows at a time; of each, where it begins. */
export function* weightGradient(
  { rows, largest }: Inputs,
  dZ: Floats,
  times: Float64Array,
  units: number,
  { sum, floor }: Rounding,
): Generator<Expected & { start: number }> {
  const { count, features } = rows;
  const share = sum(times.reduce((total, n) => total + n, 0));
  const most = Math.max(1, Math.floor(blockLength / features));
  for (let first = 0; first < units; first += most) {
    const some = Math.min(most, units - first);
    const terms = new Float64Array(count * some);
    for (let d = 0; d < count; d++) {
      for (let u = 0; u < some; u++) terms[d * some + u] = times[d]! * dZ[d * units + first + u]!;
    }
    const { values, bounds } = expectedOf(some * features);
    reference.linearGradWeights({ input: rows, dZ: terms, units: some, out: values });
    for (let u = 0; u < some; u++) {
      let size = 0;
      for (let d = 0; d < count; d++) size += Math.abs(terms[d * some + u]!) * largest[d]!;
      bounds.fill(share * size + floor, u * features, (u + 1) * features);
    }
    yield { start: first * features, values, bounds };
  }
}

/** What an optimizer makes of a gradient: the direction of its step, and what it then remembers. An update rule need not be smooth (Adam's first step is
 *  but a sign), so it is tried at both ends of what the gradient may be. */
export function directions(
  { name, rule, t }: { name: OptimizerName; rule: OptimizerOptions; t: number },
  gradient: Expected,
  state: readonly Float64Array[],
  { unit, floor }: Rounding,
): { direction: Expected; state: Expected[] } {
  const { length } = gradient.values;
  const [middle, low, high] = [0, -1, 1].map((side) => {
    const own = { gradient: gradient.values.slice(), state: state.map((slot) => slot.slice()) };
    if (side !== 0) for (let i = 0; i < length; i++) own.gradient[i]! += side * gradient.bounds[i]!;
    optimizers[name].direct({ ...own, start: 0, end: length, t }, rule);
    return own;
  }) as [Ends, Ends, Ends];
  // the square of a smaller gradient has lost its digits, and with them its root
  const least = state.length > 0 ? 100 * Math.sqrt(floor) : 0;
  const direction = between(middle.gradient, low.gradient, high.gradient, floor);
  for (let i = 0; i < length; i++) {
    if (Math.abs(gradient.values[i]!) < least) direction.bounds[i] = Number.POSITIVE_INFINITY;
    else direction.bounds[i]! += 16 * unit * Math.abs(direction.values[i]!);
  }
  const slots = middle.state.map((slot, s) => {
    const expected = between(slot, low.state[s]!, high.state[s]!, floor);
    for (let i = 0; i < length; i++) expected.bounds[i]! += 16 * unit * (Math.abs(slot[i]!) + Math.abs(state[s]![i]!));
    return expected;
  });
  return { direction, state: slots };
}

interface Ends {
  gradient: Float64Array;
  state: Float64Array[];
}

function between(values: Float64Array, low: Float64Array, high: Float64Array, floor: number): Expected {
  const bounds = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    bounds[i] = 1.1 * Math.max(Math.abs(low[i]! - values[i]!), Math.abs(high[i]! - values[i]!)) + floor;
  }
  return { values, bounds };
}

export function expectedOf(length: number): Expected {
  return { values: new Float64Array(length), bounds: new Float64Array(length) };
}

function put(expected: Expected, at: number, value: number, bound: number): void {
  expected.values[at] = value;
  expected.bounds[at] = bound;
}

export function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}

export function largestOf(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

/** ‖a − b‖ */
export function distance(a: Floats, b: Floats): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) * (a[i]! - b[i]!);
  return Math.sqrt(sum);
}
