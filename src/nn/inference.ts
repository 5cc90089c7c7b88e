import { type Batch, type Floats, type Kernels, precisions } from '../kernels/kernels.ts';
import { type Network, opsOf } from './build.ts';
import { examplesTogether, inputOf, type Parameters, partnerIn, type Workspace } from './network.ts';
import { featuresOf, inference, type Slot } from './op.ts';

/** The logits of a batch, (1, m): a view that the next call overwrites. */
export type Inference = (workspace: Workspace, input: Batch) => Floats;

type Forward = (workspace: Workspace, input: Batch) => void;

/** Passes one after the other, all fused or all not. */
interface Run {
  isFused: boolean;
  passes: Forward[];
}

/**
 * A network as it answers: what ops can do in one pass they do in one, batch norm as part of the convolution below it. The parameters are those of now; later changes
 * do not reach it. The slots of ops that are taken along stay as they were, so that a backward pass needs `forward` (network.ts).
 * @param pass.kernels  whose memory holds what is made of the parameters: a scope, most often
 */
export function prepareInference(pass: { network: Network; parameters: Parameters; kernels: Kernels }): Inference {
  const { kernels, parameters } = pass;
  const { tensors } = parameters;
  const ops = opsOf(pass.network);
  const runs: Run[] = [];
  for (let k = 0; k < ops.length; k++) {
    const [at, op] = [k, ops[k]!];
    const fused = op.fused?.({ above: ops.slice(k + 1), kernels, tensors }) ?? null;
    k += fused?.above ?? 0;
    const last = k;
    const isFused = fused !== null;
    const forward: Forward = ({ slots }, batch) => {
      const input = inputOf({ slots, input: batch }, ops, at);
      if (isFused) return fused.forward({ kernels, input, out: slots[last]!.value });
      const [slot, below, partner] = [slots[at]!, slots[at - 1] ?? null, partnerIn(slots, ops, at)];
      op.forward({ kernels, tensors, slot, input, count: batch.count, below, partner, mode: inference });
    };
    if (runs.at(-1)?.isFused === isFused) runs.at(-1)!.passes.push(forward);
    else runs.push({ isFused, passes: [forward] });
  }
  return (workspace, input) => {
    for (const { isFused, passes } of runs) {
      const all = () => {
        for (const forward of passes) forward(workspace, input);
      };
      // what is fused is calls of kernels and nothing else; other ops may read numbers between theirs
      if (isFused) kernels.perExample(input.count, all);
      else all();
    }
    return (workspace.slots.at(-1) as Slot).value.subarray(0, input.count);
  };
}

/** Bytes of what goes into an op and comes out of it, of the images that a thread takes together: few enough for its caches, and many enough for the last layers, which have the
 *  largest W, and for one wait at the end. */
const atHand = 5 * 2 ** 20;
/** Images of which the smallest has a tile: register shapes take so many. */
const tiles = 4;

/** How many examples a network answers for together: few images, which stay in the cache from op to op, and many vectors, which share the reading of W. No answer depends on it.
 *  @param most  of them */
export function answeredTogether(network: Network, kernels: Pick<Kernels, 'precision' | 'threads'>, most: number): number {
  const images = opsOf(network).filter(({ output }) => 'channels' in output);
  const largest = Math.max(...images.map(({ input, output }) => featuresOf(input) + featuresOf(output)));
  const few = images.length === 0 ? most : atHand / largest / precisions[kernels.precision].BYTES_PER_ELEMENT;
  const each = few < tiles ? Math.max(1, Math.floor(few)) : tiles * Math.floor(few / tiles);
  return Math.max(1, Math.min(examplesTogether(network, kernels, most), kernels.threads * each));
}
