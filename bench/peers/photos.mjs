// The photographs of some folders as a table: node bench/peers/photos.mjs TABLE FOLDER [FOLDER ...]. A line for each, `path,label`, sorted by path in byte order; a picture's label is the name
// of the folder that it lies in. nn and the peer split it alike: both take the parts that the split.csv of a run names.
import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

const [table, ...folders] = process.argv.slice(2);
if (folders.length === 0) {
  console.error('node bench/peers/photos.mjs TABLE FOLDER [FOLDER ...]');
  process.exit(2);
}
const rows = folders.flatMap((folder) =>
  ['cat', 'noncat'].flatMap((label) => readdirSync(resolve(folder, label)).map((name) => [resolve(folder, label, name), label])),
);
const lines = rows.map(([path, label]) => `${relative(dirname(resolve(table)), path)},${label}`);
lines.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
writeFileSync(table, `path,label\n${lines.join('\n')}\n`);
console.log(`${lines.length} photographs`);
