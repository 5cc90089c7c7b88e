import { type Arithmetic, type Kernels, type Precision, precisions, type Scope } from '../kernels.ts';
import { gramGradient, gramValues } from '../span.ts';
import { isWide } from './compiled.ts';
import { elementwise } from './elementwise.ts';
import { createEngine, type Engine } from './engine.ts';
import type { Block } from './free-list.ts';
import { innerProducts } from './inner-products.ts';
import { placeMap } from './input-map.ts';
import type { Job } from './job.ts';
import { forwardOneUnit, hasOneUnitKernels, oneUnitPass, weightsOneUnit } from './one-unit.ts';
import { placeRows } from './rows.ts';
import { weightSteps } from './step-weights.ts';
import { vectors } from './vectors.ts';

/** The kernels in WebAssembly, four float32 or two float64 at a time, or twice as many where V8 has registers for them. Every machine computes the same bits, with any
 *  number of threads; the fast ones may round otherwise on another machine, and are the strict ones where Node lacks relaxed SIMD. */
export function simdKernels(precision: Precision, threads = 1, arithmetic: Arithmetic = 'strict', wide = isWide): Kernels {
  const engine = createEngine(precision, arithmetic, threads, wide);
  const layer = products(engine);
  const others = {
    ...layer,
    ...vectors(engine),
    gram: innerProducts(engine, layer.linear),
    logisticPass: oneUnitPass(engine),
  };
  const operations = { ...elementwise(engine), ...others, ...weightSteps(engine, others) };
  return withMemory(engine, operations, []);
}

type Operations = Omit<Kernels, 'precision' | 'arithmetic' | 'allocate' | 'pin' | 'scope'>;

/** Kernels that note in `taken` what memory they hand out. */
function withMemory(engine: Engine, operations: Operations, taken: Block[]): Kernels {
  const { precision, arithmetic, memory } = engine;
  function take(bytes: number): Block {
    const block = memory.take(bytes);
    taken.push(block);
    return block;
  }
  return {
    precision,
    arithmetic,
    ...operations,
    allocate(length) {
      const like = new precisions[precision]();
      return memory.view(like, take(length * like.BYTES_PER_ELEMENT).address, length).fill(0);
    },
    pin(bytes) {
      if (memory.addressOf(bytes) !== null || !memory.hasRoom(bytes.length)) return bytes;
      const copy = memory.view(bytes, take(bytes.length).address, bytes.length);
      copy.set(bytes);
      return copy;
    },
    scope(): Scope {
      const own: Block[] = [];
      const release = () => {
        for (const block of own.splice(0)) memory.give(block);
      };
      return { ...withMemory(engine, operations, own), release };
    },
  };
}

/** Pieces of a job begin at multiples of these: register shapes fill up, and a tile of columns is one thread's. */
const exampleGrain = 2;
const unitGrain = 4;
const columnGrain = 96;

/** Threads share the examples, or the units where they are more: a thread that has all examples reads its rows of W once. */
function rangeOf(count: number, units: number): Pick<Job, 'rule' | 'end' | 'grain' | 'ways'> {
  // every piece of examples lays all of W into panels
  return units > count ? { rule: 1, end: units, grain: unitGrain } : { rule: 0, end: count, grain: exampleGrain, ways: [1] };
}

function products(engine: Engine): Pick<Kernels, 'linear' | 'linearGradWeights' | 'linearGradInput'> {
  const { memory, size } = engine;
  return {
    linear({ input: rows, weights, bias, units, out }) {
      const input = rows.kind === 'gram' ? gramValues(rows) : rows;
      if (input.kind === 'bytes' && hasOneUnitKernels(engine, input, units)) {
        return forwardOneUnit(engine, { input, weights, bias, units, out }, input);
      }
      const { count, features } = input;
      engine.inFrame((frame) => {
        const layer = {
          features,
          units,
          weights: frame.input(weights, units * features),
          bias: bias === null ? 0 : frame.input(bias, units),
        };
        const z = frame.output(out, count * units);
        if (input.kind === 'floats') {
          const values = frame.input(input.values, count * features);
          const work = count * units * features;
          engine.run({ kind: 'forwardFloats', ...layer, ...rangeOf(count, units), input: values, count, out: z, work });
          return;
        }
        const map = placeMap(engine, frame, input);
        for (const { first, count, ...bytes } of placeRows(memory, frame, input)) {
          const work = count * units * features;
          const range = rangeOf(count, units);
          engine.run({ kind: 'forwardBytes', ...layer, ...bytes, ...map, ...range, count, out: z + first * units * size, work });
        }
      });
    },
    linearGradWeights({ input, dZ, units, out, adds = false }) {
      if (input.kind === 'gram') return gramGradient(input, dZ, units, out, adds);
      if (input.kind === 'bytes' && hasOneUnitKernels(engine, input, units)) {
        return weightsOneUnit(engine, { input, dZ, units, out, adds }, input);
      }
      const { count, features } = input;
      engine.inFrame((frame) => {
        const gradient = frame.input(dZ, count * units);
        const to = adds ? frame.update(out.subarray(0, units * features)) : frame.output(out, units * features);
        const layer = { features, units, out: to, end: features, grain: columnGrain };
        if (input.kind === 'floats') {
          const values = frame.input(input.values, count * features);
          const work = count * units * features;
          engine.run({ kind: 'weightsFloats', ...layer, input: values, count, gradient, accumulate: adds, work });
          return;
        }
        const map = placeMap(engine, frame, input);
        // what is there is scaled already: then the numbers of dZ bring the scale instead of the sums
        const early = adds && map.scale !== 1;
        const numbers = early
          ? frame.input(
              dZ.subarray(0, count * units).map((value) => value * map.scale),
              count * units,
            )
          : gradient;
        for (const { first, count: some, ...bytes } of placeRows(memory, frame, input)) {
          engine.run({
            kind: 'weightsBytes',
            ...layer,
            ...bytes,
            ...map,
            scale: !early && first + some === count ? map.scale : 1,
            count: some,
            accumulate: adds || first > 0,
            gradient: numbers + first * units * size,
            work: some * units * features,
          });
        }
      });
    },
    linearGradInput({ dZ, weights, units, features, count, out }) {
      engine.inFrame((frame) => {
        engine.run({
          kind: 'inputGradient',
          features,
          units,
          gradient: frame.input(dZ, count * units),
          weights: frame.input(weights, units * features),
          out: frame.output(out, count * features),
          end: count,
          grain: exampleGrain,
          work: count * units * features,
        });
      });
    },
  };
}
