import { type InputMap, type Precision, precisions } from '../kernels.ts';
import { type Compiled, instantiate } from './compiled.ts';
import { mapPreparer, type PreparedMap } from './input-map.ts';
import { createMemory, type KernelMemory } from './memory.ts';

/** The compiled kernels of a precision, with what a call of them needs. */
export interface Engine {
  precision: Precision;
  memory: KernelMemory;
  compiled: Compiled;
  /** bytes of a number */
  size: number;
  prepare: (map: InputMap) => PreparedMap;
  /** the address of the tile of widened examples */
  scratch: number;
}

/** Both precisions work in one memory. */
let sharedMemory: KernelMemory | undefined;

export function createEngine(precision: Precision): Engine {
  const memory = (sharedMemory ??= createMemory());
  const compiled = instantiate(precision, memory.memory);
  return {
    precision,
    memory,
    compiled,
    size: precisions[precision].BYTES_PER_ELEMENT,
    prepare: mapPreparer(precision),
    scratch: memory.take(compiled.scratchBytes()).address,
  };
}
