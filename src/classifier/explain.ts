import { channels } from '../data/image.ts';
import { UserError } from '../errors.ts';
import type { InputScaling, Kernels, Precision } from '../kernels/kernels.ts';
import { inputGradient } from '../nn/input-gradient.ts';
import { type Classifier, logits, probability } from './classifier.ts';

/** What in a picture speaks for the positive class and what against it. */
export interface Explanation {
  /** of the picture as it is, as `logits` has it */
  logit: number;
  /** (side, side) row after row: above 0 speaks for the positive class, below 0 against it */
  map: Float64Array;
  /** what the map adds up to with, for a method whose map is a sum */
  sum: GradientSum | null;
  /** what the map is the mean of, for the method that covers squares */
  occlusion: Occlusion | null;
}

/** logit = parts + bias + remainder */
export interface GradientSum {
  /** Σ over the map */
  parts: number;
  /** the logit where every input is 0: b of logistic regression */
  bias: number;
  /** what is left: 0 up to rounding for a network that is linear in its input */
  remainder: number;
}

/** What `nn predict` answers once a square of the picture is covered. */
export interface Occlusion {
  /** side of the square, in pixels */
  square: number;
  /** where squares begin, in both directions */
  starts: readonly number[];
  /** P(picture) − P(covered), row after row of squares, and the same of logits */
  differences: Float64Array;
  logitDifferences: Float64Array;
}

interface Method {
  summary: string;
  /** The map in steps, so that whoever waits for it can do something else in between: each yields the share that is done. */
  explain(classifier: Classifier, pixels: Uint8Array, kernelsFor: KernelsFor): Steps;
}

/** The kernels of where this runs: they differ from place to place, in the threads that they have. */
export type KernelsFor = (precision: Precision) => Kernels;
export type Steps = Generator<number, Explanation>;

/** All steps at once. */
export function explanationOf(steps: Steps): Explanation {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

export const explanationMethods = {
  gradient: { summary: 'the gradient of the logit times the input, pixel by pixel', explain: gradientInOneStep },
  occlusion: { summary: 'what covering a square of the picture does to P', explain: occlude },
} as const satisfies Record<string, Method>;

export type ExplanationMethod = keyof typeof explanationMethods;

/** The map is Σ over the channels of ∂z/∂x ∘ x. It is made in float64, whatever the precision of the model is.
 *  @param pixels  (n_x) bytes of one picture
 *  @throws UserError (model) where the weights give no answer, or no gradient
 *  @see Shrikumar et al. 2016, "Not just a black box", section 2 */
export function gradientTimesInput(classifier: Classifier, pixels: Uint8Array, kernelsFor: KernelsFor): Explanation {
  const { network, parameters, scaling, precision } = classifier;
  const features = network.inputs;
  const logit = logits(classifier, kernelsFor(precision), pixels)[0]!;
  const inputs = new Float64Array(2 * features); // the second example is x = 0
  for (let k = 0; k < features; k++) inputs[k] = scaling.scale[k]! * pixels[k]! + scaling.shift[k]!;
  const { logits: answers, gradient } = inputGradient({ network, parameters, kernels: kernelsFor('float64') }, inputs);
  const map = new Float64Array(features / channels);
  for (let k = 0; k < features; k++) map[Math.floor(k / channels)]! += gradient[k]! * inputs[k]!;
  const parts = map.reduce((sum, part) => sum + part, 0);
  const bias = answers[1]!;
  const remainder = logit - parts - bias;
  if (!Number.isFinite(remainder)) {
    throw new UserError('model', 'expected weights with a gradient, found some whose gradient is no number', {
      hint: 'Copy the file again, or write it again: train the model, or export it, once more.',
    });
  }
  return { logit, map, sum: { parts, bias, remainder }, occlusion: null };
}

function* gradientInOneStep(...of: Parameters<typeof gradientTimesInput>): Steps {
  yield 0;
  return gradientTimesInput(...of);
}

/** Covers a square of side/8 at every half of it, a row of squares a step. The map is, of each pixel, the mean over the squares that cover it.
 *  @param pixels  (n_x) bytes of one picture
 *  @throws UserError (model) where the weights give no answer
 *  @see Zeiler & Fergus 2014, section 4.2 */
export function* occlude(classifier: Classifier, pixels: Uint8Array, kernelsFor: KernelsFor): Steps {
  const side = classifier.preprocessing.imageSize;
  const kernels = kernelsFor(classifier.precision);
  const { square, starts } = squaresOf(side);
  const neutral = neutralImage(classifier.scaling);
  const logit = logits(classifier, kernels, pixels)[0]!;
  const answers: number[] = [];
  for (const [done, row] of starts.entries()) {
    yield done / starts.length;
    // a row of squares at a time: bytes of all of them may be hundreds of megabytes
    const covered = new Uint8Array(starts.length * pixels.length);
    for (const [i, column] of starts.entries()) {
      const one = covered.subarray(i * pixels.length, (i + 1) * pixels.length);
      one.set(pixels);
      coverSquare(one, neutral, { side, square, row, column });
    }
    answers.push(...logits(classifier, kernels, covered));
  }
  const p = probability(logit);
  const differences = Float64Array.from(answers, (z) => p - probability(z));
  const logitDifferences = Float64Array.from(answers, (z) => logit - z);
  const occlusion = { square, starts, differences, logitDifferences };
  return { logit, map: meanOverSquares(occlusion, side), sum: null, occlusion };
}

/** Side and places of the squares that cover a picture: side/8 and half of that, rounded down, at least 1 pixel; the last stands at the edge. */
export function squaresOf(side: number): Pick<Occlusion, 'square' | 'starts'> {
  const square = Math.max(1, Math.floor(side / 8));
  const stride = Math.max(1, Math.floor(square / 2));
  const last = side - square;
  const starts = Array.from({ length: Math.ceil(last / stride) }, (_, i) => i * stride);
  return { square, starts: [...starts, last] };
}

/** The bytes that are nearest to x = 0: the mean of the training pictures, where normalisation subtracts it, else black. */
export function neutralImage({ scale, shift }: InputScaling): Uint8Array {
  return new Uint8Array(Uint8ClampedArray.from(scale, (factor, k) => -shift[k]! / factor));
}

/** What that is, for people. */
export function neutralName(scaling: InputScaling): 'training mean' | 'black' {
  return neutralImage(scaling).some((byte) => byte > 0) ? 'training mean' : 'black';
}

/** Puts a square of another picture in the place of a picture's own. */
export function coverSquare(
  pixels: Uint8Array,
  by: Uint8Array,
  { side, square, row, column }: { side: number; square: number; row: number; column: number },
): void {
  for (let y = row; y < row + square; y++) {
    const [from, to] = [(y * side + column) * channels, (y * side + column + square) * channels];
    pixels.set(by.subarray(from, to), from);
  }
}

function meanOverSquares({ square, starts, differences }: Occlusion, side: number): Float64Array {
  const [sums, counts] = [new Float64Array(side * side), new Float64Array(side * side)];
  for (const [i, row] of starts.entries()) {
    for (const [j, column] of starts.entries()) {
      for (let y = row; y < row + square; y++) {
        for (let x = column; x < column + square; x++) {
          sums[y * side + x]! += differences[i * starts.length + j]!;
          counts[y * side + x]!++;
        }
      }
    }
  }
  return sums.map((sum, at) => sum / counts[at]!);
}
