import type { Classifier } from '../../classifier/classifier.ts';
import { channels } from '../../data/image.ts';
import { UserError } from '../../errors.ts';
import type { Floats, InputScaling } from '../../kernels/kernels.ts';
import { opsOf } from '../../nn/build.ts';
import { channelsFirst, type OnnxAttribute, type OnnxNodes } from '../../nn/onnx-nodes.ts';
import type { Message } from './messages.ts';

/** Numbers of the format: of types of elements, and of kinds of attributes. */
const elements = { float: 1, uint8: 2, int64: 7 } as const;
const attributes = { float: 1, integer: 2, integers: 7 } as const;

/** What goes in and comes out, by name. */
export const names = { images: 'images', p: 'p', logit: 'logit' } as const;

/** The graph of a classifier: images (n, side, side, 3) of bytes in RGB → p (n) and logit (n), which are those of `logits`.
 *  @throws UserError (usage) where a number is more than float32 holds */
export function graphOf(classifier: Classifier): Message<'graph'> {
  const { network, parameters, preprocessing, scaling, averageMirrored, temperature } = classifier;
  const side = preprocessing.imageSize;
  const builder = graphBuilder();
  const { nodes } = builder;
  const images = averageMirrored ? withMirrored(builder, side) : names.images;
  const inputs = normalized(builder, images, scaling, side);

  const ops = opsOf(network);
  const given: string[] = [];
  for (const [k, op] of ops.entries()) {
    builder.begin(op.drawing.output.id);
    const partner = op.partner === undefined ? null : (given[k + op.partner] ?? null);
    given.push(op.onnx({ nodes, tensors: parameters.tensors, input: given.at(-1) ?? inputs, partner }));
  }

  const own = averageMirrored ? meanOfMirrored(builder, given.at(-1)!) : given.at(-1)!;
  const last = temperature === undefined ? own : divided(builder, own, temperature);
  builder.begin(names.logit);
  const logit = nodes.node('Reshape', [last, builder.integers([-1])]);
  builder.begin(names.p);
  nodes.node('Sigmoid', [logit]);
  return {
    name: 'classifier',
    node: builder.made,
    initializer: builder.constants,
    input: [value(names.images, elements.uint8, ['n', side, side, channels])],
    output: [value(names.p, elements.float, ['n']), value(names.logit, elements.float, ['n'])],
  };
}

type Builder = ReturnType<typeof graphBuilder>;

/** Gathers nodes and numbers. Nodes are named after the op that they are part of: Z1, Z1_2 … */
function graphBuilder() {
  const made: Message<'node'>[] = [];
  const constants: Message<'tensor'>[] = [];
  let prefix = '';
  let count = 0;
  const integerNames = new Map<string, string>();
  const nodes: OnnxNodes = {
    node(opType, input, given = {}) {
      const name = ++count === 1 ? prefix : `${prefix}_${count}`;
      const attribute = Object.entries(given).map(([key, one]) => attributeOf(key, one));
      made.push({ input, output: name, name, opType, attribute });
      return name;
    },
    constant(name, dims, values) {
      constants.push({ dims, dataType: elements.float, name, rawData: bytesOf(singles(name, values)) });
      return name;
    },
  };
  return {
    made,
    constants,
    nodes,
    begin(name: string) {
      [prefix, count] = [name, 0];
    },
    /** Whole numbers, each list of them once. @returns their name */
    integers(values: readonly number[]): string {
      const name = `[${values.join(', ')}]`;
      if (!integerNames.has(name)) {
        const rawData = bytesOf(BigInt64Array.from(values, BigInt));
        constants.push({ dims: [values.length], dataType: elements.int64, name, rawData });
        integerNames.set(name, name);
      }
      return name;
    },
  };
}

/** images and behind them their mirror images: (2n, side, side, 3). */
function withMirrored({ nodes, integers, begin }: Builder, side: number): string {
  begin('mirrored');
  const columns = integers(Array.from({ length: side }, (_, i) => side - 1 - i));
  const mirrored = nodes.node('Gather', [names.images, columns], { axis: 2 });
  return nodes.node('Concat', [names.images, mirrored], { axis: 0 });
}

/** x = scale · byte + shift, channel after channel: (n, 3, side, side). */
function normalized({ nodes, begin }: Builder, images: string, { scale, shift }: InputScaling, side: number): string {
  begin('x');
  const image = { height: side, width: side, channels };
  const wide = nodes.node('Cast', [nodes.node('Transpose', [images], { perm: [0, 3, 1, 2] })], { to: elements.float });
  const constant = (name: string, values: Float64Array) => {
    const isSame = values.every((one, i) => one === values[i % channels]);
    return isSame
      ? nodes.constant(name, [1, channels, 1, 1], values.subarray(0, channels))
      : nodes.constant(name, [1, channels, side, side], channelsFirst(values, image));
  };
  const scaled = nodes.node('Mul', [wide, constant('input.multiply', scale)]);
  return nodes.node('Add', [scaled, constant('input.add', shift)]);
}

/** The logit of the mean of both p: ln(σ(a) + σ(b)) − ln(σ(−a) + σ(−b)), with ln σ(z) = −softplus(−z).
 *  @param z  (2n, 1), the mirror images behind the others */
function meanOfMirrored({ nodes, integers, begin }: Builder, z: string): string {
  begin('mean');
  const both = nodes.node('Reshape', [z, integers([2, -1])]);
  const logOfSum = (logits: string) => {
    const logs = nodes.node('Neg', [nodes.node('Softplus', [logits])]);
    return nodes.node('ReduceLogSumExp', [logs], { axes: [0], keepdims: 0 });
  };
  return nodes.node('Sub', [logOfSum(nodes.node('Neg', [both])), logOfSum(both)]);
}

/** z / T */
function divided({ nodes, begin }: Builder, z: string, temperature: number): string {
  begin('calibrated');
  return nodes.node('Div', [z, nodes.constant('temperature', [], Float64Array.of(temperature))]);
}

function attributeOf(name: string, given: OnnxAttribute): Message<'attribute'> {
  if (typeof given === 'number') return { name, i: given, type: attributes.integer };
  return 'float' in given ? { name, f: given.float, type: attributes.float } : { name, ints: given, type: attributes.integers };
}

function value(name: string, elemType: number, sides: readonly (number | string)[]): Message<'value'> {
  const dim = sides.map((side) => (typeof side === 'number' ? { dimValue: side } : { dimParam: side }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** @throws UserError (usage) where one is more than float32 holds */
function singles(name: string, values: Floats): Float32Array {
  if (values instanceof Float32Array) return values;
  const out = Float32Array.from(values);
  if (out.every(Number.isFinite)) return out;
  throw new UserError('usage', `--format onnx: expected numbers that float32 holds, found larger ones in ${name}`, {
    hint: 'Take --format npz or json, which hold float64.',
  });
}

/** The machines that nn runs on have the byte order of the format. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
