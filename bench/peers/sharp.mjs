// Plain sharp, the same resize, as many pictures at once as keep its threads busy.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { answerLines } from '../answer.mjs';
import { blockMeans } from './block-means.mjs';

sharp.cache(false);
sharp.concurrency(1);

await answerLines(`sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`, async ({ name }, folder) => {
  const paths = JSON.parse(readFileSync(join(folder, `paths-${name}.json`), 'utf8'));
  const decode = (path) => sharp(path).resize(64, 64, { fit: 'cover', kernel: 'lanczos3' }).raw().toBuffer();
  return {
    async run(count) {
      const pictures = new Array(count);
      let next = 0;
      const work = async () => {
        for (let i = next++; i < count; i = next++) pictures[i] = await decode(paths[i]);
      };
      await Promise.all(Array.from({ length: availableParallelism() + 2 }, work));
      return pictures;
    },
    check: (pictures) => pictures.flatMap(blockMeans),
  };
});
