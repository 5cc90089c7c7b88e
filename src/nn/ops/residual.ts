import { featuresOf, type Op, type Shape, type Slot } from '../op.ts';
import { expectedOf } from '../rounding.ts';

/** A residual block adds what comes into it to what its layers make of that. Two ops do it: `fork` where the way parts, which hands the values on as they
 *  are, and `join` where they are added. On the way back the gradient of the sum goes both ways: `join` keeps it, and `fork` adds it to what
 *  came back through the layers.
 *  @see He et al. 2016; course, part 4, week 2 */

/** Numbers that `join` keeps for its fork. */
const passed = 'passed';

/** @param options.ahead  how many ops further on the join is */
export function fork({ layer, input, place, ahead }: { layer: number; input: Shape; place: string; ahead: number }): Op {
  const features = featuresOf(input);
  const A = { id: idOf('S', place), name: `S[${place}]` };
  return {
    ...plain,
    kind: 'fork',
    layer,
    input,
    output: input,
    inPlace: true,
    partner: ahead,
    allocate: (_, __, below) => ({ value: below!.value, grad: below!.grad, kept: {} }),
    numbersPerExample: 0,
    forward: () => {},

    backward({ kernels, slot, partner, count }) {
      const length = count * features;
      const values = partnerOf(partner).kept[passed]!.subarray(0, length);
      kernels.addScaled({ values, factor: 1, out: slot.grad.subarray(0, length) });
    },

    auditForward({ rounding: { unit }, slot, expected, distinct, compare }) {
      const values = Float64Array.from(slot.value.subarray(0, distinct * features));
      if (expected !== null) compare('S', slot.value, expected);
      return expected ?? { values, bounds: values.map((value) => unit * Math.abs(value)) };
    },

    auditBackward({ rounding: { unit, floor }, partner, after, distinct }) {
      const other = partnerOf(partner).kept[passed]!;
      const grad = expectedOf(distinct * features);
      for (const i of grad.values.keys()) {
        grad.values[i] = after!.values[i]! + other[i]!;
        grad.bounds[i] = after!.bounds[i]! + 4 * unit * (Math.abs(after!.values[i]!) + Math.abs(other[i]!)) + floor;
      }
      return { grad, gradients: [] };
    },

    onnx: ({ input: below }) => below,
    description: null,
    drawing: {
      output: A,
      forward: (from, add) => add({ ...A, shape: [features, 'm'], formula: from.name }, [from.id]),
      backward: (_, __, toInput) => toInput(`d${A.name} + dR[${place}]`, `d${A.id}`),
      legend: [],
    },
  };
}

/** @param options.back  how many ops before it the fork is */
export function join({ layer, input, place, back }: { layer: number; input: Shape; place: string; back: number }): Op {
  const features = featuresOf(input);
  const R = { id: idOf('R', place), name: `R[${place}]` };
  return {
    ...plain,
    kind: 'join',
    layer,
    input,
    output: input,
    inPlace: false,
    partner: -back,
    allocate: (kernels, capacity, below) => ({
      value: kernels.allocate(capacity * features),
      grad: below!.grad,
      kept: { [passed]: kernels.allocate(capacity * features) },
    }),
    numbersPerExample: 2 * features,

    forward({ kernels, slot, below, partner, count }) {
      const length = count * features;
      const out = slot.value.subarray(0, length);
      out.set(below!.value.subarray(0, length));
      kernels.addScaled({ values: partnerOf(partner).value.subarray(0, length), factor: 1, out });
    },

    backward({ slot, count }) {
      slot.kept[passed]!.set(slot.grad.subarray(0, count * features));
    },

    auditForward({ rounding: { unit }, slot, below, partner, distinct, isHidden, compare }) {
      const sum = expectedOf(distinct * features);
      for (const i of sum.values.keys()) {
        const [a, b] = [below!.value[i]!, partnerOf(partner).value[i]!];
        sum.values[i] = a + b;
        sum.bounds[i] = 4 * unit * (Math.abs(a) + Math.abs(b));
      }
      if (!isHidden) compare('R', slot.value, sum);
      return sum;
    },

    auditBackward({ rounding: { unit, floor }, slot, after, distinct, compare }) {
      const values = Float64Array.from(slot.kept[passed]!.subarray(0, distinct * features));
      if (after !== null) compare('dR', slot.kept[passed]!, after);
      return { grad: after ?? { values, bounds: values.map((value) => unit * Math.abs(value) + floor) }, gradients: [] };
    },

    onnx({ nodes, input: below, partner }) {
      if (partner === null) throw new Error('a residual block has lost its other end');
      return nodes.node('Add', [below, partner]);
    },

    description: 'residual',
    drawing: {
      output: R,
      forward: (from, add) =>
        add({ ...R, shape: [features, 'm'], formula: `${from.name} + S[${place}]` }, [from.id, idOf('S', place)]),
      backward: (_, __, toInput) => toInput(`dR[${place}]`, `d${R.id}`),
      legend: [
        { key: '0 residual', value: '', text: () => 'S: what comes into a residual block; R: what its layers make of it, and S' },
      ],
    },
  };
}

/** What ops without parameters have in common. */
const plain = {
  drops: false,
  mixesExamples: false,
  tensors: [],
  initialize: () => {},
  multiplications: 0,
  letter: 'A',
  gain: 1,
} as const;

/** A word of a letter and a place, such as S3_1. */
const idOf = (letter: string, place: string) => `${letter}${place.replaceAll('.', '_')}`;

function partnerOf(partner: Slot | null | undefined): Slot {
  if (!partner) throw new Error('a residual block has lost its other end');
  return partner;
}
