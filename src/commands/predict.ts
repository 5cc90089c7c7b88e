import { type Classifier, logits, predictLabel, probability } from '../classifier/classifier.ts';
import { csvField } from '../data/text-files.ts';
import type { ExitKind } from '../errors.ts';
import { kernelsFor, useThreads } from '../kernels/select.ts';
import type { Prediction } from '../results/evaluation.ts';
import { loadClassifier } from '../run/model-file.ts';
import { defaultModel } from '../run/places.ts';
import type { Command, Context } from './command.ts';
import { answerEach, imageOperands, imagesOf, type Outcome } from './image-operands.ts';
import { modelOption, threadsOption, thresholdOption } from './options.ts';

interface Values {
  model?: string;
  threshold?: number;
  json?: boolean;
  csv?: boolean;
  exitCode?: boolean;
  threads?: number;
}

export const command: Command<Values> = {
  arguments: [imageOperands],
  options: [
    modelOption,
    thresholdOption,
    { flags: '--json', summary: 'print JSON Lines' },
    { flags: '--csv', summary: 'print CSV', conflicts: ['json'] },
    { flags: '--exit-code', summary: 'exit 0 if all are the positive class, 8 if any is not' },
    threadsOption,
  ],
  examples: [
    'nn predict photo.jpg',
    'nn predict --json photos/ | jq .p',
    'cat photo.jpg | nn predict -',
    "find photos -name '*.jpg' -print0 | nn predict @-",
    'nn predict --exit-code photo.jpg && echo "a cat"',
  ],
  run: predict,
};

const columns = ['file', 'label', 'p', 'confidence', 'threshold', 'model', 'error'] as const satisfies (keyof Prediction)[];

async function predict(context: Context, values: Values, operands: string[]): Promise<ExitKind | undefined> {
  useThreads(values.threads, context.environment);
  const { classifier, file: model } = await loadClassifier(values.model ?? (await defaultModel(context.environment)));
  const threshold = values.threshold ?? classifier.threshold;
  const format = values.csv ? formats.csv : context.json ? formats.json : formats.text;
  let others = 0;
  format.head(context);
  const images = imagesOf(operands, context);
  const ended = await answerEach(context, { operands, images }, classifier, ({ name }, outcome) => {
    const row = rowOf(name, outcome, { classifier, threshold, model });
    if (row.error === null && row.label !== classifier.classes.positive) others++;
    format.print(context, row);
  });
  return ended ?? (values.exitCode && others > 0 ? 'notPositive' : undefined);
}

function rowOf(
  file: string,
  outcome: Outcome,
  { classifier, threshold, model }: { classifier: Classifier; threshold: number; model: string },
): Prediction {
  if ('error' in outcome) return { file, label: null, p: null, confidence: null, threshold, model, error: outcome.error };
  const p = probability(logits(classifier, kernelsFor(classifier.precision), outcome.pixels)[0]!);
  return { file, ...predictLabel(classifier, p, threshold), p, threshold, model, error: null };
}

interface Format {
  head(context: Context): void;
  print(context: Context, row: Prediction): void;
}

const formats = {
  text: {
    head: () => {},
    print: (context, { file, label, p }) => p !== null && context.printRow([file, String(label), p.toFixed(4)]),
  },
  json: {
    head: () => {},
    print: (context, { file, label, p, confidence, threshold, model, error }) =>
      context.print(JSON.stringify({ file, label, p, confidence, threshold, model, error })),
  },
  csv: {
    head: (context) => context.printExact(columns.join(',')),
    print: (context, row) => context.printExact(columns.map((column) => csvField(row[column])).join(',')),
  },
} satisfies Record<string, Format>;
