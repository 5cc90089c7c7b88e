import type { Classes } from '../data/classes.ts';
import { classCounts } from '../data/examples.ts';
import type { Preprocessing } from '../data/image.ts';
import type { NormalizerName } from '../data/normalize.ts';
import { isStored, type Pixels, pixelBlocks } from '../data/pixels.ts';
import { sigmoid } from '../elementary.ts';
import { UserError } from '../errors.ts';
import { abstentionBound } from '../evaluation/abstention.ts';
import { computeMetrics, metricAccumulator } from '../evaluation/metrics.ts';
import { type Batch, type InputScaling, inScope, type Kernels, type Precision } from '../kernels/kernels.ts';
import type { Network } from '../nn/build.ts';
import { answeredTogether, prepareInference } from '../nn/inference.ts';
import { type LossName, losses } from '../nn/losses.ts';
import { createWorkspace, type Parameters, parametersOver } from '../nn/network.ts';
import type { Abstention, Metrics } from '../results/metrics.ts';
import { alsoMirrored } from './mirrored-answers.ts';

/** A trained network with all that it takes to answer for a picture: what a model file holds. */
export interface Classifier {
  network: Network;
  parameters: Parameters;
  precision: Precision;
  preprocessing: Preprocessing;
  /** how `scaling` was made, for people */
  normalize: NormalizerName;
  scaling: InputScaling;
  classes: Classes;
  /** p > threshold is positive */
  threshold: number;
  loss: LossName;
  /** T: p = σ(z / T), where it was calibrated; 1 where it is left out */
  temperature?: number;
  /** whether p is the mean of that of the picture and that of its mirror image, before any temperature; false where it is left out */
  averageMirrored?: boolean;
  /** from which confidence on its answers are right often enough, as dev told; left out by versions that did not ask */
  abstention?: Abstention;
}

/** What logits depend on. */
type Answering = Pick<Classifier, 'network' | 'parameters' | 'scaling' | 'temperature' | 'averageMirrored'>;

/** Examples that pass through the network together, at most; the answers do not depend on it. */
const mostTogether = 64;

/** The logits of pictures that went through the classifier's preprocessing: z[L], or that of the mean of both p where the mirror image answers
 *  too, divided by the temperature of a calibrated one.
 *  @param pixels [m, n_x] bytes
 *  @returns one logit a picture; `probability` makes p of it
 *  @throws UserError (model) where the weights give no answer: too large, or a variance below 0 */
export type Logits = (pixels: Uint8Array) => Float64Array;

/** `Logits` of some pictures. */
export function logits(classifier: Answering, kernels: Kernels, pixels: Uint8Array): Float64Array {
  const most = pixels.length / classifier.network.inputs;
  return inScope(kernels, (scope) => prepareLogits(classifier, scope, most)(pixels));
}

/** `Logits` of pictures that come by and by, with what the parameters come to made once: those of now.
 *  @param kernels  in whose memory that lies: a scope, or those of a process that answers to its end
 *  @param most     of the pictures that come together, which need not be more than a few */
export function prepareLogits(classifier: Answering, kernels: Kernels, most: number): Logits {
  const { network, scaling, averageMirrored, temperature } = classifier;
  const features = network.inputs;
  const together = answeredTogether(network, kernels, Math.min(mostTogether, most));
  const workspace = createWorkspace(network, kernels, together);
  const inference = prepareInference({ network, parameters: residentParameters(classifier, kernels), kernels });
  const plain = (input: Batch) => inference(workspace, input);
  const answer = averageMirrored ? alsoMirrored(plain, { kernels, features, most: together }) : plain;
  const images = kernels.pin(new Uint8Array(together * features));
  return (pixels) => {
    const m = pixels.length / features;
    const out = new Float64Array(m);
    for (let first = 0; first < m; first += together) {
      const count = Math.min(together, m - first);
      images.set(pixels.subarray(first * features, (first + count) * features));
      out.set(answer({ kind: 'bytes', bytes: images, indices: null, count, features, scaling }), first);
    }
    if (out.some(Number.isNaN)) {
      throw new UserError('model', 'expected weights that give an answer, found some whose answer is no number', {
        hint: 'Copy the file again, or write it again: train the model, or export it, once more.',
      });
    }
    return temperature === undefined ? out : tempered(out, temperature);
  };
}

/** z / T. @param temperature  T > 0 */
export function tempered(logits: Float64Array, temperature: number): Float64Array {
  return logits.map((z) => z / temperature);
}

/** The parameters where the kernels read them without copying them for every chunk. */
function residentParameters({ network, parameters }: Pick<Classifier, 'network' | 'parameters'>, kernels: Kernels): Parameters {
  const values = kernels.allocate(parameters.values.length);
  values.set(parameters.values);
  return parametersOver(network, values);
}

/** P(y = 1 | x) from its logit. */
export const probability = sigmoid;

/** `Logits` of pictures wherever they are. */
export async function logitsOf(classifier: Answering, kernels: Kernels, pixels: Pixels): Promise<Float64Array> {
  if (!isStored(pixels)) return logits(classifier, kernels, pixels);
  const out = new Float64Array(pixels.count);
  for await (const { first, bytes } of pixelBlocks(pixels, classifier.network.inputs)) {
    out.set(logits(classifier, kernels, bytes), first);
  }
  return out;
}

/** Judges a classifier on labelled pictures, as `nn evaluate` and the end of a training do. */
export async function evaluateClassifier(
  classifier: Classifier,
  kernels: Kernels,
  examples: { pixels: Pixels; labels: Uint8Array },
  threshold = classifier.threshold,
): Promise<{ metrics: Metrics; logits: Float64Array }> {
  const values = await logitsOf(classifier, kernels, examples.pixels);
  return { metrics: metricsOfLogits(classifier, values, examples.labels, threshold), logits: values };
}

/** Judges a classifier by its answers.
 *  @param logits  one a picture */
export function metricsOfLogits(
  { loss }: Pick<Classifier, 'loss'>,
  logits: Float64Array,
  labels: Uint8Array,
  threshold: number,
): Metrics {
  return computeMetrics(logits, labels, { threshold, loss: losses[loss].value });
}

/** The same without the logits, of which millions are memory.
 *  @param answered  is given those of the next pictures, in their order */
export async function metricsOf(
  classifier: Classifier,
  kernels: Kernels,
  { pixels, labels }: { pixels: Pixels; labels: Uint8Array },
  answered?: (logits: Float64Array) => void,
): Promise<Metrics> {
  const { threshold, loss, network } = classifier;
  const accumulator = metricAccumulator(classCounts(labels), { threshold, loss: losses[loss].value });
  for await (const { first, count, bytes } of pixelBlocks(pixels, network.inputs)) {
    const answers = logits(classifier, kernels, bytes);
    accumulator.add(answers, labels.subarray(first, first + count));
    answered?.(answers);
  }
  return accumulator.metrics();
}

/** The answer for one picture. */
export function predictLabel(
  classifier: Pick<Classifier, 'classes' | 'threshold'>,
  p: number,
  threshold = classifier.threshold,
): { label: string; confidence: number } {
  const positive = p > threshold;
  return { label: positive ? classifier.classes.positive : classifier.classes.negative, confidence: positive ? p : 1 - p };
}

/** From which confidence on the answers are right often enough, told by labelled pictures that were not trained on.
 *  @param logits  one a picture */
export function abstentionOf(classifier: Classifier, logits: Float64Array, labels: Uint8Array): Abstention {
  const answers = Array.from(logits, (z) => predictLabel(classifier, probability(z)));
  const correct = Uint8Array.from(answers, ({ label }, i) =>
    (label === classifier.classes.positive) === (labels[i] === 1) ? 1 : 0,
  );
  return abstentionBound(
    Float64Array.from(answers, ({ confidence }) => confidence),
    correct,
  );
}
