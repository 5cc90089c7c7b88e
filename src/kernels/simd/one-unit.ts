import type { ByteBatch, Kernels, LogisticPass } from '../kernels.ts';
import { lossRules } from './elementwise.ts';
import type { Engine } from './engine.ts';
import type { Frame } from './frame.ts';
import { type PlacedMap, placeMap } from './input-map.ts';
import { fitsWhole, placeWhole } from './rows.ts';

/** Columns that a thread takes at least: long stretches of memory are read faster. */
const columnGrain = 2048;

/** A layer of one unit over bytes, in float32, has sums of whole numbers (assembly/one-unit.ts). */
export function hasOneUnitKernels({ precision, memory }: Engine, input: ByteBatch, units: number): boolean {
  return precision === 'float32' && units === 1 && fitsWhole(memory, input);
}

export function forwardOneUnit(engine: Engine, call: Parameters<Kernels['linear']>[0], input: ByteBatch): void {
  const { memory } = engine;
  const { count, features } = input;
  engine.inFrame((frame) => {
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

export function weightsOneUnit(engine: Engine, call: Parameters<Kernels['linearGradWeights']>[0], input: ByteBatch): void {
  const { memory } = engine;
  const { count, features } = input;
  engine.inFrame((frame) => {
    const map = placeMap(engine, frame, input);
    const gradient = splitNumbers(engine, frame, frame.input(call.dZ, count), count, { multiply: 0, add: 0, sums: true });
    const { input: bytes, indices } = placeWhole(memory, frame, input);
    const out = call.adds ? frame.update(call.out.subarray(0, features)) : frame.output(call.out, features);
    const work = count * features;
    const range = { end: features, grain: columnGrain, accumulate: call.adds ?? false, work };
    engine.run({ kind: 'weightsOneUnit', input: bytes, indices, features, count, ...map, gradient, out, ...range });
  });
}

/** Pictures of a part at least, and parts at most. */
const partPictures = 128;
const mostParts = 16;
/** Σ weight · L and Σ dZ of a part. */
const partFacts = 2;
/** TILE of assembly/one-unit.ts: longer rows, with their sums, would not stay in a cache. */
const mostFeatures = 16_384;

/** Forward and back in one (assembly/one-unit-pass.ts); null for kernels of float64, and where rows are long or lie elsewhere.  */
export function oneUnitPass(engine: Engine): Kernels['logisticPass'] {
  if (engine.precision !== 'float32') return null;
  return {
    takes: (input) => input.features <= mostFeatures && fitsWhole(engine.memory, input),
    run: (pass) => passOneUnit(engine, pass),
  };
}

function passOneUnit(
  engine: Engine,
  { input, weights, bias, rule, labels, classWeights, m, z, dZ, dW, db }: LogisticPass,
): number {
  const { memory } = engine;
  const { count, features } = input;
  const units = 4 * Math.ceil(count / Math.min(mostParts, Math.ceil(count / partPictures)) / 4);
  const parts = Math.ceil(count / units);
  const told = [0, 0] as [number, number];
  engine.inFrame((frame) => {
    const map = placeMap(engine, frame, input);
    const split = splitNumbers(engine, frame, frame.input(weights, features), features, { ...map, sums: false });
    const { input: bytes, indices } = placeWhole(memory, frame, input);
    const sums = frame.room(parts * features * Float64Array.BYTES_PER_ELEMENT);
    const facts = frame.room(parts * partFacts * Float64Array.BYTES_PER_ELEMENT);
    engine.run({
      kind: 'passParts',
      rule: lossRules.indexOf(rule.name),
      input: bytes,
      indices,
      features,
      count,
      units,
      scale: map.scale,
      weights: split,
      bias: frame.input(bias, 1),
      velocity: frame.output(z, count),
      squares: frame.input(labels, count),
      beta1: classWeights[0],
      beta2: classWeights[1],
      decay: m,
      gradient: frame.output(dZ, count),
      out: sums,
      facts,
      end: parts,
      grain: 1,
      apart: true,
      work: 2 * count * features,
    });
    const out = frame.output(dW, features);
    const work = parts * features;
    engine.run({
      kind: 'sumParts',
      ...map,
      input: sums,
      facts,
      features,
      units: parts,
      out,
      end: features,
      grain: columnGrain,
      work,
    });
    for (const [i, value] of memory.view(new Float64Array(), facts, parts * partFacts).entries()) told[i % partFacts]! += value;
  });
  const [cost, sum] = told;
  db[0] = sum;
  return cost;
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
