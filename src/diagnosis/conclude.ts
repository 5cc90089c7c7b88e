import type { PreparedData } from '../datasets/prepare.ts';
import { gainOf } from '../evaluation/gain.ts';
import { honestGain } from '../evaluation/honest-gain.ts';
import { fitLearningCurve, type PicturesNeeded } from '../evaluation/learning-curve-fit.ts';
import { splitMeter } from '../evaluation/split-meter.ts';
import { areNoisy, type Suspect, type SuspectLabels, suspectLabels } from '../evaluation/suspect-labels.ts';
import type { ExperimentResult, MeasuredCurve, MeasuredDiagnosis, MeasuredGain, TriedRemedy } from '../results/experiments.ts';
import type { Arm } from './arms.ts';
import { curveShares, divisionExperiments, type Findings, type Proposal } from './diagnose.ts';
import { accuracyOf, answersOf, blindAnswers, compareAll, rightOf, seedsDone, significance, testAnswersOf } from './evidence.ts';
import type { Experiments } from './experiments.ts';
import { type DiagnosisSetup, freshSeedOf, seedOf, trainingOf, weightsOf } from './setup.ts';
import type { Family } from './treatments.ts';
import { verdictOf } from './verdict.ts';

/** The result of a diagnosis: figures from experiments, and from nothing else. */

export interface Concluded {
  setup: DiagnosisSetup;
  experiments: Experiments;
  findings: Findings;
  data: Pick<PreparedData, 'splits' | 'classes'>;
}

type Known = Pick<Concluded, 'setup' | 'experiments'>;

/** Of one session, what experiments do not know. */
export type Session = Pick<MeasuredDiagnosis, 'output' | 'config' | 'seconds' | 'trainings' | 'earlier' | 'minutes'> & {
  /** where the config that is proposed stands */
  proposalFile: string;
};

export async function conclude(concluded: Concluded, { proposalFile, ...session }: Session): Promise<MeasuredDiagnosis> {
  const { setup, findings } = concluded;
  const { diagnosis } = setup.loaded.config;
  const baseline = baselineOf(concluded);
  const tried = remediesOf(concluded);
  const curve = curveOf(concluded);
  const suspects = await suspectsOf(concluded, judgesOf(tried));
  const bias = baseline.trainError === null ? null : baseline.trainError - diagnosis.targetError;
  const variance = baseline.trainError === null ? null : 1 - baseline.accuracy - baseline.trainError;
  const verdict = verdictOf({ tried, baseline, bias, variance, limits: diagnosis, curve, suspects });
  const { evaluationLabels, folds, isBalanced, pictures } = setup;
  return {
    ...session,
    evaluatedOn: {
      part: folds === null ? 'dev' : 'folds',
      folds,
      pictures: evaluationLabels.length,
      train: pictures.train,
      metric: isBalanced ? 'balanced accuracy' : 'accuracy',
      largerClass: accuracyOf(setup, blindAnswers(setup, evaluationLabels).right, evaluationLabels),
    },
    verdict,
    baseline,
    remedies: tried.map(({ family: _, ...rest }) => rest),
    leftOut: findings.leftOut,
    proposal: findings.proposal && proposalOf(concluded, findings.proposal, { tried, proposalFile }),
    curve,
    meter: meterOf(concluded),
    suspects,
    undone: findings.undone,
  };
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The results of the first seeds with some changes. */
function resultsOf({ setup, experiments }: Known, set: readonly string[]): ExperimentResult[] {
  return Array.from(
    { length: seedsDone(setup, experiments, set) },
    (_, i) => experiments.find(trainingOf(set, seedOf(setup, i)))!,
  );
}

/** An accuracy with what is known of it for other pictures and seeds. */
function accuracyWith(setup: DiagnosisSetup, right: readonly Uint8Array[], labels: Uint8Array) {
  const weights = weightsOf(labels, setup);
  const nothing = right.map(({ length }) => new Uint8Array(length));
  const { gain, interval } = gainOf({ baseline: nothing, treatment: right, ...(weights && { weights }) });
  return { accuracy: gain, interval };
}

function baselineOf(known: Known): MeasuredDiagnosis['baseline'] {
  const { setup, experiments } = known;
  const results = resultsOf(known, []);
  return {
    ...accuracyWith(setup, rightOf(setup, experiments, [], results.length), setup.evaluationLabels),
    trainError: trainErrorOf(results),
    seeds: results.length,
    diverged: divergedOf(results),
    seconds: experiments.secondsOf([]),
  };
}

function trainErrorOf(results: readonly ExperimentResult[]): number | null {
  const errors = results.flatMap(({ trainError }) => trainError ?? []);
  return errors.length === 0 ? null : meanOf(errors);
}

const divergedOf = (results: readonly ExperimentResult[]) => results.filter(({ error }) => error !== null).length;

function remediesOf(concluded: Concluded): (TriedRemedy & { family: Family })[] {
  const { setup, experiments, findings } = concluded;
  const { combination } = findings;
  const arms = findings.arms.filter(({ set }) => seedsDone(setup, experiments, set) > 0);
  const comparisons = compareAll(setup, experiments, { arms, combination });
  const all = combination === null ? arms : [...arms, combination];
  const ordinary = experiments.secondsOf([]);
  const remedies = all.map((arm, i) => {
    const { gain, interval, p, seeds, corrected, effect } = comparisons[i]!;
    const results = resultsOf(concluded, arm.set);
    const own = experiments.secondsOf(arm.set);
    return {
      ...arm.treatment,
      set: arm.set,
      gain,
      interval,
      p,
      seeds,
      corrected,
      effect,
      accuracy: accuracyWith(setup, rightOf(setup, experiments, arm.set, seeds), setup.evaluationLabels).accuracy,
      trainError: trainErrorOf(results),
      timesAsLong: own === null || ordinary === null || ordinary === 0 ? null : own / ordinary,
      diverged: divergedOf(results),
    };
  });
  return remedies.sort((a, b) => b.gain - a.gain);
}

function proposalOf(
  concluded: Concluded,
  proposal: Proposal,
  { tried, proposalFile }: { tried: readonly TriedRemedy[]; proposalFile: string },
): NonNullable<MeasuredDiagnosis['proposal']> {
  const { treatment, set, parts } = proposal.arm;
  const { gain, interval, p, seeds } = tried.find(({ id }) => id === treatment.id)!;
  return {
    id: treatment.id,
    title: treatment.title,
    parts,
    set,
    config: proposalFile,
    chosenBy: { gain, interval, p, seeds },
    again: againOf(concluded, proposal),
    test: testOf(concluded, proposal.arm),
  };
}

/** Each half's pictures judge what the other half chose, by seeds that chose nothing. */
function againOf({ setup, experiments, findings }: Concluded, { chosen }: Proposal): MeasuredGain | null {
  const arms = chosen.map((arm) => arm?.set ?? null);
  const freshDone = (set: readonly string[]) => {
    let seeds = 0;
    while (experiments.find(trainingOf(set, freshSeedOf(setup, seeds))) !== undefined) seeds++;
    return seeds;
  };
  const seeds = Math.min(freshDone([]), ...arms.map((set) => freshDone(set ?? [])), findings.freshSeeds);
  if (seeds === 0) return null;
  const rightWith = (set: readonly string[]) =>
    Array.from({ length: seeds }, (_, i) => answersOf(setup, experiments, trainingOf(set, freshSeedOf(setup, i)))!.right);
  const weights = weightsOf(setup.evaluationLabels, setup);
  const { gain, interval, p } = honestGain(
    { half: setup.half, chosen: [arms[0] === null ? null : 0, arms[1] === null ? null : 1] },
    { baseline: rightWith([]), treatment: (index) => rightWith(arms[index]!), ...(weights && { weights }) },
  );
  return { gain, interval, p, seeds };
}

function testOf({ setup, experiments, findings }: Concluded, { set }: Arm): NonNullable<MeasuredDiagnosis['proposal']>['test'] {
  const seeds = Array.from({ length: findings.freshSeeds }, (_, i) => freshSeedOf(setup, i));
  const resultWith = (changes: readonly string[], seed: number) =>
    experiments.find({ ...trainingOf(changes, seed), readsTest: true });
  const pairs = seeds.map((seed) => [resultWith([], seed), resultWith(set, seed)] as const);
  const labels = pairs.flat().flatMap((result) => (result && testAnswersOf(result)?.labels) ?? [])[0];
  if (labels === undefined) return null;
  const answers = (result: ExperimentResult | undefined) =>
    (result && testAnswersOf(result)?.right) ?? blindAnswers(setup, labels).right; // one that diverged knows nothing
  const baseline = pairs.map(([before]) => answers(before));
  const treatment = pairs.map(([, after]) => answers(after));
  const weights = weightsOf(labels, setup);
  const { gain, interval, p } = gainOf({ baseline, treatment, ...(weights && { weights }) });
  return {
    gain,
    interval,
    p,
    seeds: seeds.length,
    pictures: labels.length,
    before: accuracyWith(setup, baseline, labels),
    after: accuracyWith(setup, treatment, labels),
  };
}

/** So many times the pictures. */
const times = [2, 4, 10] as const;
/** Prices are of accuracies of whole steps. */
const priceStep = 0.05;
const prices = 3;

function curveOf(known: Known): MeasuredCurve | null {
  const { setup, experiments } = known;
  const { train } = setup.pictures;
  const trainedOn = setup.folds === null ? train : (train * (setup.folds - 1)) / setup.folds;
  const points = [...curveShares, 1].flatMap((share) => {
    const accuracies: number[] = [];
    for (let i = 0; ; i++) {
      const answers = answersOf(setup, experiments, { ...trainingOf([], seedOf(setup, i)), share });
      if (answers === null) break;
      accuracies.push(accuracyOf(setup, answers.right, setup.evaluationLabels));
    }
    return accuracies.length === 0 ? [] : [{ pictures: Math.round(share * trainedOn), accuracy: meanOf(accuracies), accuracies }];
  });
  if (points.length < 2) return null;
  const fit = fitLearningCurve(
    points.map(({ pictures, accuracies }) => ({ pictures, errors: accuracies.map((accuracy) => 1 - accuracy) })),
    { judgedOn: setup.evaluationLabels.length },
  );
  const { curve } = fit;
  const whole = points.at(-1)!;
  const toOf = (accuracy: number) => {
    const needed = curve!.picturesFor(accuracy);
    return { accuracy, ...priceOf(needed, whole.pictures) };
  };
  return {
    points,
    says: fit.says,
    reason: fit.says ? null : fit.reason,
    foretold: fit.says
      ? times.map((factor) => {
          const pictures = factor * whole.pictures;
          return { times: factor, pictures, ...fit.curve.accuracyAt(pictures) };
        })
      : [],
    asymptote: fit.says ? fit.curve.asymptote : null,
    heldOut: curve?.heldOut
      ? {
          foretold: curve.heldOut.foretold.accuracy,
          interval: curve.heldOut.foretold.interval,
          observed: curve.heldOut.observed,
          within: curve.heldOut.within,
        }
      : null,
    prices: fit.says ? targetsOf(whole.accuracy, 1 - setup.loaded.config.diagnosis.targetError).map(toOf) : [],
  };
}

/** The next accuracies of whole steps above one. @param possible  none is above it */
export function targetsOf(accuracy: number, possible: number): number[] {
  const first = Math.floor(accuracy / priceStep + 1e-9) + 1;
  const all = Array.from({ length: prices }, (_, i) => Number(((first + i) * priceStep).toPrecision(4)));
  return all.filter((target) => target < Math.min(1, possible + 1e-9));
}

function priceOf(needed: PicturesNeeded, present: number): Omit<MeasuredCurve['prices'][number], 'accuracy'> {
  if (typeof needed === 'string') return { answer: needed, more: null, interval: null };
  const more = (pictures: number) => Math.max(0, Math.round(pictures - present));
  const [low, high] = needed.interval;
  return { answer: 'pictures', more: more(needed.pictures), interval: [more(low), high === null ? null : more(high)] };
}

function meterOf({ setup, experiments }: Known): MeasuredDiagnosis['meter'] {
  const own = answersOf(setup, experiments, trainingOf([], seedOf(setup, 0)));
  if (own === null) return null;
  const present = accuracyOf(setup, own.right, setup.evaluationLabels);
  const accuracies = divisionExperiments(setup).flatMap((job) => {
    const answers = answersOf(setup, experiments, job);
    if (answers === null) return [];
    const labels = Uint8Array.from(setup.evaluationRows(job.division), (row) => setup.labels[row]!);
    return [accuracyOf(setup, answers.right, labels)];
  });
  const found = splitMeter(present, accuracies, setup.evaluationLabels.length);
  if (found === null) return null;
  const { count, below, equal, mean, spread, spreadByChance, range, verdict } = found;
  return { count, present, accuracies, below, equal, mean, spread, spreadByChance, range, verdict };
}

/** By so much a remedy must be better for its networks to judge labels beside the config's own. */
const clearlyBetter = 0.03;

/** The changes of networks that judge labels: the config's own, which judged most pictures, and before them those that learn more, where the config's get wrong what
 *  they could know. */
function judgesOf(tried: readonly (TriedRemedy & { family: Family })[]): (readonly string[])[] {
  const better = tried.find(
    ({ family, gain, p }) => family !== 'restraint' && gain >= clearlyBetter && p !== null && p < significance,
  );
  return better === undefined ? [[]] : [better.set, []];
}

/** By the networks that say most clearly that labels are wrong, else by the first; p allows for how many were asked. */
async function suspectsOf(known: Concluded, judges: readonly (readonly string[])[]): Promise<MeasuredDiagnosis['suspects']> {
  const found = judges.flatMap((set) => suspectsBy(known, set) ?? []);
  const asked = found.map(({ p, ...rest }) => ({ ...rest, p: Math.min(1, found.length * p) }));
  const noisy = asked.filter((one) => areNoisy({ ...one, count: one.suspects.length })).sort((a, b) => a.p - b.p);
  const chosen = noisy[0] ?? asked[0];
  if (chosen === undefined) return null;
  const { suspects, ...rest } = chosen;
  return { ...rest, list: await Promise.all(suspects.map((one) => listed(known, one))) };
}

/** Of all pictures that networks answered which did not train on them: of those with some changes, and by the config as it is of all other divisions too. */
function suspectsBy({ setup, experiments }: Known, set: readonly string[]): (SuspectLabels & { judged: number }) | null {
  const { labels } = setup;
  const own = Array.from({ length: seedsDone(setup, experiments, set) }, (_, i) => trainingOf(set, seedOf(setup, i)));
  const others = set.length === 0 ? divisionExperiments(setup) : [];
  const p = [...own, ...others].flatMap((job) => {
    if (experiments.find(job)?.judged == null) return []; // not run, or diverged
    const answers = answersOf(setup, experiments, job)!;
    const all = new Float64Array(labels.length).fill(Number.NaN);
    for (const [i, row] of setup.evaluationRows(job.division).entries()) all[row] = answers.p[i]!;
    return [all];
  });
  const judged = labels.reduce((sum, _, i) => sum + Number(p.filter((row) => !Number.isNaN(row[i]!)).length >= 2), 0);
  return judged === 0 ? null : { ...suspectLabels({ p, labels }), judged };
}

async function listed({ setup, data }: Concluded, { picture, confidence, chance }: Suspect) {
  const { train, dev } = data.splits;
  const nameOf = (label: number) => (label === 1 ? data.classes.positive : data.classes.negative);
  const inTrain = picture < train.labels.length;
  const at = inTrain ? picture : picture - train.labels.length;
  const [name] = await (inTrain ? train : dev!).names.slice(at, at + 1);
  const label = setup.labels[picture]!;
  const part = inTrain ? ('train' as const) : ('dev' as const);
  return { name: name!, row: picture, part, label: nameOf(label), says: nameOf(1 - label), confidence, chance };
}
