import type { Floats } from '../../kernels/kernels.ts';
import type { Random } from '../../random.ts';
import { type ActivationName, activations } from '../activations.ts';
import { featuresOf, type Op, type Shape, type Term } from '../op.ts';
import { reference } from '../rounding.ts';

/** A = g(Z), and inverted dropout behind it: the kernels do both in one pass.
 *  @param options.slope     of leakyRelu, for z < 0
 *  @param options.behind    of what it stands behind where that is no layer with weights, such as R[2]
 *  @param options.keepProb  the share of units that dropout keeps; 1 is none
 *  @see Srivastava et al. 2014 */
export function activation(options: {
  layer: number;
  input: Shape;
  activation: ActivationName;
  slope: number;
  keepProb: number;
  behind?: Term;
}): Op {
  const { layer, input, activation: name, slope, keepProb } = options;
  const n = layer + 1;
  const units = featuresOf(input);
  const rule = activations[name];
  const drops = keepProb < 1;
  const of = options.behind ?? { id: `${n}`, name: `${n}` };
  const A = { id: `A${of.id}`, name: `A[${of.name}]` };
  const dropped = { id: `Adrop${of.id}`, name: `Ã[${of.name}]` };
  return {
    kind: 'activation',
    layer,
    input,
    output: input,
    inPlace: false,
    drops,
    mixesExamples: false,
    tensors: [],
    initialize: () => {},
    allocate: (kernels, capacity, below) => ({
      value: kernels.allocate(capacity * units),
      grad: below!.grad,
      kept: drops ? { mask: kernels.allocate(capacity * units) } : {},
    }),
    numbersPerExample: units * (1 + Number(drops)),
    multiplications: 0,

    forward({ kernels, slot, below, count, mode }) {
      const length = count * units;
      const mask = (mode.kind === 'training' && slot.kept['mask']) || null;
      if (mask && mode.kind === 'training' && mode.masks) drawMask(mask, length, keepProb, mode.masks);
      kernels.activate({ rule, slope, z: below!.value, a: slot.value, mask, length });
    },

    fusedAs: name === 'relu' ? 'relu' : null,

    // dZ = dA ∘ mask ∘ g′(Z), in place
    backward({ kernels, slot, below, count, mode }) {
      const mask = (mode.kind === 'training' && slot.kept['mask']) || null;
      const kept = mask ? keepProb : 1;
      const length = count * units;
      kernels.activationGradient({ rule, slope, z: below!.value, a: slot.value, dZ: slot.grad, mask, keepProb: kept, length });
    },

    ...(rule.nonDifferentiableAtZero && {
      sides: (below, count) => Uint8Array.from(below.value.subarray(0, count * units), (z) => Number(z > 0)),
    }),

    auditForward({ rounding: { unit }, slot, below, distinct, compare }) {
      const mask = slot.kept['mask'] ?? null;
      const values = new Float64Array(distinct * units);
      reference.activate({ rule, slope, z: below!.value, a: values, mask, length: values.length });
      const bounds = values.map((value, at) => 64 * unit * Math.max(Math.abs(value), mask?.[at] ?? 1));
      compare('A', slot.value, { values, bounds });
      return { values, bounds };
    },

    auditBackward({ rounding: { unit, floor }, slot, below, after }) {
      const mask = slot.kept['mask'] ?? null;
      const steepest = Math.max(1, Math.abs(slope));
      const values = after!.values.slice();
      const bounds = after!.bounds.map(
        (bound, at) => steepest * (mask?.[at] ?? 1) * (bound + 64 * unit * Math.abs(values[at]!)) + floor,
      );
      const { length } = values;
      reference.activationGradient({ rule, slope, z: below!.value, a: slot.value, dZ: values, mask, keepProb, length });
      return { grad: { values, bounds }, gradients: [] };
    },

    onnx: ({ nodes, input: below }) => rule.onnx(nodes, below, slope),

    letter: 'A',
    gain: 1 / rule.derivative(0.1, rule.value(0.1, slope), slope),
    description: `${name}${drops ? `, keep ${keepProb}` : ''}`,
    drawing: {
      output: drops ? dropped : A,
      forward(input, add) {
        add({ ...A, shape: [units, 'm'], formula: `${name}(${input.name})` }, [input.id]);
        if (drops) add({ ...dropped, shape: [units, 'm'], formula: `${A.name} ∘ D[${n}] / ${keepProb}` }, [A.id]);
      },
      backward(input, add) {
        const shape = [units, 'm'] as const;
        if (drops) add({ ...A, shape, formula: `d${dropped.name} ∘ D[${n}] / ${keepProb}` }, `d${dropped.id}`);
        add({ ...input, shape, formula: `d${A.name} ∘ ${name}′(${input.name})` }, `d${A.id}`);
      },
      legend: [
        ...(name === 'leakyRelu'
          ? [
              {
                key: '1 slope',
                value: `${slope}`,
                text: (slopes: readonly string[]) => `leakyRelu: z where z > 0, else ${slopes.join(' or ')} z`,
              },
            ]
          : []),
        ...(drops
          ? [
              {
                key: '3 dropout',
                value: '',
                text: () =>
                  'D: 1 where dropout keeps a unit, else 0, drawn anew each step; all 1, and not divided by, outside training',
              },
            ]
          : []),
      ],
    },
  };
}

/** Each unit of each example is kept with probability keepProb and then divided by it, so that the expected activation stays and nothing
 *  needs doing at test time.
 *  @param mask  the first `length` entries become 1/keepProb or 0 */
function drawMask(mask: Floats, length: number, keepProb: number, random: Random): void {
  for (let i = 0; i < length; i++) mask[i] = random.uniform() < keepProb ? 1 / keepProb : 0;
}
