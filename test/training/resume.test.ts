import { describe, expect, test } from 'vitest';
import { kernelsFor } from '../../src/kernels/select.ts';
import type { Layer } from '../../src/nn/build.ts';
import { optimizers } from '../../src/nn/optimizers.ts';
import { DivergedError } from '../../src/training/divergence.ts';
import { type EpochEvent, type FitOptions, fit } from '../../src/training/fit.ts';
import { stagesOf } from '../../src/training/stages.ts';
import type { TrainingState } from '../../src/training/state.ts';
import { conv, dense } from '../nn/networks.ts';
import { networkWith, noisePictures, problem, type Wishes } from './problems.ts';

type Line = Omit<EpochEvent, 'seconds'>;

interface Told {
  /** bytes of the weights that came out */
  weights: Buffer;
  lines: Line[];
  /** every state that the training could give, and the lines before it */
  states: { state: TrainingState; before: number }[];
  error: string | null;
}

/** Trains to the end, or to divergence. */
async function told(options: FitOptions, { from, asks = true }: { from?: TrainingState; asks?: boolean } = {}): Promise<Told> {
  const lines: Line[] = [];
  const states: Told['states'] = [];
  let error: string | null = null;
  try {
    for await (const event of fit(options, { resumeFrom: from, ...(asks && { shouldCheckpoint: () => true }) })) {
      if (event.type === 'state') states.push({ state: event.state, before: lines.length });
      if (event.type !== 'epoch') continue;
      const { seconds: _, ...line } = event;
      lines.push(line);
    }
  } catch (caught) {
    if (!(caught instanceof DivergedError)) throw caught;
    error = JSON.stringify([caught.message, caught.report]);
  }
  const { buffer, byteOffset, byteLength } = options.parameters.values;
  return { weights: Buffer.from(buffer, byteOffset, byteLength), lines, states, error };
}

/** As it comes back from a file. */
function stored({ progress, buffers }: TrainingState): TrainingState {
  const copies = Object.entries(buffers).map(([name, values]) => [name, values.slice()] as const);
  return { progress: JSON.parse(JSON.stringify(progress)), buffers: Object.fromEntries(copies) };
}

const relu = dense(6, { activation: 'relu', keepProb: 0.7, batchNorm: true });
const dev = noisePictures(11, { seed: 2 });
/** What helps on train hurts on this one. */
const adverse = { ...dev, labels: dev.labels.map((y) => 1 - y) };
/** Every picture in each class: no weights can tell them apart. */
const contradictory = {
  ...noisePictures(20),
  pixels: Uint8Array.from([...noisePictures(10).pixels, ...noisePictures(10).pixels]),
  labels: Uint8Array.from({ length: 20 }, (_, i) => (i < 10 ? 0 : 1)),
};
const pooled: Layer[] = [conv(4, { batchNorm: true }), { type: 'globalAveragePool', keepProb: 1 }];
const base = { hidden: [dense(3)], batchSize: 8, epochs: 4, dev } satisfies Wishes;

const cases: Record<string, Wishes> = {
  ...Object.fromEntries(
    Object.keys(optimizers).map((name) => [`${name}`, { ...base, optimizer: { name: name as keyof typeof optimizers } }]),
  ),
  float32: { ...base, kernels: kernelsFor('float32'), optimizer: { name: 'adam' } },
  'logistic regression on full batches': { epochs: 5 },
  'dropout and batch norm': { ...base, hidden: [relu, dense(4, { keepProb: 0.8 })] },
  augmentation: { ...base, augmentation: { flipHorizontal: true, noise: 0.1, shift: 0.2 } },
  'L2, clipping, class weights and a rate for each layer': {
    ...base,
    l2: 0.4,
    clipNorm: 0.2,
    classWeights: [0.7, 1.6],
    learningRates: [0.1, 0.02],
  },
  'the cosine schedule': { ...base, schedule: { name: 'cosine' } },
  'the schedule oneCycle, whose rates go step by step': { ...base, schedule: { name: 'oneCycle', warmup: 0.4 } },
  'a schedule of steps': { ...base, schedule: { name: 'step', every: 2, factor: 0.3 } },
  'early stopping that ends it': { ...base, dev: adverse, epochs: 9, earlyStopping: { patience: 2, minDelta: 0 } },
  'early stopping that does not': { ...base, earlyStopping: { patience: 7, minDelta: 0.001 } },
  'looks at every third epoch': { ...base, epochs: 8, evaluateEvery: 3, earlyStopping: { patience: 3, minDelta: 0 } },
  'a time limit that is far away': { ...base, evaluateEvery: 3, maxMinutes: 1000 },
  'a rate for each input': { ...base, featureLearningRates: Float64Array.from({ length: 48 }, (_, i) => 0.5 + (i % 3)) },
  'mixed images, with augmentation': { ...base, mixup: 0.4, augmentation: { flipHorizontal: true, noise: 0.1 } },
  'smaller images at first': {
    ...base,
    ...{ hidden: pooled, learningRates: [0.1, 0.1], dev: adverse },
    stages: stagesOf([{ side: 2, until: 0.5 }], networkWith(48, pooled), { epochs: base.epochs, normalize: 'scale' }),
  },
  'averaged weights, with batch norm and early stopping': {
    ...base,
    hidden: [relu],
    averageWeights: 0.8,
    evaluateEvery: 2,
    earlyStopping: { patience: 3, minDelta: 0 },
  },
  'averaged weights in float32, to the end': { ...base, averageWeights: 0.9, kernels: kernelsFor('float32') },
  'the dual form': { ...base, form: 'dual', kernels: kernelsFor('float32'), l2: 0.4 },
  'the dual form with momentum and early stopping': {
    ...base,
    form: 'dual',
    dev: adverse,
    epochs: 8,
    optimizer: { name: 'momentum', beta: 0.8 },
    earlyStopping: { patience: 4, minDelta: 0 },
  },
  'divergence in the midst': {
    ...base,
    hidden: [dense(4, { activation: 'linear' }), dense(3, { activation: 'linear' })],
    learningRates: [1e120, 1e120, 1e120],
  },
  'divergence of averaged weights': { train: contradictory, learningRates: [1e6], epochs: 60, averageWeights: 0.9 },
  'divergence by a cost that stays high': { train: contradictory, learningRates: [1e6], epochs: 60 },
};

describe('a training that goes on from any of its states ends with the same bits and the same lines', () => {
  test.each(Object.entries(cases))('%s', async (name, wishes) => {
    const whole = await told(problem(wishes));
    const unasked = await told(problem(wishes), { asks: false });
    expect(whole.weights.equals(unasked.weights)).toBe(true);
    expect(whole.lines).toEqual(unasked.lines);
    expect(whole.error !== null).toBe(name.startsWith('divergence'));
    const m = problem(wishes).train.labels.length;
    const steps = typeof wishes.batchSize === 'number' ? Math.ceil(m / wishes.batchSize) : 1;
    if (whole.error === null) expect(whole.states).toHaveLength(steps * whole.lines.length);
    expect(whole.states.length).toBeGreaterThan(0);
    for (const { state, before } of whole.states) {
      const rest = await told(problem(wishes), { from: stored(state) });
      expect(rest.lines).toEqual(whole.lines.slice(before));
      expect(rest.error).toBe(whole.error);
      expect(rest.weights.equals(whole.weights)).toBe(true);
    }
  });

  test('also when it is stopped again at every step', async () => {
    const wishes: Wishes = { ...base, hidden: [relu], optimizer: { name: 'adam' }, earlyStopping: { patience: 3, minDelta: 0 } };
    const whole = await told(problem(wishes));
    const lines: Line[] = [];
    let from: TrainingState | undefined;
    let weights: Float32Array | Float64Array | undefined;
    for (let stops = 0; weights === undefined; stops++) {
      expect(stops).toBeLessThanOrEqual(whole.states.length);
      const options = problem(wishes);
      let state: TrainingState | undefined;
      for await (const event of fit(options, { resumeFrom: from, shouldCheckpoint: () => true })) {
        if (event.type === 'epoch') lines.push((({ seconds: _, ...line }) => line)(event));
        if (event.type === 'state' && event.state.progress.ended === null) {
          state = stored(event.state);
          break;
        }
      }
      if (state === undefined) weights = options.parameters.values;
      from = state;
    }
    expect(lines).toEqual(whole.lines);
    expect(Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength).equals(whole.weights)).toBe(true);
  });
});

describe('the time of earlier sessions counts', () => {
  test('in the seconds of every line', async () => {
    const whole = await told(problem(base));
    const state = stored(whole.states[2]!.state);
    state.progress.seconds = 5000;
    for await (const event of fit(problem(base), { resumeFrom: state })) {
      if (event.type === 'epoch') expect(event.seconds).toBeGreaterThanOrEqual(5000);
    }
  });

  test('towards maxMinutes', async () => {
    const wishes = { ...base, maxMinutes: 60 };
    const state = stored((await told(problem(wishes))).states[2]!.state);
    state.progress.seconds = 3600;
    const { lines } = await told(problem(wishes), { from: state });
    expect(lines.map(({ epoch, stopped }) => ({ epoch, stopped }))).toEqual([{ epoch: 1, stopped: 'time' }]);
  });
});

describe('a training that ended goes on for more epochs as if they had been asked for at once', () => {
  /** The state at the end of `epochs`, and what a training of `more` says. */
  async function both(wishes: Wishes, epochs: number, more: number) {
    const short = await told(problem({ ...wishes, epochs }));
    const { state, before } = short.states.at(-1)!;
    expect(state.progress.ended).not.toBe(null);
    const long = await told(problem({ ...wishes, epochs: more }));
    const extended = await told(problem({ ...wishes, epochs: more }), { from: stored(state) });
    return { short, long, extended, before };
  }

  test.each([
    ['with a look at every epoch', base],
    ['where the end alone was a reason to look', { ...base, evaluateEvery: 3 }],
    ['and so to keep its weights', { ...base, evaluateEvery: 3, earlyStopping: { patience: 6, minDelta: 0 } }],
    ['and so to lose patience', { ...base, dev: adverse, evaluateEvery: 3, earlyStopping: { patience: 4, minDelta: 0 } }],
    ['in dual form', { ...base, form: 'dual', optimizer: { name: 'momentum' }, evaluateEvery: 5 }],
    ['with averaged weights', { ...base, averageWeights: 0.7, evaluateEvery: 3 }],
    ['with a falling rate', { ...base, schedule: { name: 'inverseTime', decay: 0.1 }, optimizer: { name: 'adam' } }],
  ] satisfies [string, Wishes][])('%s', async (_, wishes) => {
    const { short, long, extended, before } = await both(wishes, 4, 9);
    expect(before).toBe(3);
    expect(short.lines).toHaveLength(4);
    expect(extended.lines).toEqual(long.lines.slice(before));
    expect(extended.weights.equals(long.weights)).toBe(true);
  });

  test('but not where early stopping ended it: more epochs would have changed nothing', async () => {
    const wishes: Wishes = { ...base, dev: adverse, earlyStopping: { patience: 2, minDelta: 0 } };
    const { short, long, extended } = await both(wishes, 8, 20);
    expect(short.lines.at(-1)).toMatchObject({ stopped: 'early' });
    expect(long.lines).toEqual(short.lines);
    expect(extended.lines).toEqual(short.lines.slice(-1));
    expect(extended.weights.equals(long.weights)).toBe(true);
  });
});

test('a training keeps the form of its state, whatever its options say', async () => {
  const whole = await told(problem(base));
  const rest = await told(problem({ ...base, form: 'dual' }), { from: whole.states[0]!.state });
  expect(rest.weights.equals(whole.weights)).toBe(true);
});

test.each([
  ['another network', { ...base, hidden: [dense(4)] }, /^parameters: expected 201 numbers of the kind Float64Array, found 151/],
  [
    'another precision',
    { ...base, kernels: kernelsFor('float32') },
    /^parameters: expected 151 .* Float32Array, found 151 .* Float64Array/,
  ],
  ['a training without an average', { ...base, averageWeights: 0.9 }, /^average: expected 151 .* found none/],
  ['another optimizer', { ...base, optimizer: { name: 'adam' } }, /^optimizer\.0: .* found none/],
] satisfies [string, Wishes, RegExp][])('a state of %s is refused', async (_, wishes, says) => {
  const [first] = (await told(problem(base))).states;
  await expect(told(problem(wishes), { from: first!.state })).rejects.toThrow(says);
});
