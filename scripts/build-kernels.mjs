// Makes the assembly's side of the table of kernels (src/kernels/bindings.ts, as `tsc` has put it into dist/) and compiles
// src/kernels/simd/assembly, once for each precision and variant, into dist/kernels/<precision>-<variant>.wasm: of strict and of fast arithmetic,
// for threads that share a memory; and for one thread alone with a memory of its own, as a page has it. Does nothing where they are newer than
// their sources.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'src/kernels/simd/assembly');
const generated = join(folder, 'generated');
const built = join(root, 'dist/kernels');
const precisions = { float32: 'f32', float64: 'f64' };
const variants = {
  strict: { entry: 'threads.ts', features: ['simd', 'threads'], shared: true },
  fast: { entry: 'threads.ts', features: ['simd', 'threads', 'relaxed-simd'], shared: true },
  alone: { entry: 'alone.ts', features: ['simd'], shared: false },
};

export async function buildKernels() {
  const bindings = await import('../dist/kernels/bindings.js');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts'));
  const sources = await Promise.all(names.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })));
  await mkdir(generated, { recursive: true });
  await writeChanged(join(generated, 'calls.ts'), callsSource(bindings));
  await writeChanged(join(generated, 'dispatch.ts'), dispatchSource(bindings, sources));
  await mkdir(built, { recursive: true });
  const made = (await readdir(generated)).map((name) => join(generated, name));
  const newest = await latest([...names.map((name) => join(folder, name)), ...made, fileURLToPath(import.meta.url)]);
  for (const [precision, real] of Object.entries(precisions)) {
    for (const [name, variant] of Object.entries(variants)) {
      const target = join(built, `${precision}-${name}.wasm`);
      if ((await latest([target])) < newest) await compile(real, variant, target);
    }
  }
}

const assemblyTypes = { f64: 'f64', i32: 'i32', pointer: 'usize', flag: 'i32' };
const callClass = (kernel) => `${kernel[0].toUpperCase()}${kernel.slice(1)}Call`;

/** A class for each call, where its fields must lie, and the constants. */
function callsSource({ callFields, kernelNames, sharedFields, callHeader, compiledRules, kernelConstants, callBytes, layoutOf }) {
  const calls = Object.fromEntries(kernelNames.map((name) => [callClass(name), callFields[name]]));
  const classes = Object.entries({ ...sharedFields, ...calls });
  const constants = Object.entries({ ...kernelConstants, CALL_BYTES: callBytes });
  const places = classes.flatMap(([name, fields]) => layoutOf(fields).map(({ name: field, offset }) => [name, field, offset]));
  return [
    ...Object.entries({ ...compiledRules, Kernel: kernelNames }).map(
      ([name, entries]) => `export const enum ${name} {\n${entries.map((entry, i) => `  ${entry} = ${i},\n`).join('')}}\n`,
    ),
    ...constants.map(([name, value]) => `export const ${name}: i32 = ${value};`),
    `\n@unmanaged\nexport class KernelCall {\n${fieldLines(callHeader)}}\n`,
    ...classes.map(([name, fields]) => classSource(name, fields, sharedFields)),
    ...places.map(([name, field, offset]) => `if (offsetof<${name}>('${field}') !== ${offset}) ERROR('${name}.${field}');`),
    '',
  ].join('\n');
}

/** A class of some fields, which extends the longest of the shared ones that it begins with. */
function classSource(name, fields, sharedFields) {
  const names = Object.keys(fields);
  const begins = (shared) => shared !== fields && Object.keys(shared).every((field, i) => field === names[i]);
  const [parent, inherited] = Object.entries(sharedFields).findLast(([, shared]) => begins(shared)) ?? ['KernelCall', {}];
  const own = Object.fromEntries(Object.entries(fields).slice(Object.keys(inherited).length));
  return `@unmanaged\nexport class ${name} extends ${parent} {\n${fieldLines(own)}}\n`;
}

const fieldLines = (fields) =>
  Object.entries(fields)
    .map(([name, type]) => `  ${name}: ${assemblyTypes[type]};\n`)
    .join('');

/** What a thread does with a piece of any call: the function of the kernel's name, which takes the thread's scratch where it asks for it. */
function dispatchSource({ kernelNames }, sources) {
  const kernels = kernelNames.map((name) => {
    const exported = new RegExp(`export function ${name}\\(([^)]*)\\)`);
    const source = sources.find(({ text }) => exported.test(text));
    if (source === undefined) throw new Error(`the assembly exports no function ${name}`);
    return {
      name,
      file: source.name.replace(/\.ts$/, ''),
      scratch: source.text.match(exported)[1].includes('scratch') ? ', scratch' : '',
    };
  });
  return [
    `import { Kernel, KernelCall, ${kernelNames.map(callClass).join(', ')} } from './calls';`,
    ...kernels.map(({ name, file }) => `import { ${name} } from '../${file}';`),
    '\nexport function runPiece(call: KernelCall, first: i32, end: i32, scratch: usize): void {\n  switch (call.kernel) {',
    ...kernels.flatMap(({ name, scratch }) => [
      `    case Kernel.${name}:`,
      `      return ${name}(changetype<${callClass(name)}>(call), first, end${scratch});`,
    ]),
    '    default:\n      unreachable();\n  }\n}\n',
  ].join('\n');
}

async function writeChanged(path, text) {
  const before = await readFile(path, 'utf8').catch(() => null);
  if (text !== before) await writeFile(path, text);
}

async function compile(real, { entry, features, shared }, target) {
  const { default: asc } = await import('assemblyscript/asc');
  const options = [
    entry,
    ...['--baseDir', folder, '--outFile', target, '--use', `real=${real}`],
    ...['--optimizeLevel', '3', '--converge', '--noAssert', '--runtime', 'stub', '--use', 'abort='],
    // one memory for both modules and, one day, for threads
    ...features.flatMap((feature) => ['--enable', feature]),
    ...['--importMemory', '--noExportMemory'],
    ...(shared ? ['--sharedMemory'] : []),
    ...['--initialMemory', '1', '--maximumMemory', '65536'],
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
