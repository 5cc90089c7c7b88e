import { exp, log, log1p, sigmoid, softplus } from '../elementary.ts';
import { studentTails } from './statistics.ts';

/** Pictures whose labels may be wrong, and what speaks for it. */
export interface SuspectLabels {
  /** the most suspect first */
  suspects: Suspect[];
  /** how many such pictures there would be if all labels were right, after how seldom these networks are wrong where they are less sure */
  expected: number;
  /** the share of labels that contradict the pictures, whatever the networks' doubts, as estimated */
  share: number;
  /** the probability of as clear a surplus where no label is wrong */
  p: number;
  /** the share of labels that the networks contradict together: what they get wrong, and the labels */
  error: number;
}

export interface Suspect {
  /** of the picture */
  picture: number;
  /** the networks' common p of the other label */
  confidence: number;
  /** the probability that the label is at fault, and not the networks */
  chance: number;
}

export interface NetworkAnswers {
  /** p[k][i] of the positive class, of network k on picture i; NaN where the network was trained on the picture */
  p: readonly Float64Array[];
  labels: Uint8Array;
}

/** By how many networks a picture has to be judged. */
const leastNetworks = 2;
/** From this common confidence on pictures are shown. */
const confident = 0.8;
/** ln(p / (1 − p)) of one network counts up to this: beyond, confidence is exaggeration. */
const mostLogit = 6;

/**
 * Pictures that every network that was not trained on them gets wrong, with a common confidence (p of the mean logit) of at least 0.8, and what share of labels is wrong.
 * With the common margin m_i > 0 in favour of what the networks say, P(the label disagrees) = ε + (1 − 2ε) σ(−β m): with right labels (ε = 0) disagreement
 * dies out as networks grow sure; where labels were mixed up it stays. β and ε are those of the greatest likelihood; p is of the likelihood ratio, one-sided.
 * @see Northcutt, Jiang & Chuang 2021, for confident disagreement; Self & Liang 1987, for a parameter at its bound
 */
export function suspectLabels({ p, labels }: NetworkAnswers): SuspectLabels {
  const judged = Array.from(labels.keys()).flatMap((picture) => consensusOf(p, picture, labels[picture]!) ?? []);
  const clean = fitBeta(judged, 0);
  const noisy = fitNoise(judged);
  const gain = Math.max(0, noisy.likelihood - clean.likelihood);
  const chanceOf = (margin: number) => {
    const doubt = sigmoid(-noisy.beta * margin);
    return (noisy.share * (1 - doubt)) / (noisy.share + (1 - 2 * noisy.share) * doubt || 1);
  };
  const sure = judged.filter(({ margin, isUnanimous }) => isUnanimous && sigmoid(margin) >= confident);
  const suspects = sure
    .filter(({ disagrees }) => disagrees)
    .map(({ picture, margin }) => ({ picture, confidence: sigmoid(margin), chance: chanceOf(margin) }))
    .sort((a, b) => b.confidence - a.confidence || a.picture - b.picture);
  return {
    suspects,
    expected: sure.reduce((sum, { margin }) => sum + sigmoid(-noisy.beta * margin), 0),
    share: noisy.share,
    p: gain === 0 ? 1 : studentTails(2 * gain, manyDegrees) / 2,
    error: judged.reduce((sum, { disagrees }) => sum + Number(disagrees), 0) / (judged.length || 1),
  };
}

/** Labels are called noisy from this share on, where chance explains it with less than this probability, and so many times as many pictures are suspect as
 *  would be were all labels right. */
const noise = { share: 0.03, p: 0.01, surplus: 3 };

/** Whether some labels are wrong, beyond what chance and hard pictures explain.
 *  @param found.count  of suspects */
export function areNoisy(found: Omit<SuspectLabels, 'suspects'> & { count: number }): boolean {
  const { count, expected, share, p } = found;
  return share >= noise.share && p < noise.p && count > 0 && count >= noise.surplus * expected && accountsForErrors(found);
}

/** Whether wrong labels are much of what the networks contradict. Where they are not, confident errors may be the networks' own: they learnt from the same pictures, and
 *  err together on those that are hard to all of them, more often than doubts that die out with confidence explain. */
function accountsForErrors({ share, error }: Pick<SuspectLabels, 'share' | 'error'>): boolean {
  return share >= leastOfErrors * error;
}

/** On drawn pictures that are hard, and all labelled right, convolutional networks that contradict a sixth of the labels come to a quarter of that; where a tenth of the labels is flipped
 *  good networks come to half. */
const leastOfErrors = 1 / 3;

/** Student's distribution of so many degrees of freedom is the normal one. */
const manyDegrees = 1e6;

interface Consensus {
  picture: number;
  /** |mean logit| */
  margin: number;
  /** whether the mean speaks for the other label */
  disagrees: boolean;
  /** whether every network says the same */
  isUnanimous: boolean;
}

/** What the networks say of a picture that they were not trained on; null where they are too few. */
function consensusOf(p: NetworkAnswers['p'], picture: number, label: number): Consensus | null {
  const logits = p.flatMap((row) => (Number.isNaN(row[picture]) ? [] : [logitOf(row[picture]!)]));
  if (logits.length < leastNetworks) return null;
  const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length;
  const says = mean > 0 ? 1 : 0;
  const isUnanimous = logits.every((logit) => (logit > 0 ? 1 : 0) === says);
  return { picture, margin: Math.abs(mean), disagrees: says !== label, isUnanimous };
}

function logitOf(p: number): number {
  const logit = log(p) - log1p(-p);
  return Math.min(mostLogit, Math.max(-mostLogit, logit));
}

interface Fit {
  beta: number;
  share: number;
  likelihood: number;
}

/** ε from 0 to ½ on a grid, each with its best β. */
function fitNoise(judged: readonly Consensus[]): Fit {
  const fits = shares.map((share) => fitBeta(judged, share));
  return fits.reduce((best, fit) => (fit.likelihood > best.likelihood ? fit : best));
}

/** From 0 to 30%. */
const shares = Array.from({ length: 31 }, (_, i) => i / 100);

/** The best β for a share: the likelihood of ln β has one top, which the golden section encloses. */
function fitBeta(judged: readonly Consensus[], share: number): Fit {
  const at = (s: number): Fit => ({ beta: exp(s), share, likelihood: likelihoodOf(judged, exp(s), share) });
  let [low, high] = [log(leastBeta), log(mostBeta)];
  let [left, right] = [at(high - golden * (high - low)), at(low + golden * (high - low))];
  for (let i = 0; i < goldenSteps; i++) {
    if (left.likelihood > right.likelihood) {
      high = log(right.beta);
      [left, right] = [at(high - golden * (high - low)), left];
    } else {
      low = log(left.beta);
      [left, right] = [right, at(low + golden * (high - low))];
    }
  }
  return left.likelihood > right.likelihood ? left : right;
}

const golden = (Math.sqrt(5) - 1) / 2;
const [leastBeta, mostBeta] = [0.01, 20];
/** They leave a thousandth of β. */
const goldenSteps = 19;

function likelihoodOf(judged: readonly Consensus[], beta: number, share: number): number {
  let sum = 0;
  for (const { margin, disagrees } of judged) {
    const z = beta * margin;
    if (share === 0) sum -= softplus(disagrees ? z : -z);
    else {
      const wrong = share + (1 - 2 * share) * sigmoid(-z);
      sum += disagrees ? log(wrong) : log1p(-wrong);
    }
  }
  return sum;
}
