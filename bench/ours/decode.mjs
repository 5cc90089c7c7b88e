// Decoding as `nn train` and `nn predict` do it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage } from '../../dist/data/decode.js';
import { decodesAtOnce, mapInOrder } from '../../dist/data/source.js';
import { blockMeans } from '../peers/block-means.mjs';

export async function prepare({ name }, folder) {
  const paths = JSON.parse(readFileSync(join(folder, `paths-${name}.json`), 'utf8'));
  const decode = (path) => decodeImage(path, { imageSize: 64, fit: 'cover' });
  return {
    async run(count) {
      const pictures = [];
      for await (const pixels of mapInOrder(paths.slice(0, count), decodesAtOnce(), decode)) pictures.push(pixels);
      return pictures;
    },
    check: (pictures) => pictures.flatMap(blockMeans),
  };
}
