export interface ShrinkImages {
  /** of images, side · side · 3 each */
  bytes: Uint8Array;
  /** which images of `bytes`; null for the first `count` */
  indices: Int32Array | null;
  count: number;
  side: number;
  /** of what is made of them, below `side` */
  smaller: number;
  /** [count, smaller · smaller · 3], overwritten; no part of `bytes` */
  out: Uint8Array;
}

/** Which pixels of a line a pixel of the smaller line is made of: for each, the first of them and `taps` weights, which add up to 1. */
export interface Triangle {
  taps: number;
  numbers: Float64Array;
}

const triangles = new Map<string, Triangle>();

/** A triangle filter as wide as two pixels of the smaller line, cut off at the edges: what is finer than its pixels is averaged away. What is looked up is kept. */
export function triangleOf(from: number, to: number): Triangle {
  const key = `${from} ${to}`;
  const known = triangles.get(key) ?? makeTriangle(from, to);
  triangles.set(key, known);
  return known;
}

function makeTriangle(from: number, to: number): Triangle {
  const scale = from / to;
  const taps = Math.min(from, Math.ceil(2 * scale) + 1);
  const numbers = new Float64Array(to * (taps + 1));
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.min(from - taps, Math.max(0, Math.floor(centre - scale)));
    const weights = Array.from({ length: taps }, (_, j) => Math.max(0, 1 - Math.abs(first + j + 0.5 - centre) / scale));
    const sum = weights.reduce((a, b) => a + b, 0);
    numbers.set([first, ...weights.map((weight) => weight / sum)], i * (taps + 1));
  }
  return { taps, numbers };
}

/** Makes images smaller, on bytes, half a byte rounded up: sums run over the rows of an image first, and over its columns then, each from the first to the last, in float64. In plain
 *  TypeScript: the definition. */
export function shrinkImages({ bytes, indices, count, side, smaller, out }: ShrinkImages): void {
  const { taps, numbers } = triangleOf(side, smaller);
  const line = side * 3;
  const sums = new Float64Array(line);
  let end = 0;
  for (let image = 0; image < count; image++) {
    const start = (indices === null ? image : indices[image]!) * side * line;
    for (let y = 0; y < smaller; y++) {
      const row = y * (taps + 1);
      sums.fill(0);
      for (let j = 0; j < taps; j++) {
        const weight = numbers[row + 1 + j]!;
        const at = start + (numbers[row]! + j) * line;
        for (let k = 0; k < line; k++) sums[k] = sums[k]! + weight * bytes[at + k]!;
      }
      for (let x = 0; x < smaller; x++) {
        const column = x * (taps + 1);
        for (let channel = 0; channel < 3; channel++) {
          let sum = 0;
          for (let j = 0; j < taps; j++) sum += numbers[column + 1 + j]! * sums[(numbers[column]! + j) * 3 + channel]!;
          out[end++] = Math.floor(sum + 0.5);
        }
      }
    }
  }
}
