import { type InputScaling, type Kernels, precisions } from '../kernels.ts';
import type { Engine } from './engine.ts';

type Call = Parameters<Kernels['gram']>[0];

/** Pictures that are turned into numbers together, and multiplied with all others as a layer of so many units. */
const block = 64;
/** Rows of a piece of exact products: few, since all of them are made in one call, which begins in V8's slow code. */
const productGrain = 16;

/** Exact sums of whole numbers where the map is x = scale · byte; else sums in the precision of the kernels. */
export function innerProducts(engine: Engine, forward: Kernels['linear']): Kernels['gram'] {
  return (call) => {
    const scaling = engine.prepare(call.scaling);
    if (scaling.kind === 'scale') productsOfBytes(engine, call, scaling.scale * scaling.scale);
    else productsByBlocks(engine, forward, call);
  };
}

function productsOfBytes(engine: Engine, { left, right, scaling, out }: Call, scale: number): void {
  const features = scaling.scale.length;
  const [rows, columns] = [left.length / features, right.length / features];
  const { memory } = engine;
  const same = left === right;
  engine.inFrame((frame) => {
    const address = frame.room(rows * columns * Float64Array.BYTES_PER_ELEMENT);
    const input = frame.input(left, left.length);
    const weights = same ? input : frame.input(right, right.length);
    const work = rows * columns * features;
    const range = { end: rows, grain: productGrain, apart: true, work };
    engine.run({ kind: 'byteProducts', input, weights, features, units: columns, out: address, ...range });
    const sums = memory.view(new Float64Array(), address, rows * columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) out[i * columns + j] = scale * sums[same && j < i ? j * columns + i : i * columns + j]!;
    }
  });
}

function productsByBlocks({ precision }: Engine, forward: Kernels['linear'], { left, right, scaling, out }: Call): void {
  const features = scaling.scale.length;
  const [rows, columns] = [left.length / features, right.length / features];
  const weights = new precisions[precision](block * features);
  const products = new precisions[precision](rows * block);
  const input = { kind: 'bytes', bytes: left, indices: null, count: rows, features, scaling } as const;
  for (let first = 0; first < columns; first += block) {
    const units = Math.min(block, columns - first);
    applyMap(right.subarray(first * features, (first + units) * features), scaling, weights);
    forward({ input, weights, bias: null, units, out: products });
    for (let i = 0; i < rows; i++) out.set(products.subarray(i * units, (i + 1) * units), i * columns + first);
  }
}

function applyMap(bytes: Uint8Array, { scale: multiply, shift: add }: InputScaling, out: Float32Array | Float64Array): void {
  const features = multiply.length;
  for (let at = 0; at < bytes.length; at += features) {
    for (let k = 0; k < features; k++) out[at + k] = bytes[at + k]! * multiply[k]! + add[k]!;
  }
}
