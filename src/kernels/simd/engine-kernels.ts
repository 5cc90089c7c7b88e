import { kernelConstants } from '../bindings.ts';
import { type InputScaling, type Kernels, precisions, type Scope } from '../kernels.ts';
import { gramGradient, gramValues } from '../reference.ts';
import { elementwiseCalls } from './elementwise-calls.ts';
import type { CallRange, Engine } from './engine.ts';
import { imageCalls } from './image-calls.ts';
import { hasLogisticKernels, logisticForward, logisticGradWeights, logisticPass } from './logistic-calls.ts';
import type { Block } from './memory.ts';
import { placeRows, placeScaling } from './operands.ts';
import { backwardAndStep, vectorCalls } from './vector-calls.ts';
import { windowCalls } from './window-calls.ts';

/** The compiled kernels on an engine, wherever it runs. */
export function kernelsOn(engine: Engine): Kernels {
  const calls = {
    ...elementwiseCalls(engine),
    ...linearCalls(engine),
    ...vectorCalls(engine),
    ...windowCalls(engine),
    ...imageCalls(engine),
  };
  const operations = {
    ...calls,
    gram: gram(engine, calls.linear),
    logisticPass: logisticPass(engine, calls),
    backwardAndStep: backwardAndStep(engine, calls),
  };
  return withMemory(engine, operations, []);
}

type Operations = Omit<Kernels, 'precision' | 'arithmetic' | 'threads' | 'perExample' | 'allocate' | 'pin' | 'scope'>;

/** Kernels that note in `taken` what memory they hand out. */
function withMemory(engine: Engine, operations: Operations, taken: Block[]): Kernels {
  const { precision, arithmetic, threads, memory } = engine;
  function take(bytes: number): Block {
    const block = memory.take(bytes);
    taken.push(block);
    return block;
  }
  return {
    precision,
    arithmetic,
    threads,
    perExample: engine.perExample,
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

/** Pieces of a call begin at multiples of these: register shapes fill up, and a tile of columns is one thread's. */
const exampleGrain = 2;
const unitGrain = 4;
const columnGrain = kernelConstants.COLUMN_BYTES / Float32Array.BYTES_PER_ELEMENT;

/** Threads share the examples, or the units where they are more: a thread that has all examples reads its rows of W once. */
function linearRange(count: number, units: number, features: number): CallRange {
  const work = count * units * features;
  // every piece of examples lays all of W into panels
  return units > count ? { end: units, grain: unitGrain, work } : { end: count, grain: exampleGrain, ways: [1], work };
}

function linearCalls(engine: Engine): Pick<Kernels, 'linear' | 'linearGradWeights' | 'linearGradInput'> {
  const { memory, size } = engine;
  return {
    linear({ input: rows, weights, bias, units, out }) {
      const input = rows.kind === 'gram' ? gramValues(rows) : rows;
      if (input.kind === 'bytes' && hasLogisticKernels(engine, input, units)) {
        return logisticForward(engine, { input, weights, bias, units, out }, input);
      }
      const { count, features } = input;
      engine.inFrame((frame) => {
        const layer = {
          features,
          units,
          weights: frame.input(weights, units * features),
          bias: frame.input(bias, units),
        };
        const z = frame.output(out, count * units);
        if (input.kind === 'floats') {
          const values = frame.input(input.values, count * features);
          engine.run(
            'linearFloats',
            { values, count, out: z, byUnits: units > count, ...layer },
            linearRange(count, units, features),
          );
          return;
        }
        const scaling = placeScaling(engine, frame, input);
        for (const { first, count, ...rows } of placeRows(memory, frame, input)) {
          const out = z + first * units * size;
          const call = { count, out, byUnits: units > count, ...layer, ...rows, ...scaling };
          engine.run('linearBytes', call, linearRange(count, units, features));
        }
      });
    },
    linearGradWeights({ input, dZ, units, out, adds = false }) {
      if (input.kind === 'gram') return gramGradient(input, dZ, units, out, adds);
      if (input.kind === 'bytes' && hasLogisticKernels(engine, input, units)) {
        return logisticGradWeights(engine, { input, dZ, units, out, adds }, input);
      }
      const { count, features } = input;
      engine.inFrame((frame) => {
        const gradient = frame.input(dZ, count * units);
        const to = adds ? frame.inOut(out.subarray(0, units * features)) : frame.output(out, units * features);
        const layer = { features, units, out: to };
        const range = (count: number) => ({ end: features, grain: columnGrain, work: count * units * features });
        if (input.kind === 'floats') {
          const values = frame.input(input.values, count * features);
          engine.run('linearGradWeightsFloats', { values, count, dZ: gradient, accumulates: adds, ...layer }, range(count));
          return;
        }
        const scaling = placeScaling(engine, frame, input);
        // what is there is scaled already: then the numbers of dZ bring the scale instead of the sums
        const early = adds && scaling.scale !== 1;
        const numbers = early
          ? frame.input(
              dZ.subarray(0, count * units).map((value) => value * scaling.scale),
              count * units,
            )
          : gradient;
        for (const { first, count: some, ...rows } of placeRows(memory, frame, input)) {
          const call = {
            count: some,
            accumulates: adds || first > 0,
            dZ: numbers + first * units * size,
            ...layer,
            ...rows,
            ...scaling,
            scale: !early && first + some === count ? scaling.scale : 1,
          };
          engine.run('linearGradWeightsBytes', call, range(some));
        }
      });
    },
    linearGradInput({ dZ, weights, units, features, count, out }) {
      engine.call('linearGradInput', { end: count, grain: exampleGrain, work: count * units * features }, (frame) => ({
        features,
        units,
        dZ: frame.input(dZ, count * units),
        weights: frame.input(weights, units * features),
        out: frame.output(out, count * features),
      }));
    },
  };
}

type GramOptions = Parameters<Kernels['gram']>[0];

/** Pictures that are turned into numbers together, and multiplied with all others as a layer of so many units. */
const gramBlock = 64;
/** Rows of a piece of exact products: few, since all of them are made in one call, which begins in V8's slow code. */
const gramGrain = 16;

/** Exact sums of whole numbers where the scaling is x = scale · byte; else sums in the precision of the kernels. */
function gram(engine: Engine, linear: Kernels['linear']): Kernels['gram'] {
  return (options) => {
    const scaling = engine.prepare(options.scaling);
    if (typeof scaling === 'number') gramOfBytes(engine, options, scaling * scaling);
    else gramByBlocks(engine, linear, options);
  };
}

function gramOfBytes(engine: Engine, { left, right, scaling, out }: GramOptions, scale: number): void {
  const features = scaling.scale.length;
  const [rows, columns] = [left.length / features, right.length / features];
  const { memory } = engine;
  const same = left === right;
  engine.inFrame((frame) => {
    const address = frame.room(rows * columns * Float64Array.BYTES_PER_ELEMENT);
    const input = frame.input(left, left.length);
    const call = { left: input, right: same ? input : frame.input(right, right.length), features, columns, out: address };
    engine.run('gramU8', call, { end: rows, grain: gramGrain, apart: true, work: rows * columns * features });
    const sums = memory.view(new Float64Array(), address, rows * columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) out[i * columns + j] = scale * sums[same && j < i ? j * columns + i : i * columns + j]!;
    }
  });
}

function gramByBlocks({ precision }: Engine, linear: Kernels['linear'], { left, right, scaling, out }: GramOptions): void {
  const features = scaling.scale.length;
  const [rows, columns] = [left.length / features, right.length / features];
  const weights = new precisions[precision](gramBlock * features);
  const products = new precisions[precision](rows * gramBlock);
  const input = { kind: 'bytes', bytes: left, indices: null, count: rows, features, scaling } as const;
  for (let first = 0; first < columns; first += gramBlock) {
    const units = Math.min(gramBlock, columns - first);
    dequantize(right.subarray(first * features, (first + units) * features), scaling, weights);
    linear({ input, weights, bias: null, units, out: products });
    for (let i = 0; i < rows; i++) out.set(products.subarray(i * units, (i + 1) * units), i * columns + first);
  }
}

function dequantize(bytes: Uint8Array, { scale, shift }: InputScaling, out: Float32Array | Float64Array): void {
  const features = scale.length;
  for (let at = 0; at < bytes.length; at += features) {
    for (let k = 0; k < features; k++) out[at + k] = bytes[at + k]! * scale[k]! + shift[k]!;
  }
}
