import { readFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import { expect, test } from 'vitest';
import { callBytes, callFields, compiledRules, kernelNames } from '../../src/kernels/bindings.ts';
import { type FieldsOf, writeCall } from '../../src/kernels/simd/call.ts';
import { createEngine } from '../../src/kernels/simd/threaded-engine.ts';
import { activations } from '../../src/nn/activations.ts';
import { losses } from '../../src/nn/losses.ts';

const generated = (name: string) =>
  readFileSync(new URL(`../../src/kernels/simd/assembly/generated/${name}`, import.meta.url), 'utf8');

/** What a call begins with, behind the number of its kernel. */
const header = { end: 777, step: 888, each: 5, next: 4096 };
const headers = Object.values(header);

/** A module that reads calls by the assembly's classes: for each kernel a function that stores all fields, as f64, one after another. */
async function compileReaders(): Promise<Uint8Array> {
  const classOf = (name: string) => `${name[0]!.toUpperCase()}${name.slice(1)}Call`;
  const readers = kernelNames.map((name) => {
    const fields = ['kernel', ...Object.keys(header), ...Object.keys(callFields[name])];
    const stores = fields.map((field, i) => `store<f64>(to, <f64>changetype<${classOf(name)}>(call).${field}, ${8 * i});`);
    return `export function ${name}(call: usize, to: usize): void { ${stores.join(' ')} }`;
  });
  const program = [`import { ${kernelNames.map(classOf).join(', ')} } from './calls';`, ...readers].join('\n');
  const files: Record<string, string> = { 'readers.ts': program, 'calls.ts': generated('calls.ts') };
  const memoryOptions = [
    '--importMemory',
    '--sharedMemory',
    '--enable',
    'threads',
    '--initialMemory',
    '1',
    '--maximumMemory',
    '1',
  ];
  let module: Uint8Array | undefined;
  const { error, stderr } = await asc.main(['readers.ts', '--outFile', 'readers.wasm', '--runtime', 'stub', ...memoryOptions], {
    readFile: (name) => files[name] ?? null,
    writeFile: (_, contents) => {
      module = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error !== null) throw new Error(stderr.toString());
  return module!;
}

test('the assembly reads in every field of every call what the host has written there', async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(await compileReaders()), { env: { memory } });
  const [call, to] = [1024, 4096];
  const record = {
    doubles: new Float64Array(memory.buffer, call, callBytes / 8),
    words: new Int32Array(memory.buffer, call, callBytes / 4),
  };
  for (const [number, name] of kernelNames.entries()) {
    const fields = Object.entries(callFields[name]);
    const values = fields.map(([, type], i) => (type === 'f64' ? i + 0.5 : type === 'flag' ? i % 2 : i + 1));
    const given = Object.fromEntries(fields.map(([field], i) => [field, values[i]!]));
    writeCall(name, given as unknown as FieldsOf<typeof name>, header, record);
    (exports[name] as (call: number, to: number) => void)(call, to);
    expect([name, ...new Float64Array(memory.buffer, to, 1 + headers.length + fields.length)]).toEqual([
      name,
      number,
      ...headers,
      ...values,
    ]);
  }
});

test('a call with a field too few, too many or under another name does not pass the types', () => {
  const engine = createEngine('float32', 'strict', 1, false);
  const range = { end: 0, grain: 1, work: 0 };
  const others = { values: 0, out: 0, scale: 1 };
  engine.run('addScaled', { values: 0, factor: 1, out: 0 }, range);
  // @ts-expect-error
  engine.run('addScaled', { values: 0, out: 0 }, range);
  // @ts-expect-error
  engine.run('addScaled', { values: 0, factor: 1, out: 0, scale: 1 }, range);
  // @ts-expect-error
  engine.run('addScaled', { factor: 1, ...others }, range);
  engine.call('addScaled', range, () => ({ values: 0, factor: 1, out: 0 }));
  // @ts-expect-error
  engine.call('addScaled', range, () => ({ values: 0, factor: 1, outs: 0 }));
  // @ts-expect-error
  engine.call('addScaled', range, () => ({ factor: 1, ...others }));
  // @ts-expect-error
  engine.run('sumExamples', { values: 0, count: 0, units: 0, out: 0, accumulates: 1 }, range);
});

test('the assembly knows no rule that there is not', () => {
  for (const name of compiledRules.Activation) expect(activations).toHaveProperty(name);
  for (const name of compiledRules.Loss) expect(losses).toHaveProperty(name);
});
