import { type Classifier, type Logits, predictLabel, prepareLogits, probability } from '../classifier/classifier.ts';
import { csvField } from '../data/text-files.ts';
import { type ExitKind, UserError } from '../errors.ts';
import { kernelsFor, useThreads } from '../kernels/select.ts';
import { withoutBound } from '../report/abstention.ts';
import type { Prediction } from '../results/evaluation.ts';
import { loadChosenClassifier } from '../run/chosen-model.ts';
import type { Command, Context } from './command.ts';
import { answerEach, imageOperands, imagesOf, type Outcome } from './image-operands.ts';
import { modelOption, threadsOption, thresholdOption } from './options.ts';

/** The label of a picture on which --abstain gives no answer. */
const unsure = 'unsure';

interface Values {
  model?: string;
  threshold?: number;
  json?: boolean;
  csv?: boolean;
  exitCode?: boolean;
  abstain?: boolean;
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
    {
      flags: '--abstain',
      summary: `call a picture ${unsure} where the model is not sure enough to be right 95% of the time`,
      conflicts: ['threshold'],
    },
    threadsOption,
  ],
  examples: [
    'nn predict photo.jpg',
    'nn predict --json photos/ | jq .p',
    'cat photo.jpg | nn predict -',
    "find photos -name '*.jpg' -print0 | nn predict @-",
    'nn predict --exit-code photo.jpg && echo "a cat"',
    'nn predict --abstain photos/',
  ],
  run: predict,
};

const columns = ['file', 'label', 'p', 'confidence', 'threshold', 'model', 'error'] as const satisfies (keyof Prediction)[];

async function predict(context: Context, values: Values, operands: string[]): Promise<ExitKind | undefined> {
  useThreads(values.threads, context.environment);
  const { classifier, file: model } = await loadChosenClassifier(values.model, context.environment);
  const threshold = values.threshold ?? classifier.threshold;
  const surest = values.abstain ? boundOf(classifier, model) : 0;
  const format = values.csv ? formats.csv : context.json ? formats.json : formats.text;
  let others = 0;
  format.head(context);
  const logits = prepareLogits(classifier, kernelsFor(classifier.precision), 1);
  const images = imagesOf(operands, context);
  const ended = await answerEach(context, { operands, images }, classifier, ({ name }, outcome) => {
    const row = rowOf(name, outcome, { classifier, logits, threshold, model, surest });
    if (row.error === null && row.label !== classifier.classes.positive) others++;
    format.print(context, row);
  });
  return ended ?? (values.exitCode && others > 0 ? 'notPositive' : undefined);
}

function rowOf(
  file: string,
  outcome: Outcome,
  {
    classifier,
    logits,
    threshold,
    model,
    surest,
  }: { classifier: Classifier; logits: Logits; threshold: number; model: string; surest: number },
): Prediction {
  if ('error' in outcome) return { file, label: null, p: null, confidence: null, threshold, model, error: outcome.error };
  const p = probability(logits(outcome.pixels)[0]!);
  const { label, confidence } = predictLabel(classifier, p, threshold);
  return { file, label: confidence < surest ? unsure : label, p, confidence, threshold, model, error: null };
}

/** The confidence from which --abstain answers. @throws UserError (model) where the model has none */
function boundOf({ abstention, classes }: Classifier, model: string): number {
  const refuse = (found: string, hint: string) =>
    new UserError(
      'model',
      `${model}: --abstain: expected a model that knows from which confidence on it is right often enough, found ${found}`,
      { hint },
    );
  if (Object.values(classes).includes(unsure)) throw refuse(`one with a class ${unsure}`, 'Rename the class and train again.');
  if (abstention === undefined) throw refuse('one of an older version', 'Train it again: nn train stores it from dev.');
  if (abstention.confidence === null)
    throw refuse(
      `none: ${withoutBound(abstention)}`,
      `Train with more pictures in dev: --set 'data.split={"train":0.5,"dev":0.3,"test":0.2}'`,
    );
  return abstention.confidence;
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
