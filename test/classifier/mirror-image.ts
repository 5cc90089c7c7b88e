/** An image as a mirror shows it, left for right: a definition that shares nothing with what is tested. @param pixels  [m, side · side · 3] bytes */
export function mirrored(pixels: Uint8Array, side: number): Uint8Array {
  return pixels.map((_, at) => {
    const [pixel, channel] = [Math.floor(at / 3), at % 3];
    const column = pixel % side;
    return pixels[(pixel - column + (side - 1 - column)) * 3 + channel]!;
  });
}
