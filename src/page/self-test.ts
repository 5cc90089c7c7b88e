import { type Classifier, logits, predictLabel, probability } from '../classifier/classifier.ts';
import { bytesOf, type Embedded, embeddedClassifier, kernelsWanted } from './embedded.ts';
import { loadKernels, mostImages, type PageKernels } from './kernels.ts';

/** A page that is ready to answer. */
export interface Ready extends PageKernels {
  embedded: Embedded;
  classifier: Classifier;
}

/** @throws UserError (model) where the page is damaged; RangeError where there is no memory for its network */
export async function ready(embedded: Embedded): Promise<Ready> {
  const classifier = embeddedClassifier(embedded);
  const modules = kernelsWanted(classifier.precision).map((precision) => [precision, bytesOf(embedded.kernels[precision] ?? '')]);
  return { embedded, classifier, ...(await loadKernels(Object.fromEntries(modules), classifier.network)) };
}

/** The logits of any number of images. @param pixels  (m, side · side · 3) bytes */
export function logitsOfImages({ classifier, kernelsFor }: Ready, pixels: Uint8Array): Float64Array {
  const together = mostImages * classifier.network.inputs;
  const pieces = Array.from({ length: Math.ceil(pixels.length / together) }, (_, i) =>
    logits(classifier, kernelsFor(classifier.precision), pixels.subarray(i * together, (i + 1) * together)),
  );
  return Float64Array.from(pieces.flatMap((piece) => Array.from(piece)));
}

/** What the page answers for the pictures that it carries, beside what nn did. */
export interface SelfTest {
  pictures: number;
  /** whose logit has the very bits of nn's */
  same: number;
  /** that get another class */
  otherLabels: number;
  largestDifferenceP: number;
}

export function selfTest(page: Ready): SelfTest {
  const { answers, pixels } = page.embedded.pictures;
  const found = logitsOfImages(page, bytesOf(pixels));
  const p = Array.from(found, probability);
  return {
    pictures: answers.length,
    same: answers.filter(({ logit }, i) => Object.is(logit, found[i])).length,
    otherLabels: answers.filter(({ label }, i) => label !== predictLabel(page.classifier, p[i]!).label).length,
    largestDifferenceP: Math.max(0, ...answers.map(({ p: expected }, i) => Math.abs(p[i]! - expected))),
  };
}

/** What the reader is told of it. */
export function selfTestWords({ pictures, same, otherLabels, largestDifferenceP }: SelfTest): { passed: boolean; words: string } {
  if (same === pictures)
    return { passed: true, words: `Passed: this browser answers for ${pictures} carried pictures as nn did, to the last bit.` };
  const off = `p differs by up to ${largestDifferenceP.toPrecision(2)}`;
  if (otherLabels === 0 && largestDifferenceP <= roundingOfP)
    return {
      passed: true,
      words: `Passed: this browser answers for ${pictures} carried pictures as nn did; for want of newer instructions it rounds otherwise, and ${off}.`,
    };
  return {
    passed: false,
    words: `Failed: this browser answers otherwise than nn did (${off}, ${otherLabels} of ${pictures} get another class). Do not trust what the page says here.`,
  };
}

/** What rounding of another order of sums may do to p. */
const roundingOfP = 1e-4;
