import type { FloatBatch, Floats } from '../../kernels/kernels.ts';
import { type Init, initialize } from '../initializers.ts';
import { channelsFirst } from '../onnx-nodes.ts';
import { featuresOf, type Op, type Shape } from '../op.ts';
import { type Expected, expectedOf, type Inputs, norm, type Rounding, reference } from '../rounding.ts';

/** Z = W·A + b, with W (n_l, n_(l−1)): a fully connected layer without its activation.
 *  @param options.bias  false where an op above has a shift of its own */
export function linear(options: { layer: number; input: Shape; units: number; bias: boolean; init: Init }): Op {
  const { layer, input, units, bias, init } = options;
  const n = layer + 1;
  const features = featuresOf(input);
  const [W, b, Z] = [`W${n}`, `b${n}`, { id: `Z${n}`, name: `Z[${n}]` }];
  return {
    kind: 'linear',
    layer,
    input,
    output: { features: units },
    inPlace: false,
    drops: false,
    mixesExamples: false,
    tensors: [
      { name: W, shape: [units, features], decayed: true, trained: true },
      ...(bias ? [{ name: b, shape: [units, 1], decayed: false, trained: true } as const] : []),
    ],
    initialize: (tensors, random) => initialize(tensors[W]!, { nIn: features, nOut: units }, init, random),
    allocate: (kernels, capacity) => ({
      value: kernels.allocate(capacity * units),
      grad: kernels.allocate(capacity * units),
      kept: {},
    }),
    numbersPerExample: 2 * units,
    multiplications: units * features,

    forward({ kernels, tensors, slot, input }) {
      kernels.linear({ input, weights: tensors[W]!, bias: tensors[b] ?? null, units, out: slot.value });
    },

    // dW = dZ·Aᵀ, db = Σ dZ, dA = Wᵀ·dZ
    backward({ kernels, tensors, gradient, slot, input, count, below, wantsWeights, accumulate }) {
      const dZ = slot.grad;
      if (bias) kernels.sumExamples({ values: dZ, count, units, out: gradient[b]!, adds: accumulate });
      if (wantsWeights) kernels.linearGradWeights({ input, dZ, units, out: gradient[W]!, adds: accumulate });
      if (below) kernels.linearGradInput({ dZ, weights: tensors[W]!, units, features, count, out: below.grad });
    },

    auditForward({ rounding, tensors, slot, inputs, isHidden, compare }) {
      const expected = products(inputs, tensors[W]!, tensors[b] ?? null, units, rounding);
      if (!isHidden) compare('Z', slot.value, expected);
      return expected;
    },

    auditBackward({ rounding, tensors, slot, inputs, times, distinct, below }) {
      const dZ = slot.grad;
      return {
        grad: below && inputGradient(dZ, tensors[W]!, { units, features, count: distinct }, rounding),
        gradients: [
          ...(bias ? [{ name: b, pieces: () => [{ start: 0, ...sumOver(dZ, times, units, rounding) }] }] : []),
          { name: W, pieces: () => weightGradient(inputs, dZ, times, units, rounding) },
        ],
      };
    },

    onnx({ nodes, tensors, input: below }) {
      const isImage = 'channels' in input;
      const from = isImage ? nodes.node('Flatten', [below], { axis: 1 }) : below;
      const weights = isImage ? channelsFirst(tensors[W]!, input) : tensors[W]!;
      const constants = [
        nodes.constant(W, [units, features], weights),
        ...(bias ? [nodes.constant(b, [units], tensors[b]!)] : []),
      ];
      return nodes.node('Gemm', [from, ...constants], { transB: 1 });
    },

    letter: 'Z',
    gain: 1,
    description: null,
    drawing: {
      output: Z,
      forward(input, add) {
        add({ id: W, name: `W[${n}]`, kind: 'parameter', shape: [units, features], of: Z.id });
        if (bias) add({ id: b, name: `b[${n}]`, kind: 'parameter', shape: [units, 1], of: Z.id });
        const formula = `W[${n}]·${input.name}${bias ? ` + b[${n}]` : ''}`;
        add({ ...Z, shape: [units, 'm'], formula }, [input.id, W, ...(bias ? [b] : [])]);
      },
      backward(input, add, toInput, decay) {
        const dZ = `dZ[${n}]`;
        add(
          { id: W, name: `W[${n}]`, shape: [units, features], formula: `(1/m) ${dZ}·${input.name}ᵀ${decay(`W[${n}]`)}` },
          `dZ${n}`,
        );
        if (bias) add({ id: b, name: `b[${n}]`, shape: [units, 1], formula: `(1/m) Σ ${dZ}` }, `dZ${n}`);
        toInput(`W[${n}]ᵀ·${dZ}`, `dZ${n}`);
      },
      legend: [],
    },
  };
}

/** W·A + b, and how far rounding may carry kernels from it. */
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

/** Wᵀ·dZ */
export function inputGradient(
  dZ: Floats,
  weights: Floats,
  { units, features, count }: { units: number; features: number; count: number },
  { sum }: Rounding,
): Expected {
  const { values, bounds } = expectedOf(count * features);
  reference.linearGradInput({ dZ, weights, units, features, count, out: values });
  const columns = new Float64Array(features);
  for (let u = 0; u < units; u++) {
    for (let k = 0; k < features; k++) columns[k]! += weights[u * features + k]! * weights[u * features + k]!;
  }
  for (let d = 0; d < count; d++) {
    const size = sum(units) * norm(dZ.subarray(d * units, (d + 1) * units));
    for (let k = 0; k < features; k++) bounds[d * features + k] = size * Math.sqrt(columns[k]!);
  }
  return { values, bounds };
}

/** Σ dZ over the examples of a batch, in which each comes so many times. */
export function sumOver(dZ: Floats, times: Float64Array, units: number, { sum, floor }: Rounding): Expected {
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

/** dZ·Aᵀ, some rows at a time; of each, where it begins. */
export function* weightGradient(
  { rows, largest }: Inputs,
  dZ: Floats,
  times: Float64Array,
  units: number,
  { sum, floor }: Rounding,
): Generator<Expected & { start: number }> {
  const { count, features }: FloatBatch = rows;
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
