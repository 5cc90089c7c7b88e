import fc from 'fast-check';
import type { BackwardAndStep, Floats, InputScaling, Kernels, LossRule, Batch as Rows } from '../../src/kernels/kernels.ts';
import { type LossName, losses } from '../../src/nn/losses.ts';
import { numpyRandom, type Random } from '../../src/random.ts';

/** What kernels are tried on: products of any shape, steps of weights, and logistic regression forward and back. */

/** Counts on both sides of every tile, register shape and vector. */
const edge = (max: number) => fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max }));

export const shapes = fc.record({
  count: edge(140),
  units: edge(13),
  features: edge(150),
  seed: fc.nat(),
  input: fc.constantFrom('floats', 'scaled bytes', 'mapped bytes', 'picked bytes'),
  /** whether arrays lie in the kernels' memory or are copied in and out */
  pinned: fc.boolean(),
  bias: fc.boolean(),
  /** the share of dZ that is not 0 */
  density: fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
});
export type Shape = typeof shapes extends fc.Arbitrary<infer S> ? S : never;

export interface Operands {
  input: Rows;
  weights: Floats;
  bias: Floats | null;
  dZ: Floats;
}

export const products = [
  {
    name: 'linear',
    length: ({ count, units }: Shape) => count * units,
    run: (kernels: Kernels, operands: Operands, { units }: Shape, out: Floats) => kernels.linear({ ...operands, units, out }),
  },
  {
    name: 'linearGradWeights',
    length: ({ features, units }: Shape) => features * units,
    run: (kernels: Kernels, operands: Operands, { units }: Shape, out: Floats) =>
      kernels.linearGradWeights({ ...operands, units, out }),
  },
  {
    name: 'linearGradInput',
    length: ({ features, count }: Shape) => features * count,
    run: (kernels: Kernels, operands: Operands, { units, features, count }: Shape, out: Floats) =>
      kernels.linearGradInput({ ...operands, units, features, count, out }),
  },
];

/** Operands of a shape, from its seed; each number passes through `change`. */
export function draw(shape: Shape, memory: Kernels, change = (value: number) => value): Operands {
  const { count, units, features } = shape;
  const random = numpyRandom(shape.seed);
  const normals = (length: number) => memory.allocate(length).map(() => change(random.normal()));
  return {
    weights: place(normals(units * features), memory),
    bias: shape.bias ? place(normals(units), memory) : null,
    dZ: place(
      normals(count * units).map((value) => (random.uniform() < shape.density ? value : 0)),
      memory,
    ),
    input: drawInput(shape, memory, random, change),
  };
}

/** `map` of a typed array makes an ordinary one: back into the kernels' memory. */
function place(values: Floats, memory: Kernels): Floats {
  const placed = memory.allocate(values.length);
  placed.set(values);
  return placed;
}

function drawInput({ count, features, input }: Shape, memory: Kernels, random: Random, change: (value: number) => number): Rows {
  const normals = (length: number) => Float64Array.from({ length }, () => change(random.normal()));
  if (input === 'floats') {
    const values = memory.allocate(count * features);
    values.set(normals(values.length));
    return { kind: 'floats', values, count, features };
  }
  const rows = count + 3;
  const bytes = memory.pin(Uint8Array.from({ length: rows * features }, () => Math.floor(random.uniform() * 256)));
  const scaling =
    input === 'scaled bytes'
      ? { scale: new Float64Array(features).fill(1 / 255), shift: new Float64Array(features) }
      : { scale: normals(features), shift: normals(features) };
  const indices = input === 'picked bytes' ? Int32Array.from({ length: count }, () => Math.floor(random.uniform() * rows)) : null;
  return { kind: 'bytes', bytes, indices, count, features, scaling };
}

export function rowsOf(input: Rows, first: number, count: number): Rows {
  const { features } = input;
  if (input.kind === 'gram') return { ...input, count, gram: input.gram.subarray(first * features) };
  if (input.kind === 'floats') return { ...input, count, values: input.values.subarray(first * features) };
  if (input.indices !== null) return { ...input, count, indices: input.indices.subarray(first) };
  return { ...input, count, bytes: input.bytes.subarray(first * features) };
}

/** On both sides of every tile, register shape, block of columns (384) and of units (128). */
export const stepShapes = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 60, max: 140 })),
  units: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 126, max: 131 })),
  features: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 380, max: 800 })),
  seed: fc.nat(),
  /** the share of dZ that is not 0 */
  density: fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
  firstMoment: fc.boolean(),
  secondMoment: fc.boolean(),
  decay: fc.constantFrom(0, 0.01),
  scaled: fc.boolean(),
  picked: fc.boolean(),
  wantsNorms: fc.boolean(),
});
export type StepShape = typeof stepShapes extends fc.Arbitrary<infer S> ? S : never;

/** A step of a shape, from its seed. */
export function drawStep(shape: StepShape, memory: Kernels): BackwardAndStep {
  const { count, units, features, density } = shape;
  const random = numpyRandom(shape.seed);
  const drawn = (length: number, value: () => number) => {
    const values = memory.allocate(length);
    for (let i = 0; i < length; i++) values[i] = value();
    return values;
  };
  const rows = count + 3;
  const scaling = shape.scaled
    ? { scale: new Float64Array(features).fill(1 / 255), shift: new Float64Array(features) }
    : {
        scale: new Float64Array(features).map(() => random.normal()),
        shift: new Float64Array(features).map(() => random.normal()),
      };
  return {
    input: {
      kind: 'bytes',
      bytes: memory.pin(Uint8Array.from({ length: rows * features }, () => Math.floor(random.uniform() * 256))),
      indices: shape.picked ? Int32Array.from({ length: count }, () => Math.floor(random.uniform() * rows)) : null,
      count,
      features,
      scaling,
    },
    dZ: drawn(count * units, () => (random.uniform() < density ? random.normal() : 0)),
    units,
    weights: drawn(units * features, random.normal),
    firstMoment: shape.firstMoment ? drawn(units * features, random.normal) : null,
    secondMoment: shape.secondMoment ? drawn(units * features, () => random.normal() ** 2) : null,
    decay: shape.decay,
    wantsNorms: shape.wantsNorms,
    ...{
      learningRate: 0.01,
      beta1: 0.9,
      beta2: 0.999,
      biasCorrection1: 1.2,
      biasCorrection2: 1.7,
      epsilonInsideRoot: 1e-4,
      epsilon: 1e-8,
    },
  };
}

export const classWeights = [0.8, 1.3] as const;

export interface Batch {
  bytes: Uint8Array;
  labels: Uint8Array;
  indices: Int32Array | null;
  count: number;
  features: number;
  scaling: InputScaling;
  weights: Float32Array;
}

/** @param shuffled  whether examples are looked up among as many pictures again */
export function batchOf(count: number, features: number, { uniform = true, shuffled = false, size = 0.02 } = {}): Batch {
  const random = numpyRandom(3);
  const pictures = shuffled ? 2 * count : count;
  const numbers = (make: () => number) => Float64Array.from({ length: features }, make);
  return {
    bytes: Uint8Array.from({ length: pictures * features }, () => Math.floor(random.uniform() * 256)),
    labels: Uint8Array.from({ length: count }, () => Number(random.uniform() < 0.4)),
    indices: shuffled ? Int32Array.from({ length: count }, () => Math.floor(random.uniform() * pictures)) : null,
    count,
    features,
    scaling: uniform
      ? { scale: numbers(() => 1 / 255), shift: numbers(() => 0) }
      : { scale: numbers(() => random.uniform() / 100), shift: numbers(() => random.uniform() - 0.5) },
    weights: Float32Array.from({ length: features }, () => size * random.normal()),
  };
}

export const ruleOf = (loss: LossName | LossRule) => (typeof loss === 'string' ? losses[loss] : loss);

export function passOf(kernels: Kernels, { labels, weights, ...rows }: Batch, loss: LossName | LossRule, bias = 0.1) {
  const of = (length: number) => new Float32Array(length);
  const out = { z: of(rows.count), dZ: of(rows.count), dW: of(rows.features), db: of(1) };
  const rule = ruleOf(loss);
  const input = { kind: 'bytes', ...rows } as const;
  const m = rows.count;
  const cost = kernels.logisticPass!.run({ input, weights, bias: of(1).fill(bias), rule, labels, classWeights, m, ...out });
  return { cost, ...out };
}
