/** The numerical operations that cost time, behind one interface. reference.ts is their definition. */

import type { ImageKernels } from './image-transform.ts';

export type Floats = Float32Array | Float64Array;
export const precisions = { float32: Float32Array, float64: Float64Array } as const;
export type Precision = keyof typeof precisions;

export const arithmetics = {
  strict: { summary: 'the same bits on every machine' },
  fast: {
    summary: 'multiplication and addition in one instruction, which rounds otherwise on some machines; strict where Node cannot',
  },
} as const;
export type Arithmetic = keyof typeof arithmetics;

/** What turns bytes into the network's input: x = scale · byte + shift, feature by feature.
 *  Both have length n_x; normalisation of every kind is such a scaling. A scaling is never changed once it is made. */
export interface InputScaling {
  scale: Float64Array;
  shift: Float64Array;
}

/** Some pictures as bytes: example i is the `features` bytes at indices[i] · features (or at i · features). */
export interface ByteBatch {
  kind: 'bytes';
  bytes: Uint8Array;
  indices: Int32Array | null;
  count: number;
  features: number;
  scaling: InputScaling;
}

/** The output of a layer, example after example: `count` rows of `features` numbers. */
export interface FloatBatch {
  kind: 'floats';
  values: Floats;
  count: number;
  features: number;
}

/** Pictures by their inner products with the vectors v_1 … v_w that a first layer's weights are sums of: W = C·V, so that
 *  W·x = C·(V·x) with C (n_1, w) in the place of the weights. The first vectors are the training pictures, in order.
 *  (The dual form of the first layer: docs/decisions/0011-dual-form.md.) */
export interface GramBatch {
  kind: 'gram';
  /** V·x, picture after picture: `features` numbers each */
  gram: Floats;
  /** which of them, or null for the first `count`; those of a training batch are training pictures */
  indices: Int32Array | null;
  count: number;
  /** w, the number of vectors */
  features: number;
}

export type Batch = ByteBatch | FloatBatch | GramBatch;

export interface Kernels extends Elementwise, ConvolutionKernels, WindowKernels, ImageKernels {
  readonly precision: Precision;
  readonly arithmetic: Arithmetic;
  /** that share a call; no result depends on them */
  readonly threads: number;

  /** Zeroed memory in the kernels' precision, where they read and write it without copying. */
  allocate(length: number): Floats;

  /** The same bytes where the kernels read them without copying; themselves where they lie there, or where there is no room. */
  pin(bytes: Uint8Array): Uint8Array;

  /** The same kernels with a memory of their own: what is taken through a scope is given back by its `release`. What is
   *  taken without a scope stays for the life of the process. */
  scope(): Scope;

  /** Makes some calls of these kernels, and nothing else, of which each makes something of every example of a batch by itself: threads may share the examples instead of each call, so
   *  that none waits between them. What they make may be read once this has come back. */
  perExample(examples: number, calls: () => void): void;

  /** Z = W·X + b. The sum for one example depends on nothing but that example.
   *  @param options.weights (n_l, n_(l-1)) row after row
   *  @param options.bias    (n_l, 1), or null for none
   *  @param options.out     (n_l, m) example after example: out[i · n_l + u]; may be longer */
  linear(options: { input: Batch; weights: Floats; bias: Floats | null; units: number; out: Floats }): void;

  /** dW = dZ · Xᵀ; for a gram batch, dC: each example's dZ on the coefficients of the vector that it is, since dW = dC·V.
   *  @param options.out (n_l, n_(l-1)), overwritten, or with `adds` added to */
  linearGradWeights(options: { input: Batch; dZ: Floats; units: number; out: Floats; adds?: boolean }): void;

  /** dA = Wᵀ · dZ, the gradient for the layer below. @param options.out (n_(l-1), m), overwritten */
  linearGradInput(options: { dZ: Floats; weights: Floats; units: number; features: number; count: number; out: Floats }): void;

  /** Forward, loss and gradient of a network of one unit over bytes in one, where that is faster than one after the other: memory is
   *  read once. Null for kernels that have no such thing. */
  readonly logisticPass: {
    /** whether it is for such pictures */
    takes(input: ByteBatch): boolean;
    /** @returns Σ weight · L */
    run(pass: LogisticPass): number;
  } | null;

  /** The inner products of pictures with pictures, after the scaling.
   *  @param options.left  [l, n_x]
   *  @param options.right [r, n_x]
   *  @param options.out   out[i · r + j] = x_i · y_j */
  gram(options: { left: Uint8Array; right: Uint8Array; scaling: InputScaling; out: Floats }): void;

  /** One step of an optimizer, number by number; all arrays have the same length:
   *
   *      v ← β₁ v + (1 − β₁) g       where there is a first moment; else v = g
   *      s ← β₂ s + (1 − β₂) g²      where there is a second moment
   *      g ← v / c₁ / (√(s / c₂ + εᵢ) + ε)   or, without a second moment, g ← v / c₁
   *      w ← w − rate · g */
  optimizerStep(options: OptimizerStep): void;

  /** `linearGradWeights` and `optimizerStep` in one, g = dW + decay · W, for weights whose gradient nobody else wants to see: it need
   *  not come to lie in memory as a whole. The bits are those of one after the other. */
  backwardAndStep(options: BackwardAndStep): StepStatistics;

  /** out ← out + factor · values */
  addScaled(options: { values: Floats; factor: number; out: Floats }): void;

  /** Σ x², summed in float64; not finite where one of them is not, and where the sum is beyond 10^308. */
  squaredNorm(values: Floats): number;
}

/** `linear`, `lossGradient`, `linearGradWeights` and `sumExamples` of logistic regression. */
export interface LogisticPass {
  input: ByteBatch;
  /** (1, n_x) */
  weights: Floats;
  bias: Floats;
  rule: LossRule;
  labels: Uint8Array;
  /** what an example of class 0 and of class 1 counts, and of labels above, which a rule may know */
  classWeights: readonly [number, number, ...number[]];
  /** what dZ is divided by */
  m: number;
  /** (1, m), overwritten; so are dW (1, n_x) and db (1) */
  z: Floats;
  dZ: Floats;
  dW: Floats;
  db: Floats;
}

export interface OptimizerStep extends UpdateCoefficients {
  values: Floats;
  /** becomes the direction of the step */
  gradient: Floats;
  firstMoment: Floats | null;
  secondMoment: Floats | null;
  learningRate: number;
}

/** A step of one layer's weights. */
export interface BackwardAndStep extends UpdateCoefficients {
  input: Batch;
  /** (n_l, m) example after example */
  dZ: Floats;
  units: number;
  /** (n_l, n_(l-1)), moved; as long as the averages */
  weights: Floats;
  firstMoment: Floats | null;
  secondMoment: Floats | null;
  learningRate: number;
  /** λ/m of L2 */
  decay: number;
  wantsNorms: boolean;
}

export interface StepStatistics {
  /** whether all of dW was; if not, the weights are spoilt */
  finite: boolean;
  /** Σ g², Σ direction², and Σ W² before the step, where they were asked for */
  squares: { gradient: number; direction: number; weights: number } | null;
}

export interface UpdateCoefficients {
  beta1: number;
  beta2: number;
  /** 1 − βᵗ, by which averages are divided that are corrected for their start at 0; else 1 */
  biasCorrection1: number;
  biasCorrection2: number;
  /** the ε that stands under the root, and that beside it */
  epsilonInsideRoot: number;
  epsilon: number;
}

/** g(z) and g′, by name: kernels that know the name may compute it in their own way. */
export interface ActivationRule {
  name: string;
  value(z: number, slope: number): number;
  derivative(z: number, a: number, slope: number): number;
}

/** L and ∂L/∂z from the logit, by name. */
export interface LossRule {
  name: string;
  value(z: number, y: number): number;
  derivative(z: number, y: number): number;
}

/** What is done number by number with a layer's outputs: (n_l, m), example after example. */
export interface Elementwise {
  /** a = g(z) ∘ mask, for the first `length` numbers.
   *  @param options.mask  1/keepProb or 0, or null without dropout */
  activate(options: { rule: ActivationRule; slope: number; z: Floats; a: Floats; mask: Floats | null; length: number }): void;

  /** dZ ← dA ∘ mask ∘ g′(Z): dZ holds dA when it comes in.
   *  @param options.a         what `activate` made
   *  @param options.keepProb  of the mask; 1 without one */
  activationGradient(options: {
    rule: ActivationRule;
    slope: number;
    z: Floats;
    a: Floats;
    dZ: Floats;
    mask: Floats | null;
    keepProb: number;
    length: number;
  }): void;

  /** dZ = weight · ∂L/∂z / m, for `count` logits. @returns Σ weight · L
   *  @param options.labels   0 or 1, or above where the rule knows more, which only the reference does
   *  @param options.weights  what an example of class 0 and of class 1 counts, and of labels above */
  lossGradient(options: {
    rule: LossRule;
    z: Floats;
    labels: Uint8Array;
    weights: readonly [number, number, ...number[]];
    count: number;
    m: number;
    dZ: Floats;
  }): number;

  /** out = Σ over examples, unit by unit. @param options.out  (n_l, 1), overwritten, or with `adds` added to */
  sumExamples(options: { values: Floats; count: number; units: number; out: Floats; adds: boolean }): void;

  /** z ← γ z_norm + β with z_norm = (z − μ) / √(σ² + ε), μ and σ² (biased) of these examples, which are kept.
   *  @see Ioffe & Szegedy 2015, algorithm 1 */
  batchNorm(options: NormOptions & { z: Floats; normalized: Floats }): void;

  /** The same with a mean and a variance that are given. */
  batchNormInference(options: NormOptions & { z: Floats }): void;

  /** dγ = Σ dz̃ z_norm, dβ = Σ dz̃, and dZ becomes the gradient before batch norm, through μ and σ² too. */
  batchNormBackward(
    options: Pick<NormOptions, 'count' | 'gamma' | 'variance' | 'epsilon'> & {
      dZ: Floats;
      normalized: Floats;
      gammaGradient: Floats;
      betaGradient: Floats;
    },
  ): void;
}

/** All arrays have the layer's n_l entries. */
export interface NormOptions {
  count: number;
  gamma: Floats;
  beta: Floats;
  mean: Floats;
  variance: Floats;
  epsilon: number;
}

/** Where the windows of a convolution, or of pooling, lie in an image whose channels lie together: window (i, j) begins at row
 *  i · stride − top and column j · stride − left, and what lies outside the image is 0. */
export interface Windows {
  height: number;
  width: number;
  channels: number;
  /** side of a window */
  size: number;
  stride: number;
  top: number;
  left: number;
  outHeight: number;
  outWidth: number;
}

/** Convolutions: linear layers over the windows of images, or what Winograd's transform makes of them (convolution.ts says where). */
export interface ConvolutionKernels {
  /** A linear layer over the windows: Z = W·P + b at every place, where P has size · size · channels numbers. What an image gives depends on no other image.
   *  @param options.weights  (filters, size · size · channels) row after row
   *  @param options.bias     (filters, 1), or null for none
   *  @param options.out      (count · outHeight · outWidth, filters), overwritten; may be longer. With `pools` a quarter of it */
  convolve(options: ConvolveOptions & ConvolutionEpilogue & { weights: Floats; bias: Floats | null; out: Floats }): void;

  /** Filters as `convolve` works with them where it goes by Winograd's transform, for networks that answer often with the same weights.
   *  @param options.out  `transformedLength` numbers (convolution.ts), overwritten */
  transformFilters(options: { windows: Windows; filters: number; weights: Floats; out: Floats }): void;

  /** dW = dZ · Pᵀ, summed place by place. @param options.out  (filters, size · size · channels), overwritten, or with `adds` added to */
  convolveGradWeights(options: ConvolveOptions & { dZ: Floats; out: Floats; adds: boolean }): void;

  /** The gradient of the images: dP = Wᵀ · dZ, and each number is the sum over the windows that it is in. @param options.out  `count` images, overwritten */
  convolveGradInput(options: Omit<ConvolveOptions, 'input'> & { count: number; dZ: Floats; weights: Floats; out: Floats }): void;
}

/** What is done window by window with the images of a batch, example after example. */
export interface WindowKernels {
  /** The windows as rows of size · size · channels numbers, so that a convolution is a linear layer over them.
   *  @param options.first  of the rows of windows, `outHeight` an image, image after image
   *  @param options.rows   of windows, that are wanted
   *  @param options.out    (rows · outWidth, size · size · channels), overwritten */
  patches(options: { input: ByteBatch | FloatBatch; windows: Windows; first: number; rows: number; out: Floats }): void;

  /** The gradient of the images from that of all their patches: each number is the sum over the windows that it is in.
   *  @param options.out  `count` images, overwritten */
  patchesGradient(options: { patches: Floats; windows: Windows; count: number; out: Floats }): void;

  /** The largest number of each window, channel by channel; no window may reach outside.
   *  @param options.out  `count` images of outHeight · outWidth · channels */
  maxPool(options: PoolOptions): void;

  /** Each window's gradient goes to the first of its largest numbers.
   *  @param options.pooled  what `maxPool` made
   *  @param options.out     overwritten */
  maxPoolGradient(options: PoolOptions & { pooled: Floats; dPooled: Floats }): void;

  /** The mean of each window, channel by channel. */
  averagePool(options: PoolOptions): void;

  /** Each window's gradient is shared by all of its numbers. @param options.out  overwritten */
  averagePoolGradient(options: Omit<PoolOptions, 'values'> & { dPooled: Floats }): void;
}

export interface ConvolveOptions {
  input: ByteBatch | FloatBatch;
  windows: Windows;
  filters: number;
}

/** What `convolve` does with Z before it leaves it, in the same pass. */
export interface ConvolutionEpilogue {
  /** ReLU: what is below 0 becomes 0 */
  relu?: boolean;
  /** the largest of two by two places, for even sides where the convolution goes by Winograd's transform */
  pools?: boolean;
  /** what `transformFilters` made of the weights, or null where they are still to be transformed */
  transformed?: Floats | null;
}

export interface PoolOptions {
  values: Floats;
  windows: Windows;
  count: number;
  out: Floats;
}

/** Kernels whose memory ends with them: after `release` no array that came from them may be used. */
export interface Scope extends Kernels {
  release(): void;
}

/** Does some work whose arrays do not outlive it. */
export function inScope<Result>(kernels: Kernels, work: (scope: Kernels) => Result): Result {
  const scope = kernels.scope();
  try {
    return work(scope);
  } finally {
    scope.release();
  }
}
