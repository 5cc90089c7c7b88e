import type { ByteRows, Kernels } from '../kernels.ts';
import type { Engine } from './engine.ts';
import { type Frame, inFrame } from './frame.ts';
import { type PlacedMap, placeMap } from './input-map.ts';
import { fitsWhole, placeWhole } from './rows.ts';

/** Columns that a thread takes at least: long stretches of memory are read faster. */
const columnGrain = 2048;

/** A layer of one unit over bytes, in float32, has sums of whole numbers (assembly/one-unit.ts). */
export function hasOneUnitKernels({ precision, memory }: Engine, input: ByteRows, units: number): boolean {
  return precision === 'float32' && units === 1 && fitsWhole(memory, input);
}

export function forwardOneUnit(engine: Engine, call: Parameters<Kernels['forward']>[0], input: ByteRows): void {
  const { memory } = engine;
  const { count, features } = input;
  inFrame(memory, (frame) => {
    const map = placeMap(engine, frame, input);
    const weights = splitNumbers(engine, frame, frame.input(call.weights, features), features, { ...map, sums: false });
    const { input: bytes, indices } = placeWhole(memory, frame, input);
    const bias = call.bias === null ? 0 : frame.input(call.bias, 1);
    const [out, work] = [frame.output(call.out, count), count * features];
    const { scale } = map;
    engine.run({
      kind: 'forwardOneUnit',
      input: bytes,
      indices,
      features,
      scale,
      weights,
      bias,
      out,
      end: count,
      grain: 4,
      work,
    });
  });
}

export function weightsOneUnit(engine: Engine, call: Parameters<Kernels['backwardWeights']>[0], input: ByteRows): void {
  const { memory } = engine;
  const { count, features } = input;
  inFrame(memory, (frame) => {
    const map = placeMap(engine, frame, input);
    const gradient = splitNumbers(engine, frame, frame.input(call.dZ, count), count, { multiply: 0, add: 0, sums: true });
    const { input: bytes, indices } = placeWhole(memory, frame, input);
    const out = call.adds ? frame.update(call.out.subarray(0, features)) : frame.output(call.out, features);
    const work = count * features;
    const range = { end: features, grain: columnGrain, accumulate: call.adds ?? false, work };
    engine.run({ kind: 'weightsOneUnit', input: bytes, indices, features, count, ...map, gradient, out, ...range });
  });
}

function splitNumbers(
  engine: Engine,
  frame: Frame,
  input: number,
  count: number,
  { multiply, add, sums }: Omit<PlacedMap, 'scale'> & { sums: boolean },
): number {
  const out = frame.room(engine.splitBytes(count));
  // the sum belongs to what a map adds to every example
  engine.run({ kind: 'splitNumbers', input, count, multiply, add, accumulate: sums, out, end: 1, grain: 1, work: 0 });
  return out;
}
