import { contentHash } from '../content-hash.ts';
import { type Difficulty, drawImage, renderImage, syntheticLabel } from '../drawn/draw.ts';
import type { Source } from '../source.ts';

/** Pictures that the project draws itself, made as they are asked for. */
export async function openSynthetic(options: { count: number; seed: number; difficulty: Difficulty }): Promise<Source> {
  const classes = ['cat', 'noncat'];
  const { seed, difficulty } = options;
  const draw = (index: number) => drawImage({ seed, index, difficulty });
  return {
    title: `drawn pictures (${difficulty}, seed ${seed})`,
    count: options.count,
    classes,
    name: (index) => `drawn-${seed}-${index}`,
    classOf: (index) => classes.indexOf(syntheticLabel({ seed, index, difficulty })),
    read: async (index, preprocessing) => {
      const image = draw(index);
      return { pixels: await renderImage(image, preprocessing), hash: contentHash(Buffer.from(image.svg)) };
    },
    original: async (index) => ({ file: Buffer.from(draw(index).svg) }),
    decoding: {
      kind: 'drawn',
      validator: async () => undefined, // what is drawn is the version's of nn: only the drawing tells
      decode: (_, index, preprocessing) => renderImage(draw(index), preprocessing),
    },
    isIndependent: true,
    notes: [],
  };
}
