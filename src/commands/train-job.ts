import type { Classes } from '../data/classes.ts';
import type { ExitKind, UserError } from '../errors.ts';
import type { Trained } from '../library/train-run.ts';
import { learningCurveText } from '../report/learning-curve.ts';
import { trainText } from '../report/train-summary.ts';
import type { TrainSummary } from '../results/summary.ts';
import { curveOf } from '../run/run-details.ts';
import { shellWord } from '../text.ts';
import { resumeText } from '../training/trainer.ts';
import type { Context } from './command.ts';

/** Says what came of a training: its summary, and how to go on where it was stopped. */
export async function printTrained(
  context: Context,
  { summary, isCheckpointed, classes }: Trained,
): Promise<ExitKind | undefined> {
  await printSummary(context, summary, classes);
  if (summary.stopped === 'interrupted') {
    context.note(`The model so far is kept: nn predict --model ${shellWord(summary.run)} …`);
    if (isCheckpointed) context.note(resumeText(summary.run));
  }
  return context.signal.aborted ? (context.signal.reason as UserError).kind : undefined;
}

/** Prints the summary of a run and, where a person sees it, its learning curve. */
async function printSummary(context: Context, summary: TrainSummary, classes: Classes): Promise<void> {
  context.print(context.json ? JSON.stringify(summary) : trainText(summary, classes, context.style));
  if (context.json || !context.isTerminal) return;
  const warnings: string[] = [];
  const curve = learningCurveText(await curveOf(summary.run, summary.bestEpoch, warnings), summary.bestEpoch);
  for (const text of warnings) context.warn(text);
  if (curve.length > 0) context.print(['', ...curve]);
}
