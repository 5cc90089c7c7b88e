/** Images as a mirror shows them, left for right.
 *  @param pixels  [m, side · side · 3] bytes */
export function mirrored(pixels: Uint8Array, side: number): Uint8Array {
  const out = new Uint8Array(pixels.length);
  const row = side * 3;
  for (let start = 0; start < pixels.length; start += row) {
    for (let x = 0; x < side; x++) {
      const [from, to] = [start + x * 3, start + (side - 1 - x) * 3];
      out[to] = pixels[from]!;
      out[to + 1] = pixels[from + 1]!;
      out[to + 2] = pixels[from + 2]!;
    }
  }
  return out;
}
