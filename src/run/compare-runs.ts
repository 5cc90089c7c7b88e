import { differingFields } from '../config/json-schema.ts';
import type { SplitName } from '../data/split.ts';
import { UserError } from '../errors.ts';
import { holm, mcnemarExact, type PairedCounts, pairedDifferenceInterval } from '../evaluation/paired.ts';
import type { ComparedRun, Ended, Pair, PairTest, RunComparison } from '../results/runs.ts';
import type { TrainSummary } from '../results/summary.ts';
import { shellWord } from '../text.ts';
import { type Answer, commonOf, evaluateCommand, pairAnswers, pictureOf, readAnswers } from './answers.ts';
import { loadClassifier } from './model-file.ts';
import type { ReadRun } from './read-run.ts';
import { curveOf } from './run-details.ts';
import { comparable, settingOf } from './run-list.ts';

/** A difference less probable than this by chance alone is said to be more. */
const significance = 0.05;

type EndedRun = ReadRun & { summary: TrainSummary };

/** A run with its answers for the pictures of a part. */
interface JudgedRun {
  run: EndedRun;
  letter: string;
  threshold: number;
  /** none where the run has no such part; null where it has, and keeps no answers */
  answers: Answer[] | null;
}

/** Puts runs beside each other, and tests the first against each of the others where both were judged on the same pictures.
 *  @param runs  two to 26
 *  @param part  dev where each of them has one, else test, where it is not given
 *  @throws UserError (data) where a run has not ended, or keeps no answers for its part; (model) where a model can't be read */
export async function compareRuns(runs: readonly ReadRun[], wanted: SplitName | undefined): Promise<RunComparison> {
  const ended = runs.map(requireSummary);
  const part = wanted ?? (ended.every(({ summary }) => summary.metrics.dev !== null) ? 'dev' : 'test');
  const judged: JudgedRun[] = [];
  for (const [i, run] of ended.entries()) judged.push(await readJudged(run, letters[i]!, part));
  requireAnswers(judged, part);
  const configs = runs.map(({ config }) => (config === null ? null : comparable(config)));
  const differing = differingFields(configs.filter((config) => config !== null));
  const pairs = corrected(judged.slice(1).map((other, i) => comparePair([judged[0]!, other], i + 1, part)));
  const warnings = warningsOf(runs, part, { differing, pairs });
  return {
    part,
    runs: await Promise.all(judged.map((one) => comparedRun(one, warnings))),
    differing: differing.map((field) => ({ field, values: configs.map((config) => settingOf(config, field)) })),
    pairs,
    warnings,
  };
}

/** What stands for a run in words and in curves. */
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
export const mostCompared = letters.length;

/** @throws UserError (data) where a run has no summary.json, with what to do about it */
function requireSummary(run: ReadRun): EndedRun {
  const { summary, entry } = run;
  if (summary !== null) return { ...run, summary };
  const found = `${entry.run}: expected a run that has ended, with its summary.json, found one that is ${entry.ended}`;
  throw new UserError('data', found, {
    hint: whatToDo[entry.ended]?.(entry) ?? `Go on with it: nn train --resume ${shellWord(entry.run)}`,
  });
}

const whatToDo: Partial<Record<Ended, (entry: ReadRun['entry']) => string>> = {
  diverged: ({ problem }) => `It ${problem}. Train it anew at a smaller rate.`,
  running: () => 'Wait for its end, or leave it out.',
  unreadable: ({ problem }) => problem ?? 'Leave it out.',
};

async function readJudged(run: EndedRun, letter: string, part: SplitName): Promise<JudgedRun> {
  const { classifier } = await loadClassifier(run.entry.run);
  const answers = run.summary.metrics[part] === null ? [] : await readAnswers(run.entry.run, part, classifier);
  return { run, letter, threshold: classifier.threshold, answers };
}

/** @throws UserError (data) with the commands that make what is missing */
function requireAnswers(judged: readonly JudgedRun[], part: SplitName): void {
  const without = judged.filter(({ answers }) => answers === null).map(({ run }) => run.entry.run);
  if (without.length === 0) return;
  throw new UserError(
    'data',
    without.map((run) => `${run}: expected the answers for each picture of ${part} in predictions.csv, found none`),
    { hint: ['Make them with:', ...without.map(evaluateCommand)] },
  );
}

async function comparedRun({ run, letter, threshold }: JudgedRun, warnings: string[]): Promise<ComparedRun> {
  const { name, when, ended, network } = run.entry;
  const { parameters, epochs, bestEpoch, seconds, examples, metrics } = run.summary;
  const { run: folder } = run.entry;
  const curve = await curveOf(folder, bestEpoch, warnings);
  return {
    letter,
    name,
    run: folder,
    when,
    ended,
    network,
    parameters,
    epochs,
    bestEpoch,
    seconds,
    threshold,
    examples,
    metrics,
    curve,
  };
}

function comparePair([first, second]: readonly [JudgedRun, JudgedRun], index: number, part: SplitName): Pair {
  const untested = whyUntested(first, second, part);
  const indices = { first: 0, second: index };
  if (untested !== null) return { ...indices, test: null, untested };
  return { ...indices, test: testOf(pairAnswers(first.answers!, second.answers!)), untested: null };
}

/** @returns with the p-value as it is alone */
function testOf(counts: PairedCounts): PairTest {
  const { bothRight, onlyFirst, onlySecond, bothWrong } = counts;
  const pictures = bothRight + onlyFirst + onlySecond + bothWrong;
  const pValue = mcnemarExact(onlyFirst, onlySecond);
  return {
    pictures,
    bothRight,
    onlyFirst,
    onlySecond,
    bothWrong,
    difference: (onlySecond - onlyFirst) / pictures,
    differenceInterval: pairedDifferenceInterval(counts),
    pValue,
    adjustedP: pValue,
    beyondChance: pValue < significance,
  };
}

/** Holm's correction: among several tests one finds a difference by chance more easily. */
function corrected(pairs: readonly Pair[]): Pair[] {
  const adjusted = holm(pairs.flatMap(({ test }) => (test === null ? [] : [test.pValue])));
  return pairs.map((pair) => {
    if (pair.test === null) return pair;
    const adjustedP = adjusted.shift()!;
    return { ...pair, test: { ...pair.test, adjustedP, beyondChance: adjustedP < significance } };
  });
}

/** Why two runs can't be tested against each other on a part; null where they were judged on the same pictures with the same labels. */
function whyUntested(first: JudgedRun, second: JudgedRun, part: SplitName): string | null {
  const [a, b] = [first.answers!, second.answers!];
  const without = [first, second].filter(({ answers }) => answers!.length === 0).map(({ letter }) => letter);
  if (without.length > 0) return `${without.join(' and ')} ${without.length > 1 ? 'have' : 'has'} no ${part} part`;
  const common = commonOf(a, b, pictureOf);
  if (common === a.length && common === b.length) return null;
  const sameContent = commonOf(a, b, ({ hash }) => hash);
  const sizes = `${first.letter} was judged on ${a.length} pictures of ${part}, ${second.letter} on ${b.length}`;
  const labelled = sameContent > common ? `, and ${sameContent - common} more with another label` : '';
  return `${sizes}: ${common} are the same${labelled}`;
}

/** What one must know before believing the figures. */
function warningsOf(
  runs: readonly ReadRun[],
  part: SplitName,
  { differing, pairs }: { differing: readonly string[]; pairs: readonly Pair[] },
): string[] {
  const unreadable = runs.flatMap(({ config, entry }) => (config === null ? [entry.problem ?? entry.run] : []));
  return [
    ...(part === 'test'
      ? ['what is chosen by test no longer tells the truth: choose by dev, and ask test once, of the run that was chosen']
      : []),
    ...(differing.includes('training.loss') ? ['their training.loss differs: costs of two kinds can not be compared'] : []),
    ...(differing.includes('seed') && pairs.some(({ test }) => test === null)
      ? [
          'their seed differs, which also decides what picture is in which part: to compare seeds, give each part a source of its own (data.train, data.dev, data.test)',
        ]
      : []),
    ...unreadable,
  ];
}
