import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Trains some configs with 1, 2 and 4 threads under several versions of Node and prints a hash of the final weights for each:
 * `node bench/same-bits.mjs 20 22 24 26`. One line per config; "same" where all hashes agree. Exit 1 where any differ.
 * (npx fetches the versions of Node.)
 */
const configs = ['all-options', 'demo-overfitting', 'demo-l2', 'demo-decay', 'demo-learning-rate'];
const versions = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nn-bits-'));

function hashOf(config, version, threads) {
  const output = join(folder, 'run');
  const words = ['bin/nn.js', 'train', '--config', `configs/${config}.json`, '--output', output, '--force', '-q'];
  const options = { cwd: root, env: { ...process.env, NN_THREADS: String(threads) }, stdio: ['ignore', 'ignore', 'ignore'] };
  execFileSync('npx', ['--yes', '-p', `node@${version}`, 'node', ...words], options);
  const bytes = readFileSync(join(output, 'model.safetensors'));
  const header = Number(bytes.readBigUInt64LE(0));
  return createHash('sha256')
    .update(bytes.subarray(8 + header))
    .digest('hex')
    .slice(0, 12);
}

let differ = false;
for (const config of configs) {
  const hashes = versions.flatMap((version) => [1, 2, 4].map((threads) => hashOf(config, version, threads)));
  const same = new Set(hashes).size === 1;
  differ ||= !same;
  console.log(`${config}  ${same ? `same: ${hashes[0]}` : `DIFFERENT: ${hashes.join(' ')}`}  (${hashes.length} trainings)`);
}
rmSync(folder, { recursive: true });
process.exitCode = differ ? 1 : 0;
