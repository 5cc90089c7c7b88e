import { readFileSync } from 'node:fs';
import type { Precision } from '../kernels.ts';

/** What assembly/index.ts exports, in one precision: addresses and counts; its docstrings say more. */
export interface Compiled {
  /** bytes of the tile that is given as `scratch` */
  scratchBytes(): number;
  forwardBytes(
    ...call: [...BytesInput, w: number, bias: number, units: number, out: number, first: number, end: number, scratch: number]
  ): void;
  forwardFloats(
    x: number,
    features: number,
    w: number,
    bias: number,
    units: number,
    out: number,
    first: number,
    end: number,
  ): void;
  weightsBytes(
    ...call: [
      ...[...BytesInput, count: number, accumulate: number],
      ...[dZ: number, units: number, out: number, first: number, end: number, scratch: number],
    ]
  ): void;
  weightsFloats(
    x: number,
    features: number,
    count: number,
    dZ: number,
    units: number,
    out: number,
    first: number,
    end: number,
  ): void;
  inputGradient(dZ: number, w: number, units: number, features: number, out: number, first: number, end: number): void;
  byteProductsScratch(): number;
  byteProducts(
    left: number,
    first: number,
    end: number,
    right: number,
    rightRows: number,
    features: number,
    out: number,
    symmetric: number,
    scratch: number,
  ): void;
}

export type BytesInput = [bytes: number, indices: number, features: number, multiply: number, add: number, scale: number];

/** Compiles the kernels of a precision over a memory; some milliseconds. */
export function instantiate(precision: Precision, memory: WebAssembly.Memory): Compiled {
  const module = new WebAssembly.Module(readFileSync(new URL(`./${precision}.wasm`, import.meta.url)));
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Compiled;
}
