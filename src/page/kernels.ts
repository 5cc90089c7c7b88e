import type { KernelsFor } from '../classifier/explain.ts';
import { type Kernels, type Precision, precisions } from '../kernels/kernels.ts';
import { referenceKernels } from '../kernels/reference.ts';
import { type CompiledAlone, engineOf } from '../kernels/simd/engine.ts';
import { kernelsOn } from '../kernels/simd/engine-kernels.ts';
import { kernelMemoryOver, page } from '../kernels/simd/memory.ts';
import { type Network, opsOf } from '../nn/build.ts';
import { bufferLength, examplesTogether, inferenceNumbers, numbersOfExample, parameterSpecs } from '../nn/network.ts';

/** The kernels of a page: compiled ones on one thread, in a memory of their own that has its size from the start, since one that is not shared would lose
 *  its views as it grows. */

export interface PageKernels {
  kernelsFor: KernelsFor;
  /** whether they are the compiled ones, whose bits are those of nn; the reference, where a browser has no WebAssembly of that kind, rounds otherwise */
  compiled: boolean;
}

/** @param modules  compiled for one thread, of each precision that is asked for
 *  @throws RangeError where there is no memory for the network */
export async function loadKernels(
  modules: Partial<Record<Precision, Uint8Array<ArrayBuffer>>>,
  network: Network,
): Promise<PageKernels> {
  const made: Partial<Record<Precision, Kernels>> = {};
  const all = Object.entries(modules) as [Precision, Uint8Array<ArrayBuffer>][];
  const compiled = typeof WebAssembly === 'object' && all.every(([, bytes]) => WebAssembly.validate(bytes));
  for (const [precision, bytes] of all)
    made[precision] = compiled ? await compiledKernels(precision, bytes, network) : referenceKernels(precision);
  return { compiled, kernelsFor: (precision) => made[precision] ?? missing(precision) };
}

function missing(precision: Precision): never {
  throw new Error(`the page carries no kernels of ${precision}`);
}

async function compiledKernels(precision: Precision, bytes: Uint8Array<ArrayBuffer>, network: Network): Promise<Kernels> {
  const pages = Math.ceil(kernelBytes(network, precision) / page);
  const raw = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory: raw }, tiles: { wide: 0 } });
  const compiled = instance.exports as unknown as CompiledAlone;
  const memory = kernelMemoryOver(raw);
  return kernelsOn(engineOf({ precision, arithmetic: 'strict', memory, compiled, threads: 1, crew: () => null }));
}

/** Images that are asked for at once at most: a row of covered ones, or those that the page carries. */
export const mostImages = 64;
/** Scratch of the kernels, and what is lost between arrays. */
const spareBytes = 2 ** 23;

/** Bytes that answering and a gradient take at most: parameters where the kernels read them, beside the numbers that one unit's are split into; room for
 *  images on their way; those images. */
export function kernelBytes(network: Network, precision: Precision): number {
  const size = precisions[precision].BYTES_PER_ELEMENT;
  const parameters = bufferLength(parameterSpecs(network)) * size;
  const together = examplesTogether(network, { precision }, mostImages);
  const forward = together * numbersOfExample(network) * size + mostImages * network.inputs;
  // the picture and x = 0, with a gradient each
  const backward = (2 * numbersOfExample(network) + 4 * network.inputs) * size;
  // that of the op which takes the most, either way; the first op's too
  const scratch = Math.max(0, ...opsOf(network).map(({ scratchNumbers = 0 }) => scratchNumbers)) * size;
  return (
    2 * parameters +
    Math.max(forward + inferenceNumbers(network) * size, backward) +
    scratch +
    8 * network.inputs * size +
    spareBytes
  );
}
