import { contentHash } from '../content-hash.ts';
import { type Difficulty, drawnLabel, drawPicture, renderPicture } from '../drawn/draw.ts';
import type { Source } from '../source.ts';

/** Pictures that the project draws itself, made as they are asked for. */
export async function openDrawn(options: { count: number; seed: number; difficulty: Difficulty }): Promise<Source> {
  const classes = ['cat', 'noncat'];
  const { seed, difficulty } = options;
  const draw = (index: number) => drawPicture({ seed, index, difficulty });
  return {
    title: `drawn pictures (${difficulty}, seed ${seed})`,
    count: options.count,
    classes,
    name: (index) => `drawn-${seed}-${index}`,
    classOf: (index) => classes.indexOf(drawnLabel({ seed, index, difficulty })),
    read: async (index, preprocessing) => {
      const picture = draw(index);
      return { pixels: await renderPicture(picture, preprocessing), hash: contentHash(Buffer.from(picture.svg)) };
    },
    original: async (index) => ({ file: Buffer.from(draw(index).svg) }),
    decoding: {
      kind: 'drawn',
      stamp: async () => undefined, // what is drawn is the version's of nn: only the drawing tells
      decode: (_, index, preprocessing) => renderPicture(draw(index), preprocessing),
    },
    madeApart: true,
    notes: [],
  };
}
