import { type Classifier, logits, predictLabel, probability } from '../classifier/classifier.ts';
import { drawImage, renderImage } from '../data/drawn/draw.ts';
import { logit } from '../evaluation/metrics.ts';
import { kernelsFor } from '../kernels/select.ts';
import { opsOf } from '../nn/build.ts';
import { createWorkspace, forward } from '../nn/network.ts';
import { featuresOf, inference } from '../nn/op.ts';
import type { CheckedExport, ExportDescription, TestAnswer } from '../results/export.ts';

/** Pictures that an exported file carries, with what nn answers for them. nn draws them: none is the user's. */
export interface TestPictures {
  /** (m, side · side · 3)  RGB bytes at the network's own size */
  pixels: Uint8Array;
  answers: readonly TestAnswer[];
  /** the largest |z| of any layer for any of them: what rounding is relative to */
  largest: number;
}

/** Which of the drawn pictures they are. */
export const testPictures = { difficulty: 'hard', seed: 1, count: 16 } as const;
/** Large ones are fewer, so that a file stays small. */
const mostBytes = 2 ** 21;

/** By how much an answer may differ for rounding in float32: |Δz| ≤ tolerance · (1 + the largest |z| of any layer). */
const roundingTolerance = 1e-5;

export async function drawTestPictures(classifier: Classifier): Promise<TestPictures> {
  const { preprocessing, network } = classifier;
  const { seed, difficulty } = testPictures;
  const count = testPictureCount(network.inputs);
  const pixels = new Uint8Array(count * network.inputs);
  for (let index = 0; index < count; index++) {
    pixels.set(await renderImage(drawImage({ seed, index, difficulty }), preprocessing), index * network.inputs);
  }
  return answered(classifier, pixels);
}

/** How many pictures of so many bytes are carried. */
export function testPictureCount(bytes: number): number {
  return Math.max(2, Math.min(testPictures.count, Math.floor(mostBytes / bytes)));
}

/** Pictures with what the classifier answers for them. @param pixels  (m, side · side · 3) */
export function answered(classifier: Classifier, pixels: Uint8Array): TestPictures {
  const answers = answersOf(classifier, logits(classifier, kernelsFor(classifier.precision), pixels));
  return { pixels, answers, largest: largestValue(classifier, pixels) };
}

/** What nn says of pictures by their logits. */
export function answersOf(classifier: Pick<Classifier, 'classes' | 'threshold'>, values: Float64Array): TestAnswer[] {
  return Array.from(values, (logit) => answerOf(classifier, { p: probability(logit), logit }));
}

/** What p means at the threshold. */
export function answerOf(
  classifier: Pick<Classifier, 'classes' | 'threshold'>,
  { p, logit }: Pick<TestAnswer, 'p' | 'logit'>,
): TestAnswer {
  return { p, logit, label: predictLabel(classifier, p).label };
}

/** The largest |value| that any op gives for any of some pictures. */
function largestValue({ network, parameters, scaling, precision }: Classifier, pixels: Uint8Array): number {
  const kernels = kernelsFor(precision);
  const features = network.inputs;
  const workspace = createWorkspace(network, kernels, 1);
  let largest = 0;
  for (let at = 0; at < pixels.length; at += features) {
    const bytes = pixels.subarray(at, at + features);
    const input = { kind: 'bytes', bytes, indices: null, count: 1, features, scaling } as const;
    forward({ network, parameters, kernels, workspace, input, mode: inference });
    for (const [k, { output }] of opsOf(network).entries()) {
      for (const value of workspace.slots[k]!.value.subarray(0, featuresOf(output))) largest = Math.max(largest, Math.abs(value));
    }
  }
  return largest;
}

/** Holds what an exported file answers against what it carries. A picture at the threshold, where rounding decides, may get either class.
 *  @param found    of the pictures, in their order
 *  @param largest  the largest |z| of any layer */
export function compareAnswers(
  { answers: expected, threshold, largest }: Pick<ExportDescription, 'answers' | 'threshold' | 'largest'>,
  found: readonly TestAnswer[],
): CheckedExport {
  const tolerance = roundingTolerance * (1 + largest);
  const atThreshold = logit(threshold);
  const largestOf = (difference: (one: TestAnswer, other: TestAnswer) => number) =>
    Math.max(...expected.map((one, i) => difference(one, found[i]!)));
  const largestDifferenceP = largestOf((one, other) => distance(one.p, other.p));
  const largestDifferenceLogit = largestOf((one, other) => distance(one.logit, other.logit));
  const otherLabels = expected.filter(
    (one, i) => one.label !== found[i]!.label && Math.abs(one.logit - atThreshold) > tolerance,
  ).length;
  const agrees = otherLabels === 0 && largestDifferenceLogit <= tolerance;
  return { pictures: expected.length, largestDifferenceP, largestDifferenceLogit, otherLabels, tolerance, agrees };
}

/** Infinite for what is no number. */
function distance(a: number, b: number): number {
  const difference = a === b ? 0 : Math.abs(a - b);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}
