import { type ByteBatch, type Floats, type InputScaling, type Precision, precisions } from '../kernels.ts';
import type { Engine } from './engine.ts';
import type { Frame } from './frame.ts';

/** An input map as the compiled kernels take it. A map x = scale · byte costs them nothing: it is applied to the sums. */
export type PreparedMap = { kind: 'scale'; scale: number } | { kind: 'features'; multiply: Floats; add: Floats };

/** Prepares maps, each once. */
export function mapPreparer(precision: Precision): (scaling: InputScaling) => PreparedMap {
  const known = new WeakMap<InputScaling, PreparedMap>();
  return (scaling) => {
    const prepared = known.get(scaling) ?? prepare(scaling, precision);
    known.set(scaling, prepared);
    return prepared;
  };
}

function prepare({ scale: multiply, shift: add }: InputScaling, precision: Precision): PreparedMap {
  const scale = multiply[0]!;
  if (multiply.every((value) => value === scale) && add.every((value) => value === 0)) return { kind: 'scale', scale };
  return { kind: 'features', multiply: precisions[precision].from(multiply), add: precisions[precision].from(add) };
}

/** A map as a job takes it: addresses of its numbers, 0 where there is but a scale. */
export interface PlacedMap {
  multiply: number;
  add: number;
  scale: number;
}

export function placeMap({ prepare }: Engine, frame: Frame, { scaling, features }: ByteBatch): PlacedMap {
  const prepared = prepare(scaling);
  if (prepared.kind === 'scale') return { multiply: 0, add: 0, scale: prepared.scale };
  return { multiply: frame.input(prepared.multiply, features), add: frame.input(prepared.add, features), scale: 1 };
}
