import type { Batch, Floats, Kernels } from '../kernels/kernels.ts';
import type { Random } from '../random.ts';
import type { OnnxNodes } from './onnx-nodes.ts';
import type { Expected, Inputs, Rounding } from './rounding.ts';

/** A tensor of an op: where it stands in the parameter buffer, network.ts says. */
export interface TensorSpec {
  /** as in the course: W1, b1, gamma1 …; layers count from 1 */
  name: string;
  shape: readonly [rows: number, columns: number];
  /** L2 and weight decay shrink it: weights alone */
  decayed: boolean;
  /** the optimizer moves it: all but moving averages */
  trained: boolean;
}

/** The tensors of a network by their names, or a gradient laid out like them. */
export type Tensors = Readonly<Record<string, Floats>>;

/** What an op holds for one batch, (n, m) example after example. */
export interface Slot {
  /** what it gives to the op above. An op may work in place, on the array of the op below. */
  value: Floats;
  /** the gradient of the cost: with respect to `value` until its backward pass, then to what came in, where it works in place */
  grad: Floats;
  /** what its forward pass keeps for the backward pass: masks, statistics */
  kept: Readonly<Record<string, Floats>>;
}

/** Training takes batch statistics and drops units; inference takes moving averages and drops none.
 *  `masks` draws this step's dropout masks; null repeats the masks that the slots hold. */
export type Mode = { kind: 'inference' } | { kind: 'training'; masks: Random | null };
export const inference: Mode = { kind: 'inference' };

/** One call of an op. */
export interface Call {
  kernels: Kernels;
  tensors: Tensors;
  slot: Slot;
  /** what comes in: `count` examples */
  input: Batch;
  count: number;
  /** of the op below; for the first op null, or on the way back the input itself where its gradient is wanted */
  below: Slot | null;
  /** of the op's partner; absent or null where it has none */
  partner?: Slot | null;
}

export interface BackwardCall extends Call {
  /** that of the forward pass. In inference nothing is dropped and moving averages are constants; the gradient of what came in is all that is wanted */
  mode: Mode;
  gradient: Tensors;
  /** whether the gradient of `decayed` tensors is wanted here: that of the first op may be made in one with the step (input/) */
  wantsWeights: boolean;
  /** whether the gradient adds to that of other examples of the batch */
  accumulate: boolean;
}

/** Some ops in one pass. */
export interface FusedPass {
  /** how many ops above it are taken along */
  above: number;
  /** @param out  what the last of them gives */
  forward(call: { kernels: Kernels; input: Batch; out: Floats }): void;
}

/** One call of an op, for the check of a step: what the kernels had before it and made of it, and what that should be. */
export interface AuditCall {
  rounding: Rounding;
  tensors: Tensors;
  slot: Slot;
  below: Slot | null;
  partner?: Slot | null;
  /** examples that differ, and of the whole batch; each of them comes equally often where the op looks across examples */
  distinct: number;
  batch: number;
  /** how often each of the distinct examples comes */
  times: Float64Array;
  compare(what: string, found: ArrayLike<number>, expected: Expected): void;
}

/** A tensor's gradient, in as many pieces as memory asks for. */
export interface ExpectedGradient {
  name: string;
  pieces(): Iterable<Expected & { start: number }>;
}

/**
 * One operation of a network: all that is known of a kind of layer is in its file in ops/. A network is a list of them (build.ts); forward and backward are loops
 * over that list (network.ts).
 */
export interface Op {
  kind: string;
  /** the layer of the config that it is part of, 0 for the first: learning rates, norms and messages go by it */
  layer: number;
  input: Shape;
  output: Shape;
  /** whether `value` is that of the op below, overwritten */
  inPlace: boolean;
  /** where an op is that it shares values with, counted from it: the two ends of a residual block */
  partner?: number;
  /** whether it draws masks, row after row */
  drops: boolean;
  /** whether it looks across the examples of a batch, and so wants all of them at once */
  mixesExamples: boolean;
  tensors: readonly TensorSpec[];
  /** Fills tensors that are zeros with what a training begins with. */
  initialize(tensors: Tensors, random: Random): void;
  /** Room for a batch. @param below  of the op below, null for the first */
  allocate(kernels: Kernels, capacity: number, below: Slot | null): Slot;
  /** numbers that `allocate` takes for an example */
  numbersPerExample: number;
  /** numbers that a call takes beside its slot, whatever the batch; absent for none */
  scratchNumbers?: number;
  /** numbers of an example's patches, which the check of a step makes again; absent for none */
  patchNumbers?: number;
  /** multiplications of an example's way forward */
  multiplications: number;
  forward(call: Call & { mode: Mode }): void;
  /** What inference does in one pass with this op and with those above it that it can take along, tensors as they are now; absent or null where each goes alone.
   *  @param kernels  whose memory holds what is made of the tensors */
  fused?(call: { above: readonly Op[]; kernels: Kernels; tensors: Tensors }): FusedPass | null;
  /** numbers that `fused` makes of the tensors, at most; absent for none */
  fusedNumbers?: number;
  /** in inference, unit by unit z ← factor · z + shift: what an op below may take along */
  scaling?(tensors: Tensors): { factor: Float64Array; shift: Float64Array };
  /** what else an op below may take along in inference: ReLU, or the largest of each two by two places */
  fusedAs?: 'relu' | 'pools' | null;
  /** Turns slot.grad into the gradient with respect to what came in: in below.grad, which may be the same array. */
  backward(call: BackwardCall): void;
  /** Moves what is learnt from batches without the optimizer: moving averages. */
  afterStep?(call: { tensors: Tensors; slot: Slot; count: number }): void;
  /** On which side of a point without a derivative each number stands; absent where the op has no such point. */
  sides?(below: Slot, count: number): Uint8Array;
  /** Compares what the forward pass made with what the reference in float64 makes of the same input.
   *  @param inputs    what came in
   *  @param expected  what should have come in, where it is overwritten by now; else null
   *  @param isHidden  whether `value` is overwritten by the op above
   *  @returns what `value` should be */
  auditForward(call: AuditCall & { inputs: Inputs; expected: Expected | null; isHidden: boolean }): Expected;
  /** The same for the backward pass.
   *  @param after  the gradient that should have come from above, where it is overwritten by now; null where it stands in slot.grad
   *  @returns the gradient for the op below, null for the first op; and those of the tensors */
  auditBackward(call: AuditCall & { inputs: Inputs; after: Expected | null }): {
    grad: Expected | null;
    gradients: ExpectedGradient[];
  };
  /** The same for `afterStep`. @param before  the tensors before the step */
  auditAfterStep?(call: AuditCall & { before: Tensors }): void;
  /** Adds what inference does to a graph of ONNX.
   *  @param call.input    the name of what comes in
   *  @param call.partner  of what the op's partner gives; null where it has none, or that comes later
   *  @returns the name of what it gives */
  onnx(call: { nodes: OnnxNodes; tensors: Tensors; input: string; partner: string | null }): string;
  /** what it gives, in the course's notation: Z or A */
  letter: 'Z' | 'A';
  /** by how much weights above it are made larger, so that numbers near 1 stay so: one over its slope near 0 */
  gain: number;
  /** a word or two for people, such as "relu" or "batch norm"; null for what goes without saying */
  description: string | null;
  drawing: OpDrawing;
}

/** A word, such as Z1, and the name that the course gives it: Z[1]. */
export interface Term {
  id: string;
  name: string;
}

/** A node of the computation graph (report/graph.ts). */
export interface DrawnNode extends Term {
  shape: readonly [rows: number, columns: number | 'm'];
  kind?: 'parameter';
  formula?: string;
  /** of a parameter: the id of what it is a parameter of */
  of?: string;
}

/** How an op looks in the computation graph. Nodes are added in the order in which they are computed. */
export interface OpDrawing {
  /** what it gives to the op above */
  output: Term;
  forward(input: Term, add: (node: DrawnNode, from?: readonly string[]) => void): void;
  /** From the gradient of `output` to that of `input`, and those of its tensors.
   *  @param add    the gradient of a node
   *  @param toInput  the gradient of what came in, of the layer below; does nothing for the first op
   *  @param decay  what L2 adds to the gradient of a W: " + (λ/m) W[1]", or nothing */
  backward(
    input: Term,
    add: (of: DrawnNode, from: string) => void,
    toInput: (formula: string, from: string) => void,
    decay: (weights: string) => string,
  ): void;
  /** what its letters mean; entries of the same key make one line, keys in their order */
  legend: readonly { key: string; value: string; text(values: readonly string[]): string }[];
}
/** What an op takes or gives for one example: a picture, its channels together, or a vector. */
export type Shape = ImageShape | { features: number };
export type ImageShape = { height: number; width: number; channels: number };

/** such as 32 × 32 × 16, or 20 */
export function shapeText(shape: Shape): string {
  return 'features' in shape ? `${shape.features}` : `${shape.height} × ${shape.width} × ${shape.channels}`;
}

/** n, the numbers of an example. */
export function featuresOf(shape: Shape): number {
  return 'features' in shape ? shape.features : shape.height * shape.width * shape.channels;
}

/** n_x = side² · 3 numbers are a square picture in RGB; any other number is a vector. */
export function inputShape(inputs: number): Shape {
  const side = Math.sqrt(inputs / 3);
  return Number.isInteger(side) ? { height: side, width: side, channels: 3 } : { features: inputs };
}
