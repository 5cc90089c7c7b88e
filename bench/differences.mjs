// How far apart collections of pictures are, and how often a division of one is called different by mistake.
//   npm run build && node bench/differences.mjs SOURCE…      folders with a folder for each class, or .h5 files
import { basename, resolve } from 'node:path';
import { allocateStatistics, imageStatisticNames, setStatistics } from '../dist/data/inspection/measure.js';
import { loadExamples } from '../dist/data/load.js';
import { openSource, sourceAtPath } from '../dist/data/sources/sources.js';
import { splitNames, stratifiedSplit } from '../dist/data/split.js';
import { compareSplits } from '../dist/datasets/drift.js';
import { namedRandom } from '../dist/random.js';

const seeds = 1000;
const side = 64;
const classes = { positive: 'positive', negative: 'negative' };

const collections = [];
for (const path of process.argv.slice(2)) {
  const source = await openSource(await sourceAtPath(resolve(path)));
  const preprocessing = { imageSize: side, fit: 'cover' };
  const { examples } = await loadExamples(source, { preprocessing, positive: undefined, strict: false });
  const { labels, pixels, features } = examples;
  const squares = allocateStatistics(labels.length);
  for (let i = 0; i < labels.length; i++) setStatistics(squares, i, pixels.subarray(i * features, (i + 1) * features), side);
  collections.push({ name: basename(path), labels, squares });
}

/** Some pictures of a collection, as a part. */
function splitOf({ labels, squares }, part, indices) {
  const columns = imageStatisticNames.map((name) => [name, Float32Array.from(indices, (i) => squares[name][i])]);
  const positive = indices.reduce((sum, i) => sum + labels[i], 0);
  return { split: part, total: indices.length, positive, statistics: Object.fromEntries(columns) };
}

const all = ({ labels }) => Array.from(labels.keys());
for (const [i, a] of collections.entries()) {
  for (const b of collections.slice(i + 1)) {
    const found = compareSplits([splitOf(a, 'train', all(a)), splitOf(b, 'test', all(b))], classes);
    const sizes = found.map(({ what, size, differs }) => `${what} ${size.toFixed(2)}${differs ? '*' : ''}`);
    console.log(`${a.name} beside ${b.name}: ${sizes.join(', ')}`);
  }
}
for (const one of collections) {
  let alarms = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const indices = stratifiedSplit(one.labels, 'auto', namedRandom(seed, 'split'));
    const parts = splitNames.map((part) => splitOf(one, part, Array.from(indices[part])));
    if (compareSplits(parts, classes).some(({ differs }) => differs)) alarms++;
  }
  console.log(`${one.name}: ${one.labels.length} pictures, ${alarms} of ${seeds} divisions called different`);
}
