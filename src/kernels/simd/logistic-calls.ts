import { kernelConstants } from '../bindings.ts';
import type { ByteBatch, Kernels, LogisticPass } from '../kernels.ts';
import { referenceLogisticPass } from '../reference.ts';
import type { Frame } from './call.ts';
import { ruleNumber } from './elementwise-calls.ts';
import type { Engine } from './engine.ts';
import { fitsWhole, type PlacedScaling, placeScaling, placeWhole } from './operands.ts';

/** Columns that a thread takes at least: long stretches of memory are read faster. */
const columnGrain = 2048;

/** A layer of one unit over bytes, in float32, has sums of whole numbers (assembly/logistic.ts). */
export function hasLogisticKernels({ precision, memory }: Engine, input: ByteBatch, units: number): boolean {
  return precision === 'float32' && units === 1 && fitsWhole(memory, input);
}

export function logisticForward(engine: Engine, call: Parameters<Kernels['linear']>[0], input: ByteBatch): void {
  const { count, features } = input;
  engine.inFrame((frame) => {
    const { scale, ...scaling } = placeScaling(engine, frame, input);
    const weights = splitNumbers(engine, frame, frame.input(call.weights, features), features, scaling);
    const { bytes, indices } = placeWhole(engine.memory, frame, input);
    const bias = frame.input(call.bias, 1);
    const fields = { bytes, indices, features, count, scale, weights, bias, out: frame.output(call.out, count) };
    engine.run('logisticForward', fields, { end: count, grain: 4, work: count * features });
  });
}

export function logisticGradWeights(engine: Engine, call: Parameters<Kernels['linearGradWeights']>[0], input: ByteBatch): void {
  const { count, features } = input;
  const { adds: accumulates = false } = call;
  engine.inFrame((frame) => {
    const scaling = placeScaling(engine, frame, input);
    const dZ = splitNumbers(engine, frame, frame.input(call.dZ, count), count, null);
    const { bytes, indices } = placeWhole(engine.memory, frame, input);
    const out = accumulates ? frame.inOut(call.out.subarray(0, features)) : frame.output(call.out, features);
    const fields = { bytes, indices, features, count, dZ, out, accumulates, ...scaling };
    engine.run('logisticGradWeights', fields, { end: features, grain: columnGrain, work: count * features });
  });
}

/** Pictures of a part at least, and parts at most. */
const partPictures = 128;
const mostParts = 16;
const { LOGISTIC_COLUMNS, PASS_STATISTICS } = kernelConstants;

/** Forward and back in one (assembly/logistic-pass.ts); null for kernels of float64, and where rows are so long that they, with their sums,
 *  would not stay in a cache, or lie elsewhere. */
export function logisticPass(engine: Engine, others: Parameters<typeof referenceLogisticPass>[0]): Kernels['logisticPass'] {
  if (engine.precision !== 'float32') return null;
  return {
    takes: (input) => input.features <= LOGISTIC_COLUMNS && fitsWhole(engine.memory, input),
    run: (pass) => (ruleNumber('Loss', pass.rule) < 0 ? referenceLogisticPass(others, pass) : runPass(engine, pass)),
  };
}

function runPass(engine: Engine, { input, weights, bias, rule, labels, classWeights, m, z, dZ, dW, db }: LogisticPass): number {
  const { memory } = engine;
  const { count, features } = input;
  const partCount = 4 * Math.ceil(count / Math.min(mostParts, Math.ceil(count / partPictures)) / 4);
  const parts = Math.ceil(count / partCount);
  let totals: number[] = [];
  engine.inFrame((frame) => {
    const scaling = placeScaling(engine, frame, input);
    const split = splitNumbers(engine, frame, frame.input(weights, features), features, scaling);
    const { bytes, indices } = placeWhole(memory, frame, input);
    const sums = frame.room(parts * features * Float64Array.BYTES_PER_ELEMENT);
    const statistics = frame.room(parts * PASS_STATISTICS * Float64Array.BYTES_PER_ELEMENT);
    const call = {
      scale: scaling.scale,
      weights: split,
      bias: frame.input(bias, 1),
      rule: ruleNumber('Loss', rule),
      weight0: classWeights[0],
      weight1: classWeights[1],
      z: frame.output(z, count),
      labels: frame.input(labels, count),
      dZ: frame.output(dZ, count),
      bytes,
      indices,
      features,
      count,
      partCount,
      m,
      sums,
      statistics,
    };
    engine.run('logisticPass', call, { end: parts, grain: 1, apart: true, work: 2 * count * features });
    const gradient = { sums, statistics, features, parts, out: frame.output(dW, features), ...scaling };
    engine.run('logisticPassSum', gradient, { end: features, grain: columnGrain, work: parts * features });
    totals = memory.sumBlocks(statistics, parts, PASS_STATISTICS);
  });
  const [cost, sum] = totals as [number, number];
  db[0] = sum;
  return cost;
}

/** @param scaling  of the bytes that they are to be multiplied with; null where that is another's, which then asks for their sum */
function splitNumbers(
  engine: Engine,
  frame: Frame,
  values: number,
  count: number,
  scaling: Omit<PlacedScaling, 'scale'> | null,
): number {
  const out = frame.room(engine.splitBytes(count));
  const { scales, shifts } = scaling ?? { scales: 0, shifts: 0 };
  const call = { values, count, scales, shifts, wantsSum: scaling === null, out };
  engine.run('splitNumbers', call, { end: 1, grain: 1, work: 0 });
  return out;
}
