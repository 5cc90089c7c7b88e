import { type Classifier, logits, predictLabel, probability } from '../classifier/classifier.ts';
import type { Classes } from '../data/classes.ts';
import { decodeImage } from '../data/decode.ts';
import { channels, type Preprocessing, resizePixels } from '../data/image.ts';
import { decodesAtOnce, mapInOrder } from '../data/source.ts';
import { readImage } from '../data/sources/files.ts';
import type { SplitName } from '../data/split.ts';
import { DataError, shown, UserError } from '../errors.ts';
import { kernelsFor } from '../kernels/select.ts';
import type { Evaluation } from '../results/evaluation.ts';
import { loadChosenClassifier } from '../run/chosen-model.ts';
import { addPaths, evaluateModel, predictionRows } from './evaluate-model.ts';
import { forProgram, NnError } from './nn-error.ts';
import { withProgramHost } from './program-host.ts';

/** A picture: the path of its file, the bytes of its file, or its pixels. */
export type ImageInput = string | Uint8Array | RawImage;

/** RGB, a byte a channel: that of channel c in row r and column k is pixels[(r · width + k) · 3 + c]. */
export interface RawImage {
  pixels: Uint8Array;
  width: number;
  height: number;
}

/** The answer for a picture. */
export interface Answer {
  /** the class that it is given */
  label: string;
  /** the probability of the positive class */
  p: number;
  /** the probability of the label */
  confidence: number;
}

/** The answer for one of many pictures, or why there is none. */
export type AnswerOrError<Image> = { image: Image } & ((Answer & { error: null }) | { error: NnError });

export interface PredictOptions {
  /** p above it is the positive class; the model's where it is left out */
  threshold?: number | undefined;
}

export interface EvaluateOptions extends PredictOptions {
  /** test of the run's own data, all of another source, where it is left out */
  split?: SplitName | 'all' | undefined;
  /** whether `rows` has the answer for each picture */
  predictions?: boolean | undefined;
  /** whether a picture that can't be read is an error, and not left out with a warning */
  strict?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** told what may be wrong */
  onWarning?: ((text: string) => void) | undefined;
  /** told how many pictures of a source have been read */
  onProgress?: ((source: string, done: number, total: number) => void) | undefined;
}

/** A trained classifier. */
export interface Model {
  /** the model file that it was read from */
  readonly file: string;
  readonly classes: Readonly<Classes>;
  /** p above it is the positive class */
  readonly threshold: number;
  /** the side of the square that the network sees, in pixels */
  readonly imageSize: number;
  /** Says what a picture shows, as `nn predict` does, to the same bits.
   *  @throws NnError (data) where it can't be read */
  predict(image: ImageInput, options?: PredictOptions): Promise<Answer>;
  /** The same for many, several at a time, in their order. One that can't be read is answered with its error. */
  predictEach<Image extends ImageInput>(
    images: Iterable<Image> | AsyncIterable<Image>,
    options?: PredictOptions,
  ): AsyncIterableIterator<AnswerOrError<Image>>;
  /** Judges it on labelled pictures, as `nn evaluate --json` does.
   *  @param source  what `nn evaluate --data` takes; where it is left out, the data of the model's run
   *  @throws NnError; the reason of the signal */
  evaluate(source?: string | undefined, options?: EvaluateOptions): Promise<Evaluation>;
}

/** Reads a model.
 *  @param path  a model file or the folder of a run; as for `nn predict` where it is left out: NN_MODEL, else the latest run
 *  @throws NnError (model) */
export function loadModel(path?: string): Promise<Model> {
  return forProgram(async () => {
    const { classifier, file } = await loadChosenClassifier(path, process.env);
    const { classes, threshold, preprocessing } = classifier;
    const answer = (image: ImageInput, options: PredictOptions = {}) => answerFor(classifier, image, options);
    return {
      file,
      classes: { ...classes },
      threshold,
      imageSize: preprocessing.imageSize,
      predict: (image, options) => forProgram(() => answer(image, options)),
      predictEach: (images, options) => mapInOrder(images, decodesAtOnce(), (image) => outcomeOf(image, answer(image, options))),
      evaluate: (source, options) => forProgram(() => evaluateOn(classifier, file, source, options)),
    };
  });
}

/** `loadModel` and `predict` of it. @param options.model  as `loadModel` takes it */
export async function predict(image: ImageInput, options: PredictOptions & { model?: string | undefined } = {}): Promise<Answer> {
  return (await loadModel(options.model)).predict(image, options);
}

/** `loadModel` and `evaluate` of it. @param options.model  as `loadModel` takes it */
export async function evaluate(
  source?: string | undefined,
  options: EvaluateOptions & { model?: string | undefined } = {},
): Promise<Evaluation> {
  return (await loadModel(options.model)).evaluate(source, options);
}

async function answerFor(classifier: Classifier, image: ImageInput, { threshold }: PredictOptions): Promise<Answer> {
  const pixels = await pixelsOf(image, classifier.preprocessing);
  const p = probability(logits(classifier, kernelsFor(classifier.precision), pixels)[0]!);
  return { ...predictLabel(classifier, p, threshold), p };
}

/** @throws UserError (data) with the picture's name, if it has one */
async function pixelsOf(image: ImageInput, preprocessing: Preprocessing): Promise<Uint8Array> {
  try {
    if (typeof image === 'string') return (await readImage(image, preprocessing)).pixels;
    if (image instanceof Uint8Array) return await decodeImage(image, preprocessing);
    return await resizePixels(checkedRaw(image), preprocessing);
  } catch (error) {
    if (!(error instanceof UserError) || error.kind !== 'data') throw error;
    const name = typeof image === 'string' ? image : 'the image';
    throw new DataError(`${name}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

function checkedRaw({ pixels, width, height }: RawImage): RawImage {
  const isSide = (side: number) => Number.isInteger(side) && side > 0;
  if (!isSide(width) || !isSide(height)) {
    throw new DataError(`expected width and height to be whole numbers above 0, found ${shown(width)} and ${shown(height)}`);
  }
  const expected = width * height * channels;
  if (pixels instanceof Uint8Array && pixels.length === expected) return { pixels, width, height };
  const found = pixels instanceof Uint8Array ? `${pixels.length} bytes` : shown(pixels);
  throw new DataError(`expected ${expected} bytes for RGB pixels of ${width} × ${height}, found ${found}`);
}

async function outcomeOf<Image>(image: Image, answer: Promise<Answer>): Promise<AnswerOrError<Image>> {
  try {
    return { image, ...(await forProgram(() => answer)), error: null };
  } catch (error) {
    if (error instanceof NnError && error.kind === 'data') return { image, error };
    throw error;
  }
}

async function evaluateOn(
  classifier: Classifier,
  file: string,
  source: string | undefined,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { signal = new AbortController().signal, onWarning = () => {}, onProgress, predictions, ...rest } = options;
  const listening = { signal, warning: onWarning, ...(onProgress && { reading: onProgress }) };
  return withProgramHost(listening, async (host) => {
    const judgement = await evaluateModel(host, { classifier, file }, { ...rest, data: source });
    const { metrics, familiar, abstaining, roots } = judgement;
    const evaluated = { ...metrics, ...familiar, ...(abstaining && { abstaining }) };
    if (!predictions) return evaluated;
    return { ...evaluated, rows: await addPaths(await predictionRows(classifier, judgement), roots) };
  });
}
