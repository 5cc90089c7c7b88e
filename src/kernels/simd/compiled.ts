import { readFileSync } from 'node:fs';
import type { Precision } from '../kernels.ts';

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

/** Compiles the kernels of a precision; some milliseconds. */
export function compile(precision: Precision): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL(`./${precision}.wasm`, import.meta.url)));
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Compiled {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Compiled;
}
