import type { Floats } from '../kernels/kernels.ts';

/** What an op adds its part to when a network is exported to ONNX (export/onnx/). Values are float32; images stand channel after channel, (m, channels, rows,
 *  columns), as ONNX has them, and vectors are (m, n).
 *  @see https://onnx.ai/onnx/operators/ */
export interface OnnxNodes {
  /** Adds a node. @param inputs  names of what it takes, @returns that of what it gives */
  node(operator: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>): string;
  /** Adds numbers. @returns their name */
  constant(name: string, shape: readonly number[], values: Floats): string;
}

/** A whole number, several of them, or a number with a point. */
export type OnnxAttribute = number | readonly number[] | { float: number };

/** Rows of rows, columns, channels as rows of channels, rows, columns.
 *  @param values  (n, height · width · channels) */
export function channelsFirst(
  values: Floats,
  { height, width, channels }: Record<'height' | 'width' | 'channels', number>,
): Floats {
  const places = height * width;
  const out = values.slice();
  for (let start = 0; start < values.length; start += places * channels) {
    for (let place = 0; place < places; place++) {
      for (let c = 0; c < channels; c++) out[start + c * places + place] = values[start + place * channels + c]!;
    }
  }
  return out;
}
