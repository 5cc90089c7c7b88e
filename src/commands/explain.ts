import { type Classifier, predictLabel, probability } from '../classifier/classifier.ts';
import {
  type Explanation,
  type ExplanationMethod,
  explanationMethods,
  explanationOf,
  neutralName,
} from '../classifier/explain.ts';
import { encodeWithTexts } from '../data/image.ts';
import type { ExitKind } from '../errors.ts';
import { kernelsFor, useThreads } from '../kernels/select.ts';
import { type Explained, explanationText, limitsOf, methodTitles } from '../report/explanation.ts';
import { drawExplanation } from '../report/explanation-picture.ts';
import type { ExplanationRow } from '../results/explanation.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { loadChosenClassifier } from '../run/chosen-model.ts';
import type { Command, Context } from './command.ts';
import { checkOut, placesFor } from './explain-out.ts';
import { answerEach, type Image, imageOperands, imagesOf } from './image-operands.ts';
import { explained, modelOption, threadsOption, thresholdOption, wordFlag } from './options.ts';

interface Values {
  model?: string;
  method: ExplanationMethod;
  out?: string;
  threshold?: number;
  threads?: number;
}

const methods = Object.keys(explanationMethods) as ExplanationMethod[];
const summaries = Object.fromEntries(methods.map((name) => [name, explanationMethods[name].summary]));

export const command: Command<Values> = {
  arguments: [imageOperands],
  options: [
    modelOption,
    wordFlag('--method <name>', explained(summaries), methods, 'gradient'),
    { flags: '-o, --out <place>', summary: 'the picture, the map and both: a .png for one picture, a folder for several' },
    thresholdOption,
    { flags: '--json', summary: 'print JSON Lines, with the whole map' },
    threadsOption,
  ],
  examples: [
    'nn explain photo.jpg',
    'nn explain photo.jpg --out why.png',
    'nn explain photos/ --method occlusion --out why/',
    "nn explain photo.jpg --json | jq '.parts + .bias + .remainder'",
  ],
  run: explain,
};

async function explain(context: Context, values: Values, operands: string[]): Promise<ExitKind | undefined> {
  if (values.out !== undefined) await checkOut(values.out);
  useThreads(values.threads, context.environment);
  const { classifier, file: model } = await loadChosenClassifier(values.model, context.environment);
  const { positive } = classifier.classes;
  const images: Image[] = [];
  for await (const image of imagesOf(operands, context)) images.push(image);
  const places = values.out === undefined ? null : await placesFor(values.out, images);
  let count = 0;
  const ended = await answerEach(context, { operands, images }, classifier, async ({ name }, outcome, index) => {
    const about = { file: name, threshold: values.threshold ?? classifier.threshold, model, method: values.method };
    if ('error' in outcome) {
      if (context.json) context.print(JSON.stringify({ ...about, ...unread, error: outcome.error }));
      return;
    }
    const explanation = explanationOf(explanationMethods[values.method].explain(classifier, outcome.pixels, kernelsFor));
    const row = { ...rowOf(classifier, explanation, about), out: places?.[index] ?? null };
    if (row.out !== null) await writePicture(row.out, row, { classifier, pixels: outcome.pixels, map: explanation.map });
    count++;
    if (context.json) context.print(JSON.stringify(row));
    else if (row.out !== null) context.printRow([name, row.label, row.p.toFixed(4), row.out]);
    else context.print(explanationText(row, { positive, style: context.style }));
  });
  if (count > 0 && !context.json && places === null)
    context.print(["What the map can't tell:", ...limitsOf(values.method, positive).map((limit) => `- ${limit}`)]);
  return ended;
}

/** @throws UserError (data) where the file can't be written */
async function writePicture(
  file: string,
  { file: name, label, p, method }: Explained,
  { classifier, pixels, map }: { classifier: Classifier; pixels: Uint8Array; map: Float64Array },
): Promise<void> {
  const { positive } = classifier.classes;
  const limits = limitsOf(method, positive);
  const { canvas, texts } = drawExplanation({ name, label, p, positive, pixels, map, method: methodTitles[method], limits });
  await writeFileAtomically(file, await encodeWithTexts(canvas, texts));
}

/** What is null of a picture that could not be read. */
const unread = {
  label: null,
  p: null,
  logit: null,
  map: null,
  parts: null,
  bias: null,
  remainder: null,
  occlusion: null,
  out: null,
} satisfies Partial<ExplanationRow>;

function rowOf(
  classifier: Classifier,
  { logit, map, sum, occlusion }: Explanation,
  about: Pick<ExplanationRow, 'file' | 'threshold' | 'model' | 'method'>,
): Explained {
  const p = probability(logit);
  const { file, ...rest } = about;
  return {
    file,
    label: predictLabel(classifier, p, about.threshold).label,
    p,
    logit,
    ...rest,
    map: rowsOf(map, classifier.preprocessing.imageSize),
    parts: sum?.parts ?? null,
    bias: sum?.bias ?? null,
    remainder: sum?.remainder ?? null,
    occlusion: occlusion && {
      square: occlusion.square,
      starts: [...occlusion.starts],
      fill: neutralName(classifier.scaling),
      differences: rowsOf(occlusion.differences, occlusion.starts.length),
      logitDifferences: rowsOf(occlusion.logitDifferences, occlusion.starts.length),
    },
    out: null,
    error: null,
  };
}

function rowsOf(values: Float64Array, columns: number): number[][] {
  return Array.from({ length: values.length / columns }, (_, row) =>
    Array.from(values.subarray(row * columns, (row + 1) * columns)),
  );
}
