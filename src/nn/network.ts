import { type Batch, type Floats, type Kernels, precisions } from '../kernels/kernels.ts';
import type { Random } from '../random.ts';
import { type Network, opsOf } from './build.ts';
import { type LossName, lossRule } from './losses.ts';
import { featuresOf, type Mode, type Op, type Slot, type TensorSpec, type Tensors } from './op.ts';

/** A tensor, and where it stands in the one parameter buffer. */
export interface ParameterSpec extends TensorSpec {
  /** 0 for the first */
  layer: number;
  offset: number;
  length: number;
}

/** All parameters of a network in one buffer; `specs` says what stands where, and `tensors` are views by name. */
export interface Parameters {
  values: Floats;
  specs: readonly ParameterSpec[];
  tensors: Tensors;
}

/** What stands where in the parameter buffer of a network. */
export function parameterSpecs(network: Network): ParameterSpec[] {
  let offset = 0;
  return opsOf(network).flatMap(({ tensors, layer }) =>
    tensors.map((tensor) => {
      const length = tensor.shape[0] * tensor.shape[1];
      offset += length;
      return { ...tensor, layer, offset: offset - length, length };
    }),
  );
}

/** The length of a parameter buffer. */
export function bufferLength(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, { length }) => sum + length, 0);
}

/** The number of values that training moves. */
export function parameterCount(network: Network): number {
  return bufferLength(parameterSpecs(network).filter(({ trained }) => trained));
}

/** Parameters over a buffer of the right length, which stays shared. */
export function parametersOver(network: Network, values: Floats): Parameters {
  const specs = parameterSpecs(network);
  const views = specs.map(({ name, offset, length }) => [name, values.subarray(offset, offset + length)] as const);
  return { values, specs, tensors: Object.fromEntries(views) };
}

/** Fresh parameters: weights layer by layer from one stream, biases and β 0, γ and moving variances 1. */
export function initialParameters(network: Network, kernels: Kernels, random: Random): Parameters {
  const parameters = parametersOver(network, kernels.allocate(bufferLength(parameterSpecs(network))));
  for (const op of opsOf(network)) op.initialize(parameters.tensors, random);
  return parameters;
}

/** Room for one batch on its way through the network and back: a slot an op, each of `capacity` examples. */
export interface Workspace {
  capacity: number;
  slots: readonly Slot[];
}

export function createWorkspace(network: Network, kernels: Kernels, capacity: number): Workspace {
  const slots: Slot[] = [];
  for (const op of opsOf(network)) slots.push(op.allocate(kernels, capacity, slots.at(-1) ?? null));
  return { capacity, slots };
}

/** Bytes of room for a batch whose length no result depends on. */
const roomTogether = 2 ** 26;

/** How many examples pass through a network together where no result depends on it: as many as little room holds, since a step was planned for its own
 *  batch and not for more; one at least. @param most  of them */
export function examplesTogether(network: Network, { precision }: Pick<Kernels, 'precision'>, most: number): number {
  const bytes = numbersOfExample(network) * precisions[precision].BYTES_PER_ELEMENT;
  return Math.max(1, Math.min(most, Math.floor(roomTogether / bytes)));
}

/** Numbers that a workspace takes for each example. */
export function numbersOfExample(network: Network): number {
  return opsOf(network).reduce((sum, { numbersPerExample }) => sum + numbersPerExample, 0);
}

/** Numbers that its ops take beside a workspace, one after the other: those of the largest. The first op has no gradient of its input. */
export function scratchOf(network: Network): number {
  return Math.max(
    0,
    ...opsOf(network)
      .slice(1)
      .map(({ scratchNumbers = 0 }) => scratchNumbers),
  );
}

/** Numbers that `prepareInference` makes of the parameters, at most. */
export function inferenceNumbers(network: Network): number {
  return opsOf(network).reduce((sum, { fusedNumbers = 0 }) => sum + fusedNumbers, 0);
}

/** Numbers of patches that the check of a step makes again, of the op that has the most. */
export function patchesOf(network: Network): number {
  return Math.max(0, ...opsOf(network).map(({ patchNumbers = 0 }) => patchNumbers));
}

export interface Pass {
  network: Network;
  parameters: Parameters;
  kernels: Kernels;
  workspace: Workspace;
  input: Batch;
  mode: Mode;
}

/** A[k] = op_k(A[k−1]) for all examples of a batch.
 *  @param from  the first op to compute: those below stand in the workspace as an earlier pass left them
 *  @returns the logits Z[L], (1, m): a view that the next pass overwrites */
export function forward(pass: Pass, from = 0): Floats {
  const { parameters, kernels, workspace, input, mode } = pass;
  const { tensors } = parameters;
  const { count } = input;
  const { slots } = workspace;
  const ops = opsOf(pass.network);
  for (let k = from; k < ops.length; k++) {
    ops[k]!.forward({
      kernels,
      tensors,
      slot: slots[k]!,
      input: inputOf({ slots, input }, ops, k),
      count,
      below: slots[k - 1] ?? null,
      partner: partnerIn(slots, ops, k),
      mode,
    });
  }
  return slots[ops.length - 1]!.value.subarray(0, count);
}

/** The slot of op k's partner, if it has one. */
export function partnerIn(slots: readonly Slot[], ops: readonly Op[], k: number): Slot | null {
  const { partner } = ops[k]!;
  return partner === undefined ? null : slots[k + partner]!;
}

/** What comes into op k. */
export function inputOf({ slots, input }: { slots: readonly Slot[]; input: Batch }, ops: readonly Op[], k: number): Batch {
  if (k === 0) return input;
  const features = featuresOf(ops[k - 1]!.output);
  return { kind: 'floats', values: slots[k - 1]!.value, count: input.count, features };
}

/** What is wanted of the network for one batch. */
export interface Targets {
  loss: LossName;
  /** 1 for the positive class, 0 for the other, or above where `softTargets` has more; indexed like the batch */
  labels: Uint8Array;
  /** what an example of the negative and of the positive class counts, and of labels above: [1, 1] without class weights */
  classWeights: readonly [number, number, ...number[]];
  /** what stands for the labels from 0 in the loss; null or left out where they stand for themselves */
  softTargets?: readonly number[] | null;
}

/** The cost of the batch just passed forward, (1/m) Σ wᵢ Lᵢ, and dZ[L] = ∂cost/∂z in the workspace.
 *  @param m  what to divide by, where these examples are but some of a batch: the costs of all of them add up to the batch's */
export function lossGradient(pass: Pass, { loss, labels, classWeights, softTargets }: Targets, m = pass.input.count): number {
  const { value: z, grad: dZ } = pass.workspace.slots.at(-1)!;
  const { count } = pass.input;
  return pass.kernels.lossGradient({ rule: lossRule(loss, softTargets), z, labels, weights: classWeights, count, m, dZ }) / m;
}

export interface BackwardOptions {
  /** whether the gradient of the first op's weights is left to whoever takes their step (input/) */
  leavesFirst?: boolean;
  /** whether the gradient adds to that of other examples of the batch; an op that mixes examples takes all of them at once */
  accumulate?: boolean;
  /** the input as a slot, where its gradient is wanted and those of weights are not: it comes to lie in its `grad` */
  inputSlot?: Slot | null;
}

/** From the last op to the first, after `lossGradient`: gradients of what came in, and of the tensors.
 *  @param gradient  laid out like the parameters; overwritten or added to, but for what is not trained */
export function backward(pass: Pass, gradient: Pick<Parameters, 'tensors'>, options: BackwardOptions = {}): void {
  const { leavesFirst = false, accumulate = false, inputSlot = null } = options;
  const { parameters, kernels, workspace, input, mode } = pass;
  const { slots } = workspace;
  const ops = opsOf(pass.network);
  for (let k = ops.length - 1; k >= 0; k--) {
    ops[k]!.backward({
      kernels,
      tensors: parameters.tensors,
      gradient: gradient.tensors,
      slot: slots[k]!,
      input: inputOf({ slots, input }, ops, k),
      count: input.count,
      below: slots[k - 1] ?? inputSlot,
      partner: partnerIn(slots, ops, k),
      mode,
      wantsWeights: inputSlot === null && (k > 0 || !leavesFirst),
      accumulate,
    });
  }
}

/** The gradient of the first op's tensors alone, after a `backward` that left it out. */
export function backwardFirst(pass: Pass, gradient: Parameters): void {
  const { parameters, kernels, workspace, input, mode } = pass;
  opsOf(pass.network)[0]!.backward({
    kernels,
    tensors: parameters.tensors,
    gradient: gradient.tensors,
    slot: workspace.slots[0]!,
    input,
    count: input.count,
    below: null,
    mode,
    wantsWeights: true,
    accumulate: false,
  });
}
