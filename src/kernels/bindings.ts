/**
 * What host and assembly must both know of the compiled kernels: each kernel with the fields of its call, and the numbers that both sides count
 * on. The host writes calls by this table (simd/call.ts); of it the build makes the assembly's classes, constants and dispatch
 * (scripts/build-kernels.mjs), so that neither side has a list of its own.
 */

/** A pointer is an address in the kernels' memory, 0 for none; a flag is 0 or 1. */
export type FieldType = 'f64' | 'i32' | 'pointer' | 'flag';
type Fields = Record<string, FieldType>;

/** Rows of bytes: example i is row indices[i] (Int32), or row i where there are no indices. */
const byteRows = { bytes: 'pointer', indices: 'pointer', features: 'i32', count: 'i32' } as const;

/** An input scaling: one `scale` of all bytes, which is applied to sums; or `scales` and `shifts`, `features` reals each. */
const scaling = { scale: 'f64', scales: 'pointer', shifts: 'pointer' } as const;

const byteBatch = { ...byteRows, ...scaling } as const;
const floatBatch = { values: 'pointer', features: 'i32', count: 'i32' } as const;

/** Of Z = W·X + b; `byUnits` says that threads share its units instead of its examples. */
const layer = { units: 'i32', weights: 'pointer', bias: 'pointer', out: 'pointer', byUnits: 'flag' } as const;

/** dZ, `count` rows of `units`. */
const outputGradient = { units: 'i32', dZ: 'pointer' } as const;
const byteGradient = { ...byteBatch, ...outputGradient } as const;

/** z of a layer of one unit, whose weights are split numbers. */
const logisticBatch = { ...byteRows, scale: 'f64', weights: 'pointer', bias: 'pointer' } as const;

/** `UpdateCoefficients` of kernels.ts, with the moving averages. */
const update = {
  learningRate: 'f64',
  beta1: 'f64',
  beta2: 'f64',
  biasCorrection1: 'f64',
  biasCorrection2: 'f64',
  epsilonInsideRoot: 'f64',
  epsilon: 'f64',
  firstMoment: 'pointer',
  secondMoment: 'pointer',
} as const;

/** A loss: which, what an example of class 0 and of class 1 counts, and what dZ is divided by. Labels are a byte each. */
const loss = { rule: 'i32', weight0: 'f64', weight1: 'f64', m: 'f64', z: 'pointer', labels: 'pointer', dZ: 'pointer' } as const;

/** Batch norm: `kept` is what the numbers of a unit have in common, made by the one kernel for the other. */
const unitNorm = { count: 'i32', units: 'i32', epsilon: 'f64', gamma: 'pointer', variance: 'pointer' } as const;
const givenNorm = { ...unitNorm, beta: 'pointer', mean: 'pointer', z: 'pointer' } as const;

/** `Windows` of kernels.ts. */
const windows = {
  height: 'i32',
  width: 'i32',
  channels: 'i32',
  size: 'i32',
  stride: 'i32',
  top: 'i32',
  left: 'i32',
  outHeight: 'i32',
  outWidth: 'i32',
} as const;
/** A linear layer over windows of `length` numbers; `count` and `features` are those of the images. */
const convolution = { ...windows, length: 'i32', places: 'i32' } as const;
/** What is done with the result of a convolution: ReLU. */
const behind = { relu: 'flag' } as const;
/** Winograd's F(2 × 2, 3 × 3): `filters` are transformed, and so is `out` of the gradient of weights. */
const winograd = { ...windows, units: 'i32', values: 'pointer', out: 'pointer' } as const;
const pooling = { ...windows, values: 'pointer', out: 'pointer' } as const;

/** What calls begin with that the assembly takes alike: each is a class that theirs extend; a longer one stands behind a shorter one. */
export const sharedFields = {
  ByteRows: byteRows,
  ByteBatch: byteBatch,
  ByteGradient: byteGradient,
  LogisticBatch: logisticBatch,
};

/** Every compiled kernel: the fields of its call. The assembly exports a function of the same name, which says what it computes. */
export const callFields = {
  linearBytes: { ...byteBatch, ...layer },
  linearFloats: { ...floatBatch, ...layer },
  linearGradWeightsBytes: { ...byteGradient, out: 'pointer', accumulates: 'flag' },
  linearGradWeightsFloats: { ...floatBatch, ...outputGradient, out: 'pointer', accumulates: 'flag' },
  linearGradInput: { ...outputGradient, weights: 'pointer', features: 'i32', out: 'pointer' },
  gramU8: { left: 'pointer', right: 'pointer', features: 'i32', columns: 'i32', out: 'pointer' },
  optimizerStep: { ...update, values: 'pointer', gradient: 'pointer' },
  backwardAndStep: { ...byteGradient, ...update, decay: 'f64', values: 'pointer', statistics: 'pointer', wantsNorms: 'flag' },
  addScaled: { factor: 'f64', values: 'pointer', out: 'pointer' },
  squaredNorms: { values: 'pointer', count: 'i32', out: 'pointer' },
  splitNumbers: { values: 'pointer', count: 'i32', scales: 'pointer', shifts: 'pointer', out: 'pointer', wantsSum: 'flag' },
  logisticForward: { ...logisticBatch, out: 'pointer' },
  logisticGradWeights: { ...byteBatch, dZ: 'pointer', out: 'pointer', accumulates: 'flag' },
  logisticPass: { ...logisticBatch, ...loss, partCount: 'i32', sums: 'pointer', statistics: 'pointer' },
  logisticPassSum: { ...scaling, sums: 'pointer', statistics: 'pointer', features: 'i32', parts: 'i32', out: 'pointer' },
  activate: { rule: 'i32', slope: 'f64', z: 'pointer', mask: 'pointer', a: 'pointer' },
  activationGradient: { rule: 'i32', slope: 'f64', keepProb: 'f64', z: 'pointer', a: 'pointer', mask: 'pointer', dZ: 'pointer' },
  lossGradient: { ...loss, cost: 'pointer' },
  sumExamples: { values: 'pointer', count: 'i32', units: 'i32', out: 'pointer', accumulates: 'flag' },
  batchNormStatistics: { ...givenNorm, kept: 'pointer' },
  batchNorm: { units: 'i32', z: 'pointer', normalized: 'pointer', kept: 'pointer' },
  batchNormInference: givenNorm,
  convolveBytes: { ...byteBatch, ...convolution, ...layer, ...behind },
  convolveFloats: { ...floatBatch, ...convolution, ...layer, ...behind },
  convolveGradWeightsBytes: { ...byteBatch, ...convolution, ...outputGradient, out: 'pointer', accumulates: 'flag' },
  convolveGradWeightsFloats: { ...floatBatch, ...convolution, ...outputGradient, out: 'pointer', accumulates: 'flag' },
  winogradFilters: { channels: 'i32', units: 'i32', turned: 'flag', weights: 'pointer', out: 'pointer' },
  winograd: { ...winograd, filters: 'pointer', bias: 'pointer', ...behind, pools: 'flag' },
  winogradLargeFilters: { channels: 'i32', units: 'i32', weights: 'pointer', out: 'pointer' },
  winogradLargeTiles: { ...winograd, filters: 'pointer', bias: 'pointer', ...behind, pools: 'flag' },
  winogradGradWeights: { ...winograd, tiles: 'i32', dZ: 'pointer' },
  winogradWeights: { channels: 'i32', units: 'i32', sums: 'pointer', out: 'pointer', accumulates: 'flag' },
  patchesBytes: { ...byteBatch, ...windows, row: 'i32', out: 'pointer' },
  patchesFloats: { ...windows, values: 'pointer', row: 'i32', out: 'pointer' },
  patchesGradient: pooling,
  maxPool: pooling,
  maxPoolGradient: { ...pooling, pooled: 'pointer', dPooled: 'pointer' },
  averagePool: pooling,
  averagePoolGradient: { ...windows, dPooled: 'pointer', out: 'pointer' },
  batchNormGradients: {
    ...unitNorm,
    normalized: 'pointer',
    gammaGradient: 'pointer',
    betaGradient: 'pointer',
    dZ: 'pointer',
    kept: 'pointer',
  },
  batchNormBackward: { count: 'i32', units: 'i32', normalized: 'pointer', dZ: 'pointer', kept: 'pointer' },
  shrinkImages: { ...byteRows, side: 'i32', smaller: 'i32', taps: 'i32', numbers: 'pointer', out: 'pointer' },
  transformImages: { ...byteRows, side: 'i32', transforms: 'pointer', out: 'pointer' },
} as const satisfies Record<string, Fields>;

export type KernelName = keyof typeof callFields;
export const kernelNames = Object.keys(callFields) as KernelName[];

/** The rules that the assembly knows; one of another name is computed by its own functions. */
export const compiledRules = {
  Activation: ['sigmoid', 'tanh', 'relu', 'leakyRelu', 'linear'],
  Loss: ['crossEntropy', 'squaredError'],
} as const;

/** An `ImageTransform` as the assembly reads it: reals in this order. */
export const transformNumbers = [
  'xx',
  'yx',
  'xy',
  'yy',
  'right',
  'down',
  'saturation',
  'contrast',
  'red',
  'green',
  'blue',
] as const;

/** Numbers that both sides count on. */
export const kernelConstants = {
  /** Examples that are dequantized and worked on together. Sums over examples may be cut here without changing a bit. */
  EXAMPLES: 64,
  /** Bytes of a row of the columns that are dequantized together where sums run over examples: EXAMPLES of them stay in the first-level cache. */
  COLUMN_BYTES: 384,
  /** Bytes at the beginning of the memory that stay zeros: sums begin from them, and no address is 0. */
  ZERO_BYTES: 256,
  /** Numbers whose squares are summed together, so that sums do not depend on who makes them. */
  NORM_BLOCK: 4096,
  /** Columns whose dW `backwardAndStep` makes at once, and whose sums go together. The number of threads changes nothing: pieces begin at
   *  multiples of it. */
  STEP_BLOCK: 768,
  /** Numbers of 64 bits that each of these blocks gives: Σ dW², Σ direction², Σ W² before the step. */
  STEP_STATISTICS: 3,
  /** Numbers of 64 bits that each part of a `logisticPass` gives: Σ weight · L, Σ dZ. */
  PASS_STATISTICS: 2,
  /** Columns of a layer of one unit that are summed together. Their sums stay in the second-level cache; pictures come from main memory, which
   *  is fast where it is read in long stretches. */
  LOGISTIC_COLUMNS: 16_384,
  /** Room of a thread for the tiles of a Winograd convolution. */
  WINOGRAD_BYTES: 512 * 1024,
  TRANSFORM_NUMBERS: transformNumbers.length,
  /** What becomes of a shared call, as `wait` returns it. */
  ALL_DONE: 0,
  THREAD_DIED: 1,
  NO_PROGRESS: 2,
} as const;

/** What every call begins with: which kernel it is for, how long the result is, and how much of it a thread takes at once; how much of what the kernel itself
 *  counts that stands for, and the call that the same thread makes next for the same piece, or 0. */
export const callHeader = { kernel: 'i32', end: 'i32', step: 'i32', each: 'i32', next: 'pointer' } as const;

export const sizeOf = (type: FieldType) => (type === 'f64' ? 8 : 4);

export interface PlacedField {
  name: string;
  type: FieldType;
  /** bytes from the beginning of the call */
  offset: number;
}

/** Where the fields of a call lie, behind its header: one after another, each at a multiple of its size, as AssemblyScript lays out a class. */
export function layoutOf(fields: Fields): PlacedField[] {
  let end = 0;
  const placed = Object.entries<FieldType>({ ...callHeader, ...fields }).map(([name, type]) => {
    const offset = Math.ceil(end / sizeOf(type)) * sizeOf(type);
    end = offset + sizeOf(type);
    return { name, type, offset };
  });
  return placed.slice(Object.keys(callHeader).length);
}

/** Bytes of the longest call, in whole cache lines. */
export const callBytes =
  64 * Math.ceil(Math.max(...Object.values(callFields).map((fields) => layoutOf(fields).at(-1)!.offset + 8)) / 64);
