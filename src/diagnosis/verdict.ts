import { areNoisy } from '../evaluation/suspect-labels.ts';
import type { MeasuredDiagnosis, MeasuredVerdict, TriedRemedy } from '../results/experiments.ts';
import type { Family } from './treatments.ts';

/** What the experiments say is wrong. */

export interface Evidence {
  /** what was tried, with the family of each */
  tried: readonly (TriedRemedy & { family: Family })[];
  baseline: MeasuredDiagnosis['baseline'];
  /** null where all trainings diverged */
  bias: number | null;
  variance: number | null;
  limits: { highBias: number; highVariance: number };
  curve: MeasuredDiagnosis['curve'];
  suspects: MeasuredDiagnosis['suspects'];
}

/** A smaller rate is what was wrong where it alone gains at least this share of what the best remedy does. */
const asGood = 0.5;
/** More pictures count as a remedy where four times as many give so much. */
const worthwhile = 0.02;

const codeOf: Record<Family, MeasuredVerdict | null> = {
  steps: 'learning rate too high',
  effort: 'trained too little',
  size: 'network too small',
  restraint: 'overfits',
  balance: null,
};

/** The first that holds is the verdict: what is at its root comes before what follows from it. Steps that throw the weights about hide all else; labels
 *  that are wrong look like a network that learns by heart. */
export function verdictOf(evidence: Evidence): MeasuredDiagnosis['verdict'] {
  const { bias, variance } = evidence;
  const found = codesOf(evidence);
  const [code = 'nothing helps', ...also] = found;
  return { code, also, bias, variance };
}

function codesOf({ tried, baseline, bias, variance, limits, curve, suspects }: Evidence): MeasuredVerdict[] {
  const helping = tried.filter(({ effect }) => effect === 'helps').sort((a, b) => b.gain - a.gain);
  const single = helping.filter(({ id }) => id !== 'combination');
  // where nothing helps by itself, what helps together is named after its most promising part
  const helpful = single.length > 0 ? single : helping;
  const best = helpful[0]?.gain ?? 0;
  const bestOf = (family: Family) => helpful.find((one) => one.family === family)?.gain ?? 0;
  const found = new Set<MeasuredVerdict>();
  const diverges = baseline.seeds > 0 && baseline.diverged * 2 > baseline.seeds;
  if (tried.length === 0 && !diverges) return ['not enough time'];
  const isNoisy = suspects !== null && areNoisy({ ...suspects, count: suspects.list.length });
  const wrongLabels = isNoisy ? suspects.share : 0;
  // a network that gets wrong labels wrong is not too small
  const biased = bias !== null && bias > limits.highBias + wrongLabels;
  // who learns its training pictures is thrown nowhere: a smaller rate may help it as well, since it learns wrong labels later
  if (isNoisy && !biased) found.add('label noise');
  // whoever learns wrong labels by heart errs where they stand, and where they do not
  const varied = variance !== null && variance > limits.highVariance + 2 * wrongLabels;
  // nor does a smaller rate say much where other ways to hold the network back help as well
  const isHeldBack = varied && !biased && bestOf('restraint') >= asGood * best;
  const jumps = bestOf('steps') > 0 && bestOf('steps') >= asGood * best && !isHeldBack;
  if (diverges || jumps) found.add('learning rate too high');
  if (isNoisy) found.add('label noise');
  const wanted = wantsData(curve);
  // what helps most says most; a size helps a network that is too small only where it does not know its own training pictures
  for (const { family } of helpful) {
    const code = codeOf[family];
    if (code === null || (family === 'steps' && !found.has(code))) continue;
    if (family === 'size' && !biased) found.add(varied ? 'overfits' : 'network too small');
    else found.add(code);
  }
  // where more is wrong on the training pictures themselves than is added by others, more of them are not what is missing
  const isOfBias = biased && bias > variance!;
  if (varied && !isOfBias && (wanted || !found.has('overfits'))) found.add('too little data');
  return [...found];
}

/** Whether the curve says that more pictures would help; true where it says nothing, since variance is then all that is known. */
function wantsData(curve: Evidence['curve']): boolean {
  if (curve === null || !curve.says) return true;
  const now = curve.points.at(-1)!.accuracy;
  const four = curve.foretold.find(({ times }) => times === 4);
  return four === undefined || four.accuracy - now >= worthwhile;
}
