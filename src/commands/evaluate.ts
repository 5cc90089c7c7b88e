import { probability } from '../classifier/classifier.ts';
import type { ExampleSet } from '../data/examples.ts';
import { csvField } from '../data/text-files.ts';
import type { ExitKind } from '../errors.ts';
import { useThreads } from '../kernels/select.ts';
import { type Part, parts } from '../library/choose-examples.ts';
import { addPaths, evaluateModel, predictionRows } from '../library/evaluate-model.ts';
import { linkOf } from '../library/image-paths.ts';
import { sourcePaths } from '../library/reading.ts';
import { machineFacts } from '../library/run-report.ts';
import { abstainingText } from '../report/abstention.ts';
import { evaluationText, trainedOnText, worstText } from '../report/evaluation.ts';
import { type EvaluationReport, evaluationReportHtml } from '../report/evaluation-report.ts';
import { shownImages } from '../report/shown-images.ts';
import type { Evaluation, PredictionRow } from '../results/evaluation.ts';
import type { Metrics } from '../results/metrics.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { loadChosenClassifier } from '../run/chosen-model.ts';
import type { Command, Context } from './command.ts';
import { modelOption, numberFlag, threadsOption, thresholdOption, wordFlag } from './options.ts';

interface Values {
  model?: string;
  data?: string;
  split?: Part;
  threshold?: number;
  strict?: boolean;
  predictions?: boolean;
  csv?: boolean;
  failBelow?: number;
  failBelowLower?: number;
  worst?: number;
  report?: string;
  threads?: number;
}

export const command: Command<Values> = {
  options: [
    modelOption,
    { flags: '-d, --data <source>', summary: `${sourcePaths} (default: the data of the run)` },
    wordFlag('--split <part>', `${parts.join(', ')} (default: test of the run's own data, all of another source)`, parts),
    thresholdOption,
    { flags: '--json', summary: 'print the metrics as JSON' },
    { flags: '--predictions', summary: 'with --json: a row per picture as well' },
    { flags: '--csv', summary: 'print a row per picture as CSV', conflicts: ['json', 'worst'] },
    numberFlag('--worst <n>', 'name the n most confident errors', { low: 0, high: 1e9, whole: true }),
    { flags: '--report <file.html>', summary: 'write a page of it: curves, threshold, errors as pictures' },
    numberFlag('--fail-below <x>', 'exit 6 when the accuracy is below x', { low: 0, high: 1 }),
    numberFlag('--fail-below-lower <x>', "exit 6 when the lower end of the accuracy's interval is below x", { low: 0, high: 1 }),
    { flags: '--strict', summary: 'refuse to judge when a picture cannot be read' },
    threadsOption,
  ],
  examples: [
    'nn evaluate',
    'nn evaluate --data photos/ --worst 10',
    'nn evaluate --report test.html',
    'nn evaluate --fail-below-lower 0.75 && deploy',
  ],
  run: evaluate,
};

async function evaluate(context: Context, values: Values): Promise<ExitKind | undefined> {
  useThreads(values.threads, context.environment);
  const { classifier, file } = await loadChosenClassifier(values.model, context.environment);
  if (values.predictions && !context.json)
    context.warn('--predictions adds rows to what --json prints; without it, --csv has them');
  const judgement = await evaluateModel(context, { classifier, file }, values);
  const { examples, title, roots, threshold, metrics, logits, familiar, abstaining } = judgement;
  const wantsPaths = values.csv || values.predictions;
  const wantsRows = wantsPaths || values.worst !== undefined;
  const answers = wantsRows ? await predictionRows(classifier, judgement) : [];
  const rows = wantsPaths ? await addPaths(answers, roots) : answers;
  const errors = rows.filter((row) => !row.correct).sort((a, b) => b.confidence - a.confidence);
  const worst = values.worst === undefined ? undefined : await worstRows(errors.slice(0, values.worst), roots);
  if (values.csv) printCsv(context, rows);
  else if (context.json) {
    const result: Evaluation = {
      ...metrics,
      ...familiar,
      ...(abstaining && { abstaining }),
      ...(values.predictions && { rows }),
      ...(worst && { worst }),
    };
    context.print(JSON.stringify(result));
  } else {
    context.print(evaluationText(metrics, familiar, { title, classes: classifier.classes, threshold, style: context.style }));
    if (abstaining) context.print(['', abstainingText(abstaining, examples.labels.length)]);
    if (worst) context.print(worstText(worst, errors.length));
  }
  const sentence = trainedOnText(examples.labels.length, familiar);
  if (sentence !== null && (values.csv || context.json)) context.warn(sentence);
  // last: a page that can't be written costs none of what is printed
  if (values.report !== undefined) {
    const judged = { name: title, metrics, threshold, answers: { p: logits.map(probability), labels: examples.labels } };
    await writeReport(context, values.report, {
      title,
      model: file,
      classes: classifier.classes,
      judged,
      familiar,
      examples,
      roots,
    });
  }
  return missesGate(context, metrics, values) ? 'gate' : undefined;
}

/** Writes the page of --report. */
async function writeReport(
  context: Context,
  file: string,
  { examples, roots, ...report }: Omit<EvaluationReport, 'images' | 'facts'> & { examples: ExampleSet; roots: readonly string[] },
): Promise<void> {
  const hrefOf = (name: string) => linkOf(name, roots, file);
  const images = await shownImages(examples, report.judged, { classes: report.classes, hrefOf });
  await writeFileAtomically(file, evaluationReportHtml({ ...report, images, facts: machineFacts() }));
  context.note(`report: ${file}`);
}

/** Rows that call a picture by its path, where it has one. */
async function worstRows(rows: readonly PredictionRow[], roots: readonly string[]): Promise<PredictionRow[]> {
  return (await addPaths(rows, roots)).map((row) => ({ ...row, file: row.path ?? row.file }));
}

const columns = ['file', 'truth', 'label', 'p', 'confidence', 'correct', 'path'] as const satisfies (keyof PredictionRow)[];

function printCsv(context: Context, rows: readonly PredictionRow[]): void {
  context.printExact(columns.join(','));
  for (const row of rows)
    context.printExact(columns.map((column) => csvField(row[column] === null ? null : String(row[column]))).join(','));
}

/** Says which gate was missed, and by how much. */
function missesGate(context: Context, { accuracy, accuracyInterval }: Metrics, { failBelow, failBelowLower }: Values): boolean {
  const gates = [
    { flag: '--fail-below', bound: failBelow, value: accuracy, what: 'accuracy' },
    {
      flag: '--fail-below-lower',
      bound: failBelowLower,
      value: accuracyInterval[0],
      what: "the lower end of the accuracy's interval",
    },
  ];
  const missed = gates.filter(({ bound, value }) => bound !== undefined && value < bound);
  for (const { flag, bound, value, what } of missed) context.complain(`nn: ${flag} ${bound}: ${what} is ${value.toFixed(4)}`);
  return missed.length > 0;
}
