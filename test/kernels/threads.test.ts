import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { callBytes, kernelConstants } from '../../src/kernels/bindings.ts';
import { inScope, type Kernels, type Precision, precisions } from '../../src/kernels/kernels.ts';
import { threadsOf } from '../../src/kernels/select.ts';
import { writeCall } from '../../src/kernels/simd/call.ts';
import { compile, importsOf, instantiate } from '../../src/kernels/simd/compiled.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { startThreads } from '../../src/kernels/simd/thread-pool.ts';
import { createMemory } from '../../src/kernels/simd/threaded-engine.ts';
import { numpyRandom } from '../../src/random.ts';
import { someOf } from '../thorough.ts';

const [m, units, features] = [301, 11, 1003];
const random = numpyRandom(2);
const pixels = Uint8Array.from({ length: m * features }, () => Math.floor(random.uniform() * 256));
const normals = (length: number) => Float64Array.from({ length }, () => random.normal());
const operands = { weights: normals(units * features), dZ: normals(m * units), values: normals(m * features) };
const scaling = { scale: new Float64Array(features).fill(1 / 255), shift: new Float64Array(features).fill(0.1) };
const whole = { scale: new Float64Array(features).fill(1), shift: new Float64Array(features) };

/** The results of every kernel, all of them large enough to be shared. */
function results(kernels: Kernels): Record<string, number[]> {
  const floats = (values: Float64Array) => {
    const placed = kernels.allocate(values.length);
    placed.set(values);
    return placed;
  };
  const [weights, dZ, values] = [floats(operands.weights), floats(operands.dZ), floats(operands.values)];
  const bytes = { kind: 'bytes', bytes: kernels.pin(pixels), indices: null, count: m, features, scaling } as const;
  const rows = { kind: 'floats', values, count: m, features } as const;
  const made = (length: number, run: (out: Float32Array | Float64Array) => void) => {
    const out = kernels.allocate(length);
    run(out);
    return Array.from(out);
  };
  return {
    linearBytes: made(m * units, (out) => kernels.linear({ input: bytes, weights, bias: null, units, out })),
    linearFloats: made(m * units, (out) => kernels.linear({ input: rows, weights, bias: null, units, out })),
    linearGradWeightsBytes: made(units * features, (out) => kernels.linearGradWeights({ input: bytes, dZ, units, out })),
    linearGradWeightsFloats: made(units * features, (out) => kernels.linearGradWeights({ input: rows, dZ, units, out })),
    linearGradInput: made(m * features, (out) => kernels.linearGradInput({ dZ, weights, units, features, count: m, out })),
    gram: made(m * m, (out) => kernels.gram({ left: pixels, right: pixels, scaling: whole, out })),
  };
}

describe.each(Object.keys(precisions) as Precision[])('threads of the %s kernels', (precision) => {
  const alone = results(simdKernels(precision, 1));

  test.each(someOf([3, 2, 4]))('%i of them give the bits of one', async (threads) => {
    const kernels = simdKernels(precision, threads);
    expect(results(kernels)).toEqual(alone); // before the others have started
    await sleep(200);
    for (let i = 0; i < 5; i++) expect(results(kernels)).toEqual(alone);
  });

  test('take calls one after another without mixing them up', async () => {
    const [one, several] = [simdKernels(precision, 1), simdKernels(precision, 4)];
    const values = one.allocate(operands.values.length);
    values.set(operands.values);
    const weights = one.allocate(operands.weights.length);
    weights.set(operands.weights);
    const [expected, found] = [one.allocate(m * units), one.allocate(m * units)];
    const forward = (kernels: Kernels, count: number, out: typeof found) =>
      kernels.linear({ input: { kind: 'floats', values, count, features }, weights, bias: null, units, out });
    forward(one, m, expected);
    for (let i = 0; i < 2000; i++) {
      const count = 60 + (i % 240);
      found.fill(0);
      forward(several, count, found);
      if (i % 100 === 0) await sleep(1);
      expect(Buffer.compare(bits(found, count * units), bits(expected, count * units))).toBe(0);
    }
  });
});

const bits = (values: Float32Array | Float64Array, length: number) =>
  Buffer.from(values.buffer, values.byteOffset, length * values.BYTES_PER_ELEMENT);

/** Compiled kernels over a memory of their own, and a call that shares 512 units among this thread and another. */
function workshop() {
  const memory = createMemory();
  const imports = importsOf(memory.memory, false);
  const module = compile('float32', 'strict')!;
  const compiled = instantiate(module, imports);
  const zeroed = (bytes: number) => {
    const { address } = memory.take(bytes);
    memory.view(new Uint8Array(), address, bytes).fill(0);
    return address;
  };
  const control = zeroed(compiled.controlBytes());
  const room = zeroed(compiled.roomBytes());
  const record = {
    doubles: memory.view(new Float64Array(), control + compiled.callOffset(), callBytes / 8),
    words: memory.view(new Int32Array(), control + compiled.callOffset(), callBytes / 4),
  };
  const [units, count, features] = [512, 64, 512];
  return {
    memory: memory.memory,
    room: () => zeroed(compiled.roomBytes()),
    /** takes memory for the call, and so makes all of it grow */
    prepare: () => ({
      values: zeroed(4 * count * features),
      weights: zeroed(4 * units * features),
      out: zeroed(4 * units * count),
    }),
    start: (other: number, sentBefore: object = {}) =>
      startThreads(module, { sentBefore: { sentBefore }, ...imports } as never, compiled, control, [other]),
    run(placed: { values: number; weights: number; out: number }): number {
      const call = { ...placed, features, units, count, bias: 0, byUnits: true };
      writeCall('linearFloats', call, { each: 1, next: 0, end: units, step: 16 }, record);
      compiled.share(control, room);
      return compiled.wait(control);
    },
  };
}

test('memory that grows while a thread begins is seen by it', async () => {
  const { room, start, prepare, run } = workshop();
  // what a thread is sent is made one thing after another: the size of the memory at once, the memory itself only behind all this, about a
  // second later
  const threads = start(
    room(),
    Array.from({ length: 1_000_000 }, (_, i) => ({ i })),
  );
  await sleep(200);
  const placed = prepare();
  await sleep(2500);
  for (let i = 0; i < 50; i++) expect(run(placed)).toBe(kernelConstants.ALL_DONE);
  expect([threads.isMissing(), threads.deathNote()]).toEqual([false, null]);
});

test('a thread that dies at work is noticed at once, with what it said', async () => {
  const { memory, start, prepare, run } = workshop();
  const placed = prepare();
  const threads = start(memory.buffer.byteLength - 64); // the first line of its room is the last of the memory
  let state: number = kernelConstants.ALL_DONE;
  const started = performance.now();
  while (state === kernelConstants.ALL_DONE && performance.now() - started < 10_000) {
    await sleep(1);
    state = run(placed);
  }
  expect(state).toBe(kernelConstants.THREAD_DIED);
  expect(threads.deathNote()).toMatch(/memory access out of bounds/);
  // had it vanished without a word, it would have been missed
  if (process.platform === 'linux') await expect.poll(() => threads.isMissing()).toBe(true);
});

test('--threads says how many, else NN_THREADS, else the processors that there are', () => {
  expect(threadsOf(2, { NN_THREADS: '3' })).toBe(2);
  expect(threadsOf(2, { NN_THREADS: 'many' })).toBe(2);
  expect(threadsOf(undefined, { NN_THREADS: '3' })).toBe(3);
  expect(threadsOf(undefined, { NN_THREADS: '' })).toBe(Math.min(256, availableParallelism()));
  for (const text of ['0', '-1', '1.5', 'many']) {
    expect(() => threadsOf(undefined, { NN_THREADS: text })).toThrow('NN_THREADS: expected a whole number from 1 to 256, found');
  }
});

test('fast kernels compute what strict ones do, to rounding, and say what they are', () => {
  for (const precision of ['float32', 'float64'] as const) {
    const [strict, fast] = (['strict', 'fast'] as const).map((arithmetic) => simdKernels(precision, 1, arithmetic));
    expect(strict!.arithmetic).toBe('strict');
    expect(fast!.arithmetic).toBe('fast'); // every Node from 20 on has relaxed SIMD, the first of them behind a flag
    const [count, units, features] = [70, 9, 301];
    const draw = (length: number, factor: number) => Float64Array.from({ length }, (_, i) => factor * Math.sin(i * 7.7));
    const scaling = { scale: new Float64Array(features).fill(1 / 255), shift: new Float64Array(features) };
    const bytes = Uint8Array.from({ length: count * features }, (_, i) => (i * 7919) % 256);
    const input = { kind: 'bytes', bytes, indices: null, count, features, scaling } as const;
    const [z, other] = [strict!, fast!].map((kernels) =>
      inScope(kernels, (scope) => {
        const [weights, out] = [scope.allocate(units * features), scope.allocate(count * units)];
        weights.set(draw(weights.length, 1));
        kernels.linear({ input, weights, bias: null, units, out });
        return out.slice();
      }),
    );
    const tolerance = precision === 'float32' ? 1e-4 : 1e-12;
    for (const [i, value] of z!.entries()) expect(Math.abs(other![i]! - value)).toBeLessThan(tolerance);
  }
});
