// Adds to the house what CONTRIBUTING.md says can be added, each patch to a copy of its own: node test/extend/apply.mjs [NAME ...]
// Of each it prints which files of src it touches, and runs the compiler and its tests; exits 1 where one fails, or where it touches what it should not.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const patches = fileURLToPath(new URL('.', import.meta.url));
/** What a new kind of layer must not touch. */
const closed = /^src\/(training|run|report|commands|export)\//;
const wanted = process.argv.slice(2);
const names = readdirSync(patches)
  .filter((name) => name.endsWith('.patch'))
  .map((name) => name.slice(0, -'.patch'.length))
  .filter((name) => wanted.length === 0 || wanted.includes(name));

let failed = 0;
for (const name of names) {
  const patch = join(patches, `${name}.patch`);
  const touched = [...readFileSync(patch, 'utf8').matchAll(/^diff --git a\/(\S+)/gm)].map(([, file]) => file);
  const ours = touched.filter((file) => file.startsWith('src/'));
  const tests = touched.filter((file) => file.endsWith('.test.ts'));
  console.log(`\n${name}: ${ours.join(', ')}`);
  const folder = mkdtempSync(join(tmpdir(), `nn-extend-${name}-`));
  try {
    for (const file of run(root, 'git', 'ls-files').split('\n').filter(Boolean)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      cpSync(join(root, file), join(folder, file));
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    run(folder, 'git', 'init', '--quiet');
    run(folder, 'git', 'apply', patch);
    run(folder, 'npx', 'tsc', '--noEmit');
    run(folder, 'node', 'scripts/structure.mjs');
    console.log(
      run(folder, 'npx', 'vitest', 'run', ...tests, 'test/nn/gradient.test.ts')
        .split('\n')
        .slice(-6)
        .join('\n'),
    );
    if (name === 'depthwise' && ours.some((file) => closed.test(file)))
      throw new Error('it touches what a kind of layer should not');
  } catch (error) {
    failed++;
    console.error(`FAILED: ${name}: ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
process.exitCode = failed > 0 ? 1 : 0;

function run(cwd, command, ...words) {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}
