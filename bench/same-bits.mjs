import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/**
 * Trains some configs under several versions of Node, in each of the ways below, and prints a hash of the final weights:
 * `node bench/same-bits.mjs 20 22 24 26`. One line per config; "same" where all hashes agree. Exit 1 where any differ.
 * Pixels come from a packed file: decoding and drawing are the same for one version of sharp alone. (npx fetches the versions of Node.) test/training/same-bits.test.ts is the small one, for every `npm test`.
 */
const configs = [
  'all-options',
  'all-options precision=float64',
  'demo-overfitting',
  'demo-l2',
  'demo-decay',
  'demo-learning-rate',
];
const ways = {
  '1 thread': (run) => train(run, 1),
  '2 threads': (run) => train(run, 2),
  '4 threads': (run) => train(run, 4),
  'once more': (run) => train(run, 2),
  streamed: (run) => train({ ...run, sets: [...run.sets, 'data.memory=0'] }, 2),
  'killed and resumed': resumed,
};
const versions = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nn-bits-'));
const output = join(folder, 'run');

const asked = (name, sets) => [...['--config', `configs/${name}.json`], ...sets.flatMap((set) => ['--set', set])];
const fresh = ({ name, sets }) => ['train', ...asked(name, sets), '--output', output, '--force', '-q'];

/** `nn` under a version of Node: a command, its arguments, and how it is run. */
function nn(version, words, threads) {
  const env = { ...process.env, NN_THREADS: String(threads) };
  return [
    'npx',
    ['--yes', '-p', `node@${version}`, 'node', 'bin/nn.js', ...words],
    { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] },
  ];
}

function train(run, threads) {
  execFileSync(...nn(run.version, fresh(run), threads));
}

/** A training that is killed in its midst, and goes on. */
async function resumed(run) {
  rmSync(output, { recursive: true, force: true });
  const [command, words, options] = nn(run.version, [...fresh(run), '--set', 'training.checkpointEpochs=1'], 2);
  const child = spawn(command, words, { ...options, detached: true }); // a group of its own: npx has children
  const ended = once(child, 'exit');
  while (child.exitCode === null && !existsSync(join(output, 'checkpoint.safetensors'))) await sleep(5);
  if (child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  await ended;
  execFileSync(...nn(run.version, ['train', '--resume', output, '-q'], 2));
}

function hashOfWeights() {
  const bytes = readFileSync(join(output, 'model.safetensors'));
  const header = Number(bytes.readBigUInt64LE(0));
  return createHash('sha256')
    .update(bytes.subarray(8 + header))
    .digest('hex')
    .slice(0, 12);
}

let differ = false;
for (const config of configs) {
  const [name, ...sets] = config.split(' ');
  const packed = join(folder, 'packed.safetensors');
  execFileSync(process.execPath, ['bin/nn.js', 'data', 'pack', `configs/${name}.json`, '--out', packed, '--force', '-q'], {
    cwd: root,
  });
  sets.push(`data.source={"type":"packed","path":"${packed}"}`);
  const hashes = {};
  for (const version of versions) {
    for (const [way, go] of Object.entries(ways)) {
      await go({ version, name, sets });
      hashes[`Node ${version}, ${way}`] = hashOfWeights();
    }
  }
  const found = Object.values(hashes);
  const same = new Set(found).size === 1;
  differ ||= !same;
  console.log(
    `${config}  ${same ? `same: ${found[0]}` : `DIFFERENT: ${JSON.stringify(hashes, null, 2)}`}  (${found.length} trainings)`,
  );
}
rmSync(folder, { recursive: true });
process.exitCode = differ ? 1 : 0;
