import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { ownFile } from '../../own-files.ts';
import type { Arithmetic, Precision } from '../kernels.ts';
import type { CompiledAlone } from './engine.ts';
import type { WasmMemory } from './memory.ts';

/** What assembly/threads.ts exports, in one precision; its docstrings say more. */
export interface Compiled extends CompiledAlone {
  share(control: number, room: number): void;
  /** @returns ALL_DONE, THREAD_DIED or NO_PROGRESS of `kernelConstants` */
  wait(control: number): number;
  /** where a thread that dies adds deadMark() */
  doneOffset(): number;
  deadMark(): number;
}

/** Versions of V8, by Node 22, 24 and 26, that make one instruction of 256 bits of two neighbouring ones of 128 where they are asked to, and
 *  with which `bench/same-bits.mjs` has found the same bits as without (docs/decisions/0029-two-vectors-in-one.md). */
const widening = ['12.4.', '13.6.', '14.6.'];

/** What asks them for it. */
export const wideFlag = '--experimental-wasm-revectorize';

/** Whether they do it here: on x86 alone. They don't where AVX2 is missing, which makes forward products a third slower. */
export const isWide = process.arch === 'x64' && widening.some((version) => process.versions.v8.startsWith(version));

/** Compiles the kernels of a precision; some milliseconds.
 *  @returns null where this Node cannot: the fast ones ask for relaxed SIMD */
export function compile(precision: Precision, arithmetic: Arithmetic): WebAssembly.Module | null {
  const bytes = readFileSync(ownFile(`dist/kernels/${precision}-${arithmetic}.wasm`));
  if (isWide) setFlagsFromString(wideFlag);
  // Node 20 has relaxed SIMD behind a flag, later ones without: one that V8 does not know is told on stderr
  if (arithmetic === 'fast' && !WebAssembly.validate(bytes)) setFlagsFromString('--experimental-wasm-relaxed-simd');
  return arithmetic === 'fast' && !WebAssembly.validate(bytes) ? null : new WebAssembly.Module(bytes);
}

/** What the kernels import, by the file of the assembly that declares it; but for the function that each thread makes for itself (functions
 *  can't be sent). @param wide  whether they are to work on as much at once as registers of 256 bits hold; no result depends on it */
export function importsOf(memory: WasmMemory, wide: boolean): WebAssembly.Imports {
  return { env: { memory }, tiles: { wide: Number(wide) } };
}

/** For the thread that alone makes the memory grow, and so always sees all of it. */
export function instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): Compiled {
  const threads = { seeAllMemory: () => {} };
  return new WebAssembly.Instance(module, { ...imports, threads }).exports as unknown as Compiled;
}

/** What the kernels use of WebAssembly: neither es2023 nor the types of Node 20 declare it, and the dom library brings too much. */
declare global {
  namespace WebAssembly {
    class Memory {
      constructor(description: { initial: number; maximum: number; shared?: boolean });
      readonly buffer: ArrayBufferLike;
      /** @returns the pages that there were */
      grow(pages: number): number;
    }
    class Module {
      constructor(bytes: Uint8Array);
    }
    /** Whether this host can run a module. */
    function validate(bytes: Uint8Array): boolean;
    function instantiate(bytes: Uint8Array, imports: Imports): Promise<{ instance: Instance }>;
    type Imports = Record<string, Record<string, unknown>>;
    class Instance {
      constructor(module: Module, imports: Imports);
      readonly exports: Record<string, unknown>;
    }
  }
}
