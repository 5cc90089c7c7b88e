/** The numerical operations that cost time, behind one interface. reference.ts is their definition. */

export type Floats = Float32Array | Float64Array;
export const precisions = { float32: Float32Array, float64: Float64Array } as const;
export type Precision = keyof typeof precisions;

/** What turns bytes into the network's input: x = multiply · byte + add, feature by feature.
 *  Both have length n_x; normalisation of every kind is such a map. A map is never changed once it is made. */
export interface InputMap {
  multiply: Float64Array;
  add: Float64Array;
}

/** Some pictures as bytes: example i is the `features` bytes at indices[i] · features (or at i · features). */
export interface ByteRows {
  kind: 'bytes';
  bytes: Uint8Array;
  indices: Int32Array | null;
  count: number;
  features: number;
  map: InputMap;
}

/** The output of a layer, example after example: `count` rows of `features` numbers. */
export interface FloatRows {
  kind: 'floats';
  values: Floats;
  count: number;
  features: number;
}

export type Rows = ByteRows | FloatRows;

export interface Kernels {
  readonly precision: Precision;

  /** Zeroed memory in the kernels' precision, where they read and write it without copying. */
  floats(length: number): Floats;

  /** The same bytes where the kernels read them without copying; themselves where they lie there, or where there is no room. */
  resident(bytes: Uint8Array): Uint8Array;

  /** The same kernels with a memory of their own: what is taken through a scope is given back by its `release`. What is
   *  taken without a scope stays for the life of the process. */
  scope(): Scope;

  /** Z = W·X + b. The sum for one example depends on nothing but that example.
   *  @param options.weights (n_l, n_(l-1)) row after row
   *  @param options.bias    (n_l, 1), or null for none
   *  @param options.out     (n_l, m) example after example: out[i · n_l + u]; may be longer */
  forward(options: { input: Rows; weights: Floats; bias: Floats | null; units: number; out: Floats }): void;

  /** dW = dZ · Xᵀ. @param options.out (n_l, n_(l-1)), overwritten */
  backwardWeights(options: { input: Rows; dZ: Floats; units: number; out: Floats }): void;

  /** dA = Wᵀ · dZ, the gradient for the layer below. @param options.out (n_(l-1), m), overwritten */
  backwardInput(options: { dZ: Floats; weights: Floats; units: number; features: number; count: number; out: Floats }): void;
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
