import { type ByteRows, type Kernels, type Precision, precisions, type Scope } from '../kernels.ts';
import { spanGradient, spanValues } from '../span.ts';
import type { BytesInput } from './compiled.ts';
import { createEngine, type Engine } from './engine.ts';
import { type Frame, inFrame } from './frame.ts';
import type { Block } from './free-list.ts';
import { innerProducts } from './inner-products.ts';
import type { KernelMemory } from './memory.ts';
import { type PlacedRows, placeRows } from './rows.ts';

/** The kernels in WebAssembly, four float32 or two float64 at a time. Every machine computes the same bits. */
export function simdKernels(precision: Precision): Kernels {
  const engine = createEngine(precision);
  const basic = products(engine);
  const all = { ...basic, innerProducts: innerProducts(engine, basic.forward) };
  return withMemory(precision, all, engine.memory, []);
}

type Products = Pick<Kernels, 'forward' | 'backwardWeights' | 'backwardInput' | 'innerProducts'>;

/** Kernels that note in `taken` what memory they hand out. */
function withMemory(precision: Precision, products: Products, memory: KernelMemory, taken: Block[]): Kernels {
  function take(bytes: number): Block {
    const block = memory.take(bytes);
    taken.push(block);
    return block;
  }
  return {
    precision,
    ...products,
    floats(length) {
      const like = new precisions[precision]();
      return memory.view(like, take(length * like.BYTES_PER_ELEMENT).address, length).fill(0);
    },
    resident(bytes) {
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
      return { ...withMemory(precision, products, memory, own), release };
    },
  };
}

function products(engine: Engine): Omit<Products, 'innerProducts'> {
  const { memory, compiled, size, scratch } = engine;
  return {
    forward({ input: rows, weights, bias, units, out }) {
      const input = rows.kind === 'span' ? spanValues(rows) : rows;
      const { count, features } = input;
      inFrame(memory, (frame) => {
        const w = frame.input(weights, units * features);
        const b = bias === null ? 0 : frame.input(bias, units);
        const z = frame.output(out, count * units);
        if (input.kind === 'floats') {
          compiled.forwardFloats(frame.input(input.values, count * features), features, w, b, units, z, 0, count);
          return;
        }
        const map = placeMap(engine, frame, input);
        for (const rows of placeRows(memory, frame, input)) {
          const to = z + rows.first * units * size;
          compiled.forwardBytes(...bytesInput(rows, features, map), w, b, units, to, 0, rows.count, scratch);
        }
      });
    },
    backwardWeights({ input, dZ, units, out }) {
      if (input.kind === 'span') return spanGradient(input, dZ, units, out);
      const { count, features } = input;
      inFrame(memory, (frame) => {
        const d = frame.input(dZ, count * units);
        const dW = frame.output(out, units * features);
        if (input.kind === 'floats') {
          compiled.weightsFloats(frame.input(input.values, count * features), features, count, d, units, dW, 0, features);
          return;
        }
        const map = placeMap(engine, frame, input);
        for (const rows of placeRows(memory, frame, input)) {
          const last = rows.first + rows.count === count;
          const own = { ...map, scale: last ? map.scale : 1 };
          const from = d + rows.first * units * size;
          const accumulate = Number(rows.first > 0);
          compiled.weightsBytes(
            ...bytesInput(rows, features, own),
            rows.count,
            accumulate,
            from,
            units,
            dW,
            0,
            features,
            scratch,
          );
        }
      });
    },
    backwardInput({ dZ, weights, units, features, count, out }) {
      inFrame(memory, (frame) => {
        const w = frame.input(weights, units * features);
        compiled.inputGradient(frame.input(dZ, count * units), w, units, features, frame.output(out, count * features), 0, count);
      });
    },
  };
}

interface PlacedMap {
  multiply: number;
  add: number;
  scale: number;
}

function placeMap({ prepare }: Engine, frame: Frame, { map, features }: ByteRows): PlacedMap {
  const prepared = prepare(map);
  if (prepared.kind === 'scale') return { multiply: 0, add: 0, scale: prepared.scale };
  return { multiply: frame.input(prepared.multiply, features), add: frame.input(prepared.add, features), scale: 1 };
}

function bytesInput({ bytes, indices }: PlacedRows, features: number, { multiply, add, scale }: PlacedMap): BytesInput {
  return [bytes, indices, features, multiply, add, scale];
}
