/** A picture of 64×64×3 bytes as the means of its 4×4 blocks of 16×16 pixels, channel by channel: what decoders may not differ in. */
export function blockMeans(pixels) {
  const means = new Array(48).fill(0);
  for (let row = 0; row < 64; row++) {
    for (let i = 0; i < 192; i++) {
      const block = (row >> 4) * 4 + (Math.floor(i / 3) >> 4);
      means[block * 3 + (i % 3)] += pixels[row * 192 + i] / 256;
    }
  }
  return means;
}
