import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { ownFile } from '../../own-files.ts';
import type { Arithmetic, Precision } from '../kernels.ts';

/** What assembly/threads.ts exports, in one precision; its docstrings say more. */
export interface Compiled {
  controlBytes(): number;
  jobOffset(): number;
  scratchBytes(): number;
  /** room for `count` split numbers */
  splitBytes(count: number): number;
  run(control: number, scratch: number): void;
  /** @returns 1 where the job was done */
  share(control: number, scratch: number): number;
}

/** Compiles the kernels of a precision; some milliseconds.
 *  @returns null where this Node cannot: the fast ones ask for relaxed SIMD */
export function compile(precision: Precision, arithmetic: Arithmetic): WebAssembly.Module | null {
  const bytes = readFileSync(ownFile(`dist/kernels/${precision}-${arithmetic}.wasm`));
  // Node 20 has relaxed SIMD behind a flag, later ones without; a flag that V8 does not know any more changes nothing
  if (arithmetic === 'fast' && !WebAssembly.validate(bytes)) setFlagsFromString('--experimental-wasm-relaxed-simd');
  return arithmetic === 'fast' && !WebAssembly.validate(bytes) ? null : new WebAssembly.Module(bytes);
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Compiled {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Compiled;
}
