import { type Floats, type InputMap, type Precision, precisions } from '../kernels.ts';

/** An input map as the compiled kernels take it. A map x = scale · byte costs them nothing: it is applied to the sums. */
export type PreparedMap = { kind: 'scale'; scale: number } | { kind: 'features'; multiply: Floats; add: Floats };

/** Prepares maps, each once. */
export function mapPreparer(precision: Precision): (map: InputMap) => PreparedMap {
  const known = new WeakMap<InputMap, PreparedMap>();
  return (map) => {
    const prepared = known.get(map) ?? prepare(map, precision);
    known.set(map, prepared);
    return prepared;
  };
}

function prepare({ multiply, add }: InputMap, precision: Precision): PreparedMap {
  const scale = multiply[0]!;
  if (multiply.every((value) => value === scale) && add.every((value) => value === 0)) return { kind: 'scale', scale };
  return { kind: 'features', multiply: precisions[precision].from(multiply), add: precisions[precision].from(add) };
}
