import { kernelConstants } from '../bindings.ts';
import { type ByteBatch, type Floats, type InputScaling, type Precision, precisions } from '../kernels.ts';
import type { Frame } from './call.ts';
import type { KernelMemory } from './memory.ts';

/** Rows of bytes where the kernels can read them: rows first … first + count − 1 of a batch. */
export interface PlacedRows {
  bytes: number;
  /** of Int32, or 0 where row i is example i */
  indices: number;
  first: number;
  count: number;
}

/** What there is to know of a batch to find its rows. */
type Rows = Pick<ByteBatch, 'bytes' | 'indices' | 'count' | 'features'>;

/** Sums over examples may be cut at multiples of it. */
const unit = kernelConstants.EXAMPLES;
/** What is copied at once of a batch that lies elsewhere. */
const copiedBytes = 32 * 2 ** 20;
/** What is copied at once where the batch must be whole. */
const wholeBytes = 2 ** 30;

/** Whether a batch can be had as a whole. */
export function fitsWhole(memory: KernelMemory, { bytes, count, features }: ByteBatch): boolean {
  return memory.addressOf(bytes) !== null || count * features <= wholeBytes;
}

/** A batch, whole where its bytes lie in the kernels' memory; else copied piece by piece into the same room. */
export function* placeRows(memory: KernelMemory, frame: Frame, rows: Rows, atOnce = copiedBytes): Generator<PlacedRows> {
  const { bytes, indices, count, features } = rows;
  requireRows(rows);
  const own = memory.addressOf(bytes);
  if (own !== null) {
    yield { bytes: own, indices: indices === null ? 0 : frame.input(indices, count), first: 0, count };
    return;
  }
  const piece = Math.min(count, unit * Math.max(1, Math.floor(atOnce / (unit * features))));
  const address = frame.room(piece * features);
  const room = memory.view(bytes, address, piece * features);
  for (let first = 0; first < count; first += piece) {
    const end = Math.min(count, first + piece);
    for (let i = first; i < end; i++) {
      const row = indices === null ? i : indices[i]!;
      room.set(bytes.subarray(row * features, (row + 1) * features), (i - first) * features);
    }
    yield { bytes: address, indices: 0, first, count: end - first };
  }
}

/** A batch as a whole, which `fitsWhole`. */
export function placeWhole(memory: KernelMemory, frame: Frame, rows: Rows): PlacedRows {
  return placeRows(memory, frame, rows, rows.count * rows.features + wholeBytes).next().value!;
}

function requireRows({ bytes, indices, count, features }: Rows): void {
  const rows = Math.floor(bytes.length / features);
  const fits =
    indices === null
      ? count <= rows
      : count <= indices.length && indices.subarray(0, count).every((row) => row >= 0 && row < rows);
  if (!fits) throw new RangeError(`kernels: expected examples among the ${rows} rows of a batch's bytes`);
}

/** An input scaling as the compiled kernels take it: x = scale · byte costs them nothing, since it is applied to the sums. */
export type PreparedScaling = number | { scales: Floats; shifts: Floats };

export interface ScalingPreparer {
  prepare(scaling: InputScaling): PreparedScaling;
}

/** Prepares scalings, each once. */
export function scalingPreparer(precision: Precision): ScalingPreparer['prepare'] {
  const known = new WeakMap<InputScaling, PreparedScaling>();
  return (scaling) => {
    const prepared = known.get(scaling) ?? prepare(scaling, precision);
    known.set(scaling, prepared);
    return prepared;
  };
}

function prepare({ scale: scales, shift: shifts }: InputScaling, precision: Precision): PreparedScaling {
  const scale = scales[0]!;
  if (scales.every((value) => value === scale) && shifts.every((value) => value === 0)) return scale;
  return { scales: precisions[precision].from(scales), shifts: precisions[precision].from(shifts) };
}

/** A scaling as a call takes it: addresses of its numbers, 0 where there is but a scale. */
export interface PlacedScaling {
  scale: number;
  scales: number;
  shifts: number;
}

export function placeScaling({ prepare }: ScalingPreparer, frame: Frame, { scaling, features }: ByteBatch): PlacedScaling {
  const prepared = prepare(scaling);
  if (typeof prepared === 'number') return { scale: prepared, scales: 0, shifts: 0 };
  return { scale: 1, scales: frame.input(prepared.scales, features), shifts: frame.input(prepared.shifts, features) };
}
