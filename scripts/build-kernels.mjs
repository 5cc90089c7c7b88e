// Compiles src/kernels/simd/assembly, once for each precision and arithmetic, into dist/kernels/<precision>-<arithmetic>.wasm. Does
// nothing where they are newer than their sources.
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'src/kernels/simd/assembly');
const built = join(root, 'dist/kernels');
const precisions = { float32: 'f32', float64: 'f64' };
const arithmetics = { strict: ['simd', 'threads'], fast: ['simd', 'threads', 'relaxed-simd'] };

export async function buildKernels() {
  const sources = (await readdir(folder)).map((name) => join(folder, name));
  await mkdir(built, { recursive: true });
  const newest = await latest([...sources, fileURLToPath(import.meta.url)]);
  for (const [precision, real] of Object.entries(precisions)) {
    for (const [arithmetic, features] of Object.entries(arithmetics)) {
      const target = join(built, `${precision}-${arithmetic}.wasm`);
      if ((await latest([target])) < newest) await compile(real, features, target);
    }
  }
}

async function compile(real, features, target) {
  const { default: asc } = await import('assemblyscript/asc');
  const options = [
    'threads.ts',
    ...['--baseDir', folder, '--outFile', target, '--use', `real=${real}`],
    ...['--optimizeLevel', '3', '--converge', '--noAssert', '--runtime', 'stub', '--use', 'abort='],
    // one memory for both modules and, one day, for threads
    ...features.flatMap((feature) => ['--enable', feature]),
    ...['--importMemory', '--noExportMemory'],
    ...['--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ];
  const { error, stderr } = await asc.main(options);
  if (error !== null) throw new Error(`the kernels do not compile: ${error.message}\n${stderr}`);
  refuseData(await readFile(target));
}

/** Tables in the sources would be written into the memory that the host hands out, and be overwritten there.
 *  Sections of a module: a number (11 is data), a length in groups of 7 bits, contents. */
function refuseData(module) {
  for (let at = 8; at < module.length; ) {
    const section = module[at++];
    let [length, shift] = [0, 0];
    for (let more = true; more; shift += 7) {
      const byte = module[at++];
      length |= (byte & 127) << shift;
      more = byte > 127;
    }
    if (section === 11) throw new Error('the kernels must not hold data of their own: no memory.data, no strings, no arrays');
    at += length;
  }
}

/** When the youngest of some files changed; 0 where one is missing. */
async function latest(files) {
  const times = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return times.includes(0) ? 0 : Math.max(...times);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildKernels();
