import type { Floats } from '../../kernels/kernels.ts';
import { featuresOf, type Op, type Shape, type Slot } from '../op.ts';
import { type Expected, expectedOf, put, type Rounding, reference } from '../rounding.ts';

/** Under the root, so that a feature that never varies divides by something. */
const epsilon = 1e-5;
/** How much of the old moving average is kept by a batch. */
export const batchNormMomentum = 0.9;

/** Z ← γ Z_norm + β, in place: mean and variance are those of the batch in training, and moving averages outside it, where an example gets
 *  the same whatever stands beside it.
 *  @see Ioffe & Szegedy 2015, algorithm 1 */
export function batchNorm({ layer, input }: { layer: number; input: Shape }): Op {
  const n = layer + 1;
  // one mean and variance a unit; of an image one a channel, over all its places
  const units = 'channels' in input ? input.channels : input.features;
  const places = featuresOf(input) / units;
  const [gamma, beta, movingMean, movingVariance] = [`gamma${n}`, `beta${n}`, `movingMean${n}`, `movingVariance${n}`];
  const tensor = (name: string, trained: boolean) => ({ name, shape: [units, 1] as const, decayed: false, trained });
  const Zhat = { id: `Zhat${n}`, name: `Ẑ[${n}]` };
  return {
    kind: 'batchNorm',
    layer,
    input,
    output: input,
    inPlace: true,
    drops: false,
    mixesExamples: true,
    tensors: [tensor(gamma, true), tensor(beta, true), tensor(movingMean, false), tensor(movingVariance, false)],
    initialize(tensors) {
      tensors[gamma]!.fill(1);
      tensors[movingVariance]!.fill(1);
    },
    allocate: (kernels, capacity, below) => ({
      value: below!.value,
      grad: below!.grad,
      kept: {
        mean: kernels.allocate(units),
        variance: kernels.allocate(units),
        normalized: kernels.allocate(capacity * places * units),
      },
    }),
    numbersPerExample: units * places,
    multiplications: 0,

    forward({ kernels, tensors, slot, count: examples, mode }) {
      const count = examples * places;
      const [z, g, b] = [slot.value, tensors[gamma]!, tensors[beta]!];
      if (mode.kind === 'training') {
        const { mean, variance, normalized } = statisticsOf(slot);
        kernels.batchNorm({ z, count, gamma: g, beta: b, mean, variance, normalized, epsilon });
      } else {
        const [mean, variance] = [tensors[movingMean]!, tensors[movingVariance]!];
        kernels.batchNormInference({ z, count, gamma: g, beta: b, mean, variance, epsilon });
      }
    },

    scaling(tensors) {
      const factor = Float64Array.from(tensors[gamma]!, (g, u) => g / Math.sqrt(tensors[movingVariance]![u]! + epsilon));
      return { factor, shift: factor.map((f, u) => tensors[beta]![u]! - f * tensors[movingMean]![u]!) };
    },

    backward({ kernels, tensors, gradient, slot, count: examples, mode }) {
      const count = examples * places;
      if (mode.kind === 'inference') {
        scaleByMovingAverages(slot.grad, count, tensors[gamma]!, tensors[movingVariance]!);
        return;
      }
      const { variance, normalized } = statisticsOf(slot);
      kernels.batchNormBackward({
        dZ: slot.grad,
        count,
        gamma: tensors[gamma]!,
        variance,
        normalized,
        epsilon,
        gammaGradient: gradient[gamma]!,
        betaGradient: gradient[beta]!,
      });
    },

    /** A batch of one example has no variance and moves nothing. */
    afterStep({ tensors, slot, count }) {
      if (count * places === 1) return;
      const { mean, variance } = statisticsOf(slot);
      for (const [average, own] of [
        [tensors[movingMean]!, mean],
        [tensors[movingVariance]!, variance],
      ] as const) {
        for (let u = 0; u < units; u++) average[u] = batchNormMomentum * average[u]! + (1 - batchNormMomentum) * own[u]!;
      }
    },

    auditForward({ rounding, tensors, slot, expected: before, batch, distinct, compare }) {
      const found = statisticsOf(slot);
      const made = normalized(before!, batch * places, units, rounding);
      compare('the mean of Z', found.mean, made.mean);
      compare('the variance of Z', found.variance, made.variance);
      compare('the normalized Z', found.normalized, made.normalized);
      const result = shifted(found.normalized, tensors[gamma]!, tensors[beta]!, distinct * places, rounding);
      compare('Z', slot.value, result);
      return result;
    },

    auditBackward({ rounding, tensors, slot, after, batch }) {
      const through = gradientThrough(after!, statisticsOf(slot), tensors[gamma]!, batch * places, rounding);
      const whole = (expected: Expected) => () => [{ start: 0, ...expected }];
      return {
        grad: through.dZ,
        gradients: [
          { name: gamma, pieces: whole(through.gamma) },
          { name: beta, pieces: whole(through.beta) },
        ],
      };
    },

    auditAfterStep({ rounding: { unit, floor }, before, tensors, slot, batch, compare }) {
      const { mean, variance } = statisticsOf(slot);
      const keep = batch * places === 1 ? 1 : batchNormMomentum;
      for (const [name, own] of [
        [movingMean, mean],
        [movingVariance, variance],
      ] as const) {
        const expected = expectedOf(units);
        for (const [u, old] of before[name]!.entries()) {
          const bound = 16 * unit * (Math.abs(old) + Math.abs(own[u]!)) + floor;
          put(expected, u, keep * old + (1 - keep) * own[u]!, bound);
        }
        compare(name, tensors[name]!, expected);
      }
    },

    onnx({ nodes, tensors, input: below }) {
      const constants = [gamma, beta, movingMean, movingVariance].map((name) => nodes.constant(name, [units], tensors[name]!));
      return nodes.node('BatchNormalization', [below, ...constants], { epsilon: { float: epsilon } });
    },

    letter: 'Z',
    gain: 1,
    description: 'batch norm',
    drawing: {
      output: Zhat,
      forward(input, add) {
        const shape = [units * places, 'm'] as const;
        add({ id: `N${n}`, name: `N[${n}]`, shape, formula: `(${input.name} − μ[${n}]) / σ[${n}]` }, [input.id]);
        add({ id: gamma, name: `γ[${n}]`, kind: 'parameter', shape: [units, 1], of: Zhat.id });
        add({ id: beta, name: `β[${n}]`, kind: 'parameter', shape: [units, 1], of: Zhat.id });
        add({ ...Zhat, shape, formula: `γ[${n}] ∘ N[${n}] + β[${n}]` }, [`N${n}`, gamma, beta]);
      },
      backward(input, add) {
        const [N, dN, dZhat] = [`N[${n}]`, `dN[${n}]`, `d${Zhat.name}`];
        const from = `d${Zhat.id}`;
        add({ id: gamma, name: `γ[${n}]`, shape: [units, 1], formula: `(1/m) Σ ${dZhat} ∘ ${N}` }, from);
        add({ id: beta, name: `β[${n}]`, shape: [units, 1], formula: `(1/m) Σ ${dZhat}` }, from);
        add({ id: `N${n}`, name: N, shape: [units * places, 'm'], formula: `γ[${n}] ∘ ${dZhat}` }, from);
        const formula = `(${dN} − mean ${dN} − ${N} ∘ mean(${dN} ∘ ${N})) / σ[${n}]`;
        add({ ...input, shape: [units * places, 'm'], formula }, `dN${n}`);
      },
      legend: [
        {
          key: '2 batch norm',
          value: '',
          text: () => 'μ, σ: mean and √(variance + ε) of each unit over the batch; outside training their moving averages',
        },
      ],
    },
  };
}

/** dZ ← γ / √(σ² + ε) ∘ dZ: the backward pass where mean and variance are given. Nobody trains so, and γ and β get no gradient. */
function scaleByMovingAverages(dZ: Floats, count: number, gamma: Floats, variance: Floats): void {
  const units = gamma.length;
  for (let u = 0; u < units; u++) {
    const factor = gamma[u]! / Math.sqrt(variance[u]! + epsilon);
    for (let i = u; i < count * units; i += units) dZ[i] = factor * dZ[i]!;
  }
}

/** What the backward pass of a batch needs of its forward pass: μ and σ² (n_l), and z_norm (n_l, m) example after example. */
type Statistics = Record<'mean' | 'variance' | 'normalized', Floats>;
const statisticsOf = ({ kept }: Slot) => kept as Statistics;

/** μ and σ² of Z, and (Z − μ) / √(σ² + ε), where each example comes equally often in a batch. */
function normalized(
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
    const root = Math.sqrt(spread + epsilon);
    put(mean, u, average, off);
    put(variance, u, spread, offSpread);
    for (const [d, value] of values.entries()) {
      const share = (value - average) / root;
      const bound = (2 * off) / root + (Math.abs(share) * offSpread) / (root * root) + 16 * unit * Math.abs(share);
      put(all, d * units + u, share, bound);
    }
  }
  return { mean, variance, normalized: all };
}

/** γ z_norm + β */
function shifted(norms: Floats, gamma: Floats, beta: Floats, count: number, { unit }: Rounding): Expected {
  const units = gamma.length;
  const result = expectedOf(count * units);
  for (let at = 0; at < count * units; at++) {
    const [part, other] = [gamma[at % units]! * norms[at]!, beta[at % units]!];
    put(result, at, part + other, 16 * unit * (Math.abs(part) + Math.abs(other)));
  }
  return result;
}

/** The gradient before batch norm, and those of γ and β. @param after  the one after it */
function gradientThrough(
  after: Expected,
  { variance, normalized: norms }: Statistics,
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
  reference.batchNormBackward({ dZ: dZ.values, count, gamma, variance, normalized: norms, epsilon, ...gradients });
  for (let u = 0; u < units; u++) {
    let [off, offProduct] = [0, 0];
    const offAt = (at: number) => after.bounds[at]! + sum(batch) * Math.abs(after.values[at]!);
    for (let at = u; at < count * units; at += units) {
      off += offAt(at);
      offProduct += offAt(at) * Math.abs(norms[at]!);
    }
    const factor = Math.abs(gamma[u]!) / Math.sqrt(variance[u]! + epsilon);
    for (let at = u; at < count * units; at += units) {
      dZ.bounds[at] = 2 * factor * (offAt(at) + off / count + (Math.abs(norms[at]!) * offProduct) / count) + floor;
    }
    put(dBeta, u, dBeta.values[u]! * times, off * times + floor);
    put(dGamma, u, dGamma.values[u]! * times, 2 * offProduct * times + floor);
  }
  return { dZ, gamma: dGamma, beta: dBeta };
}
