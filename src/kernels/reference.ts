import { plainElementwise } from './elementwise.ts';
import { type ByteBatch, type FloatBatch, type Floats, type Kernels, type Precision, precisions } from './kernels.ts';
import { gramGradient, gramValues } from './span.ts';
import { stepWeightsPlainly } from './step-weights.ts';

/**
 * The kernels in plain TypeScript: the definition, and the oracle of every test. Sums run in float64, results are
 * rounded to the precision as they are stored. Four examples at a time share each weight that is read.
 */
export function referenceKernels(precision: Precision): Kernels {
  const kernels: Kernels = {
    precision,
    arithmetic: 'strict',
    ...plainElementwise,
    allocate: (length) => new precisions[precision](length),
    pin: (bytes) => bytes,
    scope: () => ({ ...kernels, release: () => {} }), // the garbage collector sees to it
    linear: forward,
    linearGradWeights: backwardWeights,
    linearGradInput: backwardInput,
    logisticPass: null,
    gram: innerProducts,
    optimizerStep: moveParameters,
    backwardAndStep: (step) => stepWeightsPlainly(kernels, step, new precisions[precision](step.weights.length)),
    addScaled: ({ values, factor, out }) => {
      for (let i = 0; i < values.length; i++) out[i] = out[i]! + factor * values[i]!;
    },
    squaredNorm: (values) => {
      let sum = 0;
      for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
      return sum;
    },
  };
  return kernels;
}

/** Examples that are worked on together. */
const TILE = 4;

const forward: Kernels['linear'] = ({ input: rows, weights, bias, units, out }) => {
  const input = rows.kind === 'gram' ? gramValues(rows) : rows;
  const { count, features } = input;
  const tile = new Float64Array(TILE * features);
  const sums = new Float64Array(2 * TILE);
  for (let first = 0; first < count; first += TILE) {
    widen(input, first, tile);
    const examples = Math.min(TILE, count - first);
    for (let unit = 0; unit < units; unit += 2) {
      const pair = Math.min(2, units - unit);
      dotProducts({ weights, row: unit * features, next: (unit + pair - 1) * features, tile, features, sums });
      for (let u = 0; u < pair; u++) {
        const shift = bias === null ? 0 : bias[unit + u]!;
        for (let i = 0; i < examples; i++) out[(first + i) * units + unit + u] = sums[u * TILE + i]! + shift;
      }
    }
  }
};

const backwardWeights: Kernels['linearGradWeights'] = ({ input, dZ, units, out, adds = false }) => {
  if (input.kind === 'gram') return gramGradient(input, dZ, units, out, adds);
  const { count, features } = input;
  const tile = new Float64Array(TILE * features);
  if (!adds) out.fill(0, 0, units * features);
  for (let first = 0; first < count; first += TILE) {
    widen(input, first, tile);
    for (let unit = 0; unit < units; unit++) {
      const at = (i: number) => (first + i < count ? dZ[(first + i) * units + unit]! : 0);
      addScaledRows({ out, row: unit * features, tile, features, d0: at(0), d1: at(1), d2: at(2), d3: at(3) });
    }
  }
};

const backwardInput: Kernels['linearGradInput'] = ({ dZ, weights, units, features, count, out }) => {
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < features; k++) {
      let sum = 0;
      for (let u = 0; u < units; u++) sum += dZ[i * units + u]! * weights[u * features + k]!;
      out[i * features + k] = sum;
    }
  }
};

const innerProducts: Kernels['gram'] = ({ left, right, scaling: { scale, shift }, out }) => {
  const features = scale.length;
  const [x, y] = [new Float64Array(features), new Float64Array(features)];
  const columns = right.length / features;
  for (let i = 0; i < left.length / features; i++) {
    widenBytes(left, i * features, scale, shift, x);
    for (let j = 0; j < columns; j++) {
      widenBytes(right, j * features, scale, shift, y);
      out[i * columns + j] = x.reduce((sum, value, k) => sum + value * y[k]!, 0);
    }
  }
};

const moveParameters: Kernels['optimizerStep'] = (step) => {
  const {
    values,
    gradient,
    firstMoment: velocities,
    secondMoment: squares,
    learningRate: rate,
    beta1,
    beta2,
    biasCorrection1: correction1,
    biasCorrection2: correction2,
    epsilonInsideRoot: inside,
    epsilon: outside,
  } = step;
  for (let i = 0; i < values.length; i++) {
    const g = gradient[i]!;
    let direction = correction1 * g;
    if (velocities !== null) {
      velocities[i] = beta1 * velocities[i]! + (1 - beta1) * g;
      direction = correction1 * velocities[i]!;
    }
    if (squares !== null) {
      squares[i] = beta2 * squares[i]! + (1 - beta2) * g * g;
      direction /= Math.sqrt(correction2 * squares[i]! + inside) + outside;
    }
    gradient[i] = direction;
    values[i] = values[i]! - rate * direction;
  }
};

/** Writes examples first … first + 3 as float64 rows into the tile, zeros past the last. */
function widen(input: ByteBatch | FloatBatch, first: number, tile: Float64Array): void {
  const { count, features } = input;
  for (let i = 0; i < TILE; i++) {
    const row = tile.subarray(i * features, (i + 1) * features);
    if (first + i >= count) row.fill(0);
    else if (input.kind === 'floats') row.set(input.values.subarray((first + i) * features, (first + i + 1) * features));
    else {
      const start = (input.indices === null ? first + i : input.indices[first + i]!) * features;
      widenBytes(input.bytes, start, input.scaling.scale, input.scaling.shift, row);
    }
  }
}

function widenBytes(bytes: Uint8Array, start: number, scale: Float64Array, shift: Float64Array, row: Float64Array): void {
  for (let k = 0; k < row.length; k++) row[k] = bytes[start + k]! * scale[k]! + shift[k]!;
}

/** The dot products of two rows of weights with the four rows of a tile; each sum runs over k in order. */
function dotProducts(options: {
  weights: Floats;
  row: number;
  next: number;
  tile: Float64Array;
  features: number;
  sums: Float64Array;
}): void {
  const { weights, row, next, tile, features: n, sums } = options;
  let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let k = 0; k < n; k++) {
    const a = weights[row + k]!;
    const b = weights[next + k]!;
    const x0 = tile[k]!;
    const x1 = tile[n + k]!;
    const x2 = tile[2 * n + k]!;
    const x3 = tile[3 * n + k]!;
    a0 += a * x0;
    a1 += a * x1;
    a2 += a * x2;
    a3 += a * x3;
    b0 += b * x0;
    b1 += b * x1;
    b2 += b * x2;
    b3 += b * x3;
  }
  sums.set([a0, a1, a2, a3, b0, b1, b2, b3]);
}

/** row += d0 · x0 + d1 · x1 + d2 · x2 + d3 · x3, for the four rows of a tile. */
function addScaledRows(options: {
  out: Floats;
  row: number;
  tile: Float64Array;
  features: number;
  d0: number;
  d1: number;
  d2: number;
  d3: number;
}): void {
  const { out, row, tile, features: n, d0, d1, d2, d3 } = options;
  for (let k = 0; k < n; k++) {
    out[row + k] = out[row + k]! + (d0 * tile[k]! + d1 * tile[n + k]! + (d2 * tile[2 * n + k]! + d3 * tile[3 * n + k]!));
  }
}
