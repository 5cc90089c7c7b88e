import { kernelConstants } from '../kernels/bindings.ts';
import type { ByteBatch } from '../kernels/kernels.ts';
import { backward, lossGradient, type Targets } from './backward.ts';
import { forward, type LayerWorkspace, type Pass } from './forward.ts';
import { losses } from './losses.ts';
import type { Parameters } from './network.ts';

/** Pictures that go forward and back together: what went forward is still in a processor's cache on the way back. */
const pieceBytes = 4 * 2 ** 20;
/** Sums over examples are made by so many. */
const examples = kernelConstants.EXAMPLES;

/** Forward, cost and gradient of a batch, in pieces where it is far larger than a cache; how many, its shape alone says.
 *  @param gradient  laid out like the parameters; overwritten, but for what is not trained
 *  @returns the cost; the logits are in the workspace */
export function costAndGradient(
  pass: Pass,
  targets: Targets,
  gradient: Parameters,
  { pieces, down }: { pieces: readonly MicroBatch[]; down: 0 | 1 },
): number {
  const { count } = pass.input;
  if (isFusedLogistic(pass)) return oneUnitPass(pass, targets, gradient);
  let cost = 0;
  for (const [i, { first, pass: piece }] of pieces.entries()) {
    forward(piece);
    cost += lossGradient(piece, { ...targets, labels: targets.labels.subarray(first) }, count);
    backward(piece, gradient, { adds: i > 0, down });
  }
  return cost;
}

/** Whether the kernels take logistic regression forward and back in one. */
export function isFusedLogistic({ network, kernels, input }: Pass): boolean {
  return network.layers.length === 1 && input.kind === 'bytes' && (kernels.logisticPass?.takes(input) ?? false);
}

function oneUnitPass(
  { kernels, parameters, workspace, input }: Pass,
  { loss, labels, classWeights }: Targets,
  gradient: Parameters,
): number {
  const { z, dZ } = workspace.layers[0]!;
  const { weights, bias } = parameters.layers[0]!;
  const { weights: dW, bias: db } = gradient.layers[0]!;
  const m = input.count;
  const pass = {
    labels,
    classWeights,
    input: input as ByteBatch,
    weights,
    bias: bias!,
    rule: losses[loss],
    m,
    z,
    dZ,
    dW,
    db: db!,
  };
  return kernels.logisticPass!.run(pass) / m;
}

export interface MicroBatch {
  /** the first of its examples */
  first: number;
  pass: Pass;
}

/** A batch as one piece, or as several: batch norm takes all examples at once, and only pixels are read faster in pieces. */
export function microBatches(pass: Pass): readonly MicroBatch[] {
  const { input, network } = pass;
  const length = Math.max(1, Math.floor(pieceBytes / (examples * input.features))) * examples;
  const whole = input.kind !== 'bytes' || input.count <= 2 * length || network.layers.some(({ batchNorm }) => batchNorm);
  if (whole || isFusedLogistic(pass)) {
    return [{ first: 0, pass }];
  }
  return Array.from({ length: Math.ceil(input.count / length) }, (_, i) => {
    const first = i * length;
    return { first, pass: pieceOf(pass, input, first, Math.min(length, input.count - first)) };
  });
}

function pieceOf(pass: Pass, { bytes, indices, ...input }: ByteBatch, first: number, count: number): Pass {
  const rows: ByteBatch =
    indices === null
      ? { ...input, bytes: bytes.subarray(first * input.features), indices, count }
      : { ...input, bytes, indices: indices.subarray(first), count };
  const layers = pass.workspace.layers.map(({ z, a, dZ, mask, statistics }, l): LayerWorkspace => {
    const start = first * pass.network.layers[l]!.units;
    return {
      z: z.subarray(start),
      a: a.subarray(start),
      dZ: dZ.subarray(start),
      mask: mask?.subarray(start) ?? null,
      statistics,
    };
  });
  return { ...pass, input: rows, workspace: { capacity: count, layers } };
}
