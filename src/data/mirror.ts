/** Images as a mirror shows them, left for right.
 *  @param pixels  [m, side · side · 3] bytes
 *  @param out     as many, overwritten
 *  @returns out */
export function mirrored(pixels: Uint8Array, side: number, out = new Uint8Array(pixels.length)): Uint8Array {
  const row = side * 3;
  for (let from = 0, end = row; from < pixels.length; end += row) {
    for (let to = end - 3; from < end; from += 3, to -= 3) {
      out[to] = pixels[from]!;
      out[to + 1] = pixels[from + 1]!;
      out[to + 2] = pixels[from + 2]!;
    }
  }
  return out;
}
