import { describe, expect, test } from 'vitest';
import { type Kernels, type Precision, precisions, type Windows } from '../../src/kernels/kernels.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import type { Layer, Network } from '../../src/nn/build.ts';
import { checkModel, isRight } from '../../src/training/check-gradients.ts';
import { checkStep } from '../../src/training/check-step.ts';
import { probeOf } from '../../src/training/probe.ts';
import { conv, dense } from '../nn/networks.ts';
import { someOf } from '../thorough.ts';
import { noisePictures, problem, withFault } from './problems.ts';

/** A broken one of each kernel that images pass through, by itself: the check of a step notices all of them, the gradient check those of the way back. */

type Numbers = Float32Array | Float64Array;
type Fault = (whole: Kernels) => Partial<Kernels>;
type WindowKernel = 'convolveGradInput' | 'maxPool' | 'maxPoolGradient' | 'averagePool' | 'averagePoolGradient';
type Convolution = 'convolve' | 'convolveGradWeights';
type Call<Name extends Convolution | WindowKernel> = Parameters<Kernels[Name]>[0];

/** The largest number of some, half as large again. */
function enlarge(values: Numbers): void {
  let at = 0;
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]!) > Math.abs(values[at]!)) at = i;
  values[at]! *= 1.5;
}

const imageOf = ({ height, width, channels }: Windows) => height * width * channels;
const pooledOf = ({ outHeight, outWidth, channels }: Windows) => outHeight * outWidth * channels;

/** The same numbers, `by` places further on. */
function moved(values: Numbers, by: number): Numbers {
  const out = new precisions[values instanceof Float32Array ? 'float32' : 'float64'](values.length);
  out.set(values.subarray(0, values.length - by), by);
  return out;
}

/** What goes wrong with any kernel that gives images. @param image  numbers of one of them */
const imageFaults = <Name extends WindowKernel>(name: Name, image: (windows: Windows) => number) => {
  const spoiling =
    (spoil: (last: Numbers, all: Numbers) => void): Fault =>
    (whole) => ({
      [name]: (call: Call<Name>) => {
        (whole[name] as (call: Call<Name>) => void)(call);
        const length = image(call.windows);
        spoil(call.out.subarray((call.count - 1) * length, call.count * length), call.out.subarray(0, call.count * length));
      },
    });
  return {
    [`${name}: a number 1.5 times too large`]: spoiling((_, all) => enlarge(all)),
    [`${name}: a number of the last image 1.5 times too large`]: spoiling(enlarge),
    [`${name}: the last image left out`]: spoiling((last) => last.fill(0)),
  };
};

/** What goes wrong with a convolution, or the gradient of its weights, over one kind of images. */
const convolutionFaults = (name: Convolution, kind: 'bytes' | 'floats') => {
  const breaking =
    (run: (whole: (call: Call<Convolution>) => void, call: Call<Convolution>) => void): Fault =>
    (kernels) => {
      const whole = kernels[name] as (call: Call<Convolution>) => void;
      return { [name]: (call: Call<Convolution>) => (call.input.kind === kind ? run(whole, call) : whole(call)) };
    };
  const padded = (side: 'top' | 'left', by: number) =>
    breaking((whole, call) => whole({ ...call, windows: { ...call.windows, [side]: call.windows[side] + by } }));
  return {
    [`${name} of ${kind}: 1.5 times too large`]: breaking((whole, call) => {
      whole(call);
      for (let i = 0; i < numbersOf(name, call); i++) call.out[i]! *= 1.5;
    }),
    [`${name} of ${kind}: the last image left out`]: breaking((whole, call) => {
      call.out.fill(0, 0, numbersOf(name, call));
      whole({ ...call, input: { ...call.input, count: call.input.count - 1 } });
    }),
    [`${name} of ${kind}: a row of padding too many`]: padded('top', 1),
    [`${name} of ${kind}: a row of padding too few`]: padded('top', -1),
    [`${name} of ${kind}: a column of padding too many`]: padded('left', 1),
  };
};

function numbersOf(name: Convolution, { input, windows, filters }: Call<Convolution>): number {
  const { outHeight, outWidth, size, channels } = windows;
  return filters * (name === 'convolve' ? input.count * outHeight * outWidth : size * size * channels);
}

/** To the last of a window's largest numbers instead of the first. */
const lastOfTies: Fault = () => ({
  maxPoolGradient({ values, windows, count, pooled, dPooled, out }) {
    const { height, width, channels, size, stride, outHeight, outWidth } = windows;
    out.fill(0, 0, count * imageOf(windows));
    for (let to = 0; to < count * pooledOf(windows); to++) {
      const [c, place] = [to % channels, Math.floor(to / channels)];
      const [j, row] = [place % outWidth, Math.floor(place / outWidth)];
      const [i, image] = [row % outHeight, Math.floor(row / outHeight)];
      const at = (k: number) =>
        ((image * height + i * stride + Math.floor(k / size)) * width + j * stride + (k % size)) * channels + c;
      const last = Array.from({ length: size * size }, (_, k) => at(k)).findLast((each) => values[each] === pooled[to])!;
      out[last] = out[last]! + dPooled[to]!;
    }
  },
});

/** Windows of a pool that begin a pixel late. */
const late: Record<string, Fault> = {
  'maxPool: windows a pixel off': (whole) => ({
    maxPool: (call) => whole.maxPool({ ...call, values: moved(call.values, call.windows.channels) }),
  }),
  'averagePool: windows a pixel off': (whole) => ({
    averagePool: (call) => whole.averagePool({ ...call, values: moved(call.values, call.windows.channels) }),
  }),
  'maxPoolGradient: gradients a window off': (whole) => ({
    maxPoolGradient: (call) => whole.maxPoolGradient({ ...call, dPooled: moved(call.dPooled, call.windows.channels) }),
  }),
  'averagePoolGradient: gradients a window off': (whole) => ({
    averagePoolGradient: (call) => whole.averagePoolGradient({ ...call, dPooled: moved(call.dPooled, call.windows.channels) }),
  }),
};

type Norm = Parameters<Kernels['batchNorm']>[0];
type NormBack = Parameters<Kernels['batchNormBackward']>[0];
const norm =
  (run: (whole: Kernels, call: Norm) => void): Fault =>
  (whole) => ({ batchNorm: (call) => run(whole, call) });
const normBack =
  (run: (whole: Kernels, call: NormBack) => void): Fault =>
  (whole) => ({ batchNormBackward: (call) => run(whole, call) });
const spoiltNorm = (spoil: (call: Norm) => void) =>
  norm((whole, call) => {
    whole.batchNorm(call);
    spoil(call);
  });
const spoiltNormBack = (spoil: (call: NormBack) => void) =>
  normBack((whole, call) => {
    whole.batchNormBackward(call);
    spoil(call);
  });

/** Seen on the way there, or where the order of equal numbers matters: a cost that is wrong has the differences that it has. */
const forwardFaults: Record<string, Fault> = {
  ...convolutionFaults('convolve', 'bytes'),
  ...convolutionFaults('convolve', 'floats'),
  'convolve of floats: the last place of each row left out': (whole) => ({
    convolve: (call) => {
      whole.convolve(call);
      const row = call.windows.outWidth * call.filters;
      if (call.input.kind === 'floats')
        for (let end = row; end <= numbersOf('convolve', call); end += row) call.out.fill(0, end - call.filters, end);
    },
  }),
  ...imageFaults('maxPool', pooledOf),
  ...imageFaults('averagePool', pooledOf),
  'maxPool: windows a pixel off': late['maxPool: windows a pixel off']!,
  'averagePool: windows a pixel off': late['averagePool: windows a pixel off']!,
  'maxPoolGradient: the last of equal numbers': lastOfTies,
  'batchNorm: a number 1.5 times too large': spoiltNorm(({ z, count, gamma }) => enlarge(z.subarray(0, count * gamma.length))),
  'batchNorm: a normalized number 1.5 times too large': spoiltNorm(({ normalized, count, gamma }) =>
    enlarge(normalized.subarray(0, count * gamma.length)),
  ),
  'batchNorm: the last place left out': norm((whole, call) => whole.batchNorm({ ...call, count: call.count - 1 })),
  'batchNorm: the variance of a sample': spoiltNorm(({ variance, count }) =>
    variance.set(variance.map((s) => (s * count) / (count - 1))),
  ),
  'addScaled: twice what comes past a residual block': (whole) => ({
    addScaled: (call) => whole.addScaled({ ...call, factor: 2 * call.factor }),
  }),
  'batchNorm: a mean that is not kept': spoiltNorm(({ mean }) => mean.fill(0)),
};

/** Gradients that differences of the cost contradict. */
const backwardFaults: Record<string, Fault> = {
  ...convolutionFaults('convolveGradWeights', 'bytes'),
  ...convolutionFaults('convolveGradWeights', 'floats'),
  ...imageFaults('convolveGradInput', imageOf),
  'convolveGradInput: a row of padding too many': (whole) => ({
    convolveGradInput: (call) => whole.convolveGradInput({ ...call, windows: { ...call.windows, top: call.windows.top + 1 } }),
  }),
  'convolveGradInput: a column of padding too few': (whole) => ({
    convolveGradInput: (call) => whole.convolveGradInput({ ...call, windows: { ...call.windows, left: call.windows.left - 1 } }),
  }),
  ...imageFaults('maxPoolGradient', imageOf),
  ...imageFaults('averagePoolGradient', imageOf),
  'maxPoolGradient: gradients a window off': late['maxPoolGradient: gradients a window off']!,
  'averagePoolGradient: gradients a window off': late['averagePoolGradient: gradients a window off']!,
  'batchNormBackward: a number 1.5 times too large': spoiltNormBack(({ dZ, count, gamma }) =>
    enlarge(dZ.subarray(0, count * gamma.length)),
  ),
  'batchNormBackward: the last place left out': normBack((whole, call) =>
    whole.batchNormBackward({ ...call, count: call.count - 1 }),
  ),
  'batchNormBackward: dγ 1.5 times too large': spoiltNormBack(({ gammaGradient }) => enlarge(gammaGradient)),
  'batchNormBackward: dβ 1.5 times too large': spoiltNormBack(({ betaGradient }) => enlarge(betaGradient)),
  'batchNormBackward: mean and variance as constants': normBack((whole, { dZ, count, gamma, variance, epsilon, ...call }) => {
    const [units, before] = [gamma.length, dZ.slice()];
    whole.batchNormBackward({ dZ, count, gamma, variance, epsilon, ...call });
    for (let i = 0; i < count * units; i++) dZ[i] = (gamma[i % units]! * before[i]!) / Math.sqrt(variance[i % units]! + epsilon);
  }),
};

/** All of these kernels, one after the other: a pool of overlapping windows leaves equal numbers to the pool above it. */
const networkOf = (side: number, filters: number): Network => ({
  inputs: side * side * 3,
  layers: [
    conv(filters, { batchNorm: true }),
    { type: 'maxPool', size: 2, stride: 1 },
    { type: 'maxPool', size: 2, stride: 2 },
    { type: 'residual', layers: [conv(filters)], activation: 'linear' },
    { type: 'averagePool', size: 2, stride: 1 },
    dense(1, { activation: 'sigmoid' }),
  ] satisfies Layer[],
});

const sizes = [
  { side: 5, filters: 1, m: 3, batchSize: 'full' },
  { side: 8, filters: 3, m: 12, batchSize: 'full' },
  { side: 7, filters: 9, m: 24, batchSize: 10 },
] as const;

describe.each<Precision>(['float32', 'float64'])('the check of a step, %s', (precision) => {
  const whole = kernelsFor(precision);
  const optionsOf = ({ side, filters, m, batchSize }: (typeof sizes)[number]) => {
    const wishes = { train: noisePictures(m, { side }), network: networkOf(side, filters), batchSize, kernels: whole };
    return problem({ ...wishes, learningRates: [0.1, 0.1, 0.1] });
  };

  test.each(sizes)('accepts whole kernels: $side × $side, $filters filters, batches of $batchSize', (size) =>
    expect(checkStep(optionsOf(size))).toBeNull(),
  );

  test.each(someOf(Object.entries({ ...forwardFaults, ...backwardFaults })))('notices %s', (_, fault) => {
    const found = sizes.map((size) => checkStep({ ...optionsOf(size), kernels: withFault(whole, fault) }));
    expect(found).not.toContain(null);
  });
});

test('of a network of many patches fewer examples are checked, and a broken kernel is noticed all the same', () => {
  const side = 32;
  const layers: Layer[] = [
    conv(1, { kernel: 33 }),
    { type: 'averagePool', size: 8, stride: 8 },
    dense(1, { activation: 'sigmoid' }),
  ];
  const network = { inputs: side * side * 3, layers };
  const train = { pixels: new Uint8Array(12 * network.inputs), labels: new Uint8Array(12).fill(1, 6) };
  const kernels = kernelsFor('float32');
  const options = problem({ train, network, kernels, learningRates: [0.1, 0.1] });
  expect(probeOf(options).distinct).toBe(2); // 32² windows of 33² · 3 numbers: 2^23 are two and a half examples
  expect(checkStep(options)).toBeNull();
  const fault = convolutionFaults('convolve', 'bytes')['convolve of bytes: the last image left out']!;
  expect(checkStep({ ...options, kernels: withFault(kernels, fault) })).not.toBeNull();
});

/** Of nine filters convolutions go by Winograd's transform. */
describe.each([
  { filters: 2, kernel: '' },
  { filters: 9, kernel: 'convolve' },
])('the gradient check, $filters filters', ({ filters, kernel }) => {
  const [side, kernels] = [6, kernelsFor('float64')];
  const options = problem({
    train: noisePictures(8, { side }),
    network: networkOf(side, filters),
    kernels,
    learningRates: [0.1, 0.1, 0.1],
  });
  const isFound = (fault: Fault) => !checkModel(options, { perLayer: 12, examples: 6 }, withFault(kernels, fault)).every(isRight);

  test('accepts whole kernels', () => expect(isFound(() => ({}))).toBe(false));

  const faults = Object.entries(backwardFaults).filter(([name]) => name.startsWith(kernel));
  test.each(faults)('notices %s', (_, fault) => expect(isFound(fault)).toBe(true));
});
