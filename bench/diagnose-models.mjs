// Networks whose true figures are known: what bench/diagnose-simulation.mjs and its short form in the tests draw answers from. Plain JavaScript over dist/.
import { studentQuantile, studentTails } from '../dist/evaluation/statistics.js';

/** So many degrees of freedom make Student's distribution the normal one. */
const many = 1e7;
/** Φ⁻¹ and Φ. */
export const probit = (p) => (p === 0.5 ? 0 : (p > 0.5 ? 1 : -1) * studentQuantile(2 * Math.min(p, 1 - p), many));
export const normalShare = (z) => (z > 0 ? 1 - studentTails(z * z, many) / 2 : studentTails(z * z, many) / 2);
const density = (z) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

/** Standard deviations: how hard a picture is to all, to one treatment, and to one training. */
const hardness = { all: 1, treatment: 0.3, training: 0.5 };
const withoutSeeds = Math.hypot(hardness.all, hardness.treatment, hardness.training);

/** The answers of networks, right[k][s][i] of treatment k (0 is the baseline), seed s and picture i. A network is right where
 *  m_k + u_i + v_ki + a_ks + e_ksi > 0 with normal u, v, a, e, and m_k such that its accuracy over all pictures and seeds is exactly accuracies[k].
 *  @param seedSpread  the standard deviation of a difference of two accuracies that seeds alone make
 *  @param spreads  of single treatments another, by their number
 *  @param collapse  how probable it is that a training comes to nothing, and is right by a coin: its accuracies[k] are those without */
export function drawAnswers(random, options) {
  return drawTreatments(random, options).right;
}

/** The same, with a treatment that is made of others of them: what a picture is to it is the mean of what it is to those, scaled to the same variance.
 *  @returns right, and together(parts, accuracy): the answers of the one that is made of treatments `parts` */
export function drawTreatments(random, { accuracies, seeds, pictures, seedSpread = 0, spreads = {}, collapse = 0 }) {
  const hard = normals(random, pictures, hardness.all);
  const answersOf = (accuracy, own, difference) => {
    const spread = (difference * withoutSeeds) / (density(probit(accuracies[0])) * Math.SQRT2);
    const m = probit(accuracy) * Math.hypot(withoutSeeds, spread);
    return Array.from({ length: seeds }, () => {
      const shift = m + spread * normal(random);
      if (collapse > 0 && random.uniform() < collapse) return Uint8Array.from(hard, () => (random.uniform() < 0.5 ? 1 : 0));
      return Uint8Array.from(hard, (u, i) => (shift + u + own[i] + hardness.training * normal(random) > 0 ? 1 : 0));
    });
  };
  const owns = [];
  const right = accuracies.map((accuracy, k) => {
    owns.push(normals(random, pictures, hardness.treatment));
    return answersOf(accuracy, owns[k], spreads[k] ?? seedSpread);
  });
  const together = (parts, accuracy) => {
    const own = hard.map((_, i) => parts.reduce((sum, k) => sum + owns[k][i], 0) / Math.sqrt(parts.length));
    return answersOf(accuracy, own, seedSpread);
  };
  return { right, together };
}

function normals(random, count, deviation) {
  return Float64Array.from({ length: count }, () => deviation * normal(random));
}

/** One of 4,096 quantiles of the normal distribution, scaled to its variance: ten times as fast as drawing it whole. */
const normal = (random) => quantiles[random.uint32() >>> 20];
const quantiles = (() => {
  const raw = Float64Array.from({ length: 4096 }, (_, i) => probit((i + 0.5) / 4096));
  const deviation = Math.sqrt(raw.reduce((sum, z) => sum + z * z, 0) / raw.length);
  return raw.map((z) => z / deviation);
})();

/** True error at n pictures. The first three are the law that is fitted; the others are not. */
export const truths = {
  'a = 5%, c = 0.25': (n) => 0.05 + 0.9 * n ** -0.25,
  'a = 10%, c = 0.5': (n) => 0.1 + 2.5 * n ** -0.5,
  'a = 15%, c = 1': (n) => 0.15 + 25 * n ** -1,
  'a = 0, c = 0.35': (n) => 1.6 * n ** -0.35,
  exponential: (n) => 0.1 + 0.35 * Math.exp(-n / 400),
  'a floor soon after': (n) => Math.max(0.19, 2.2 * n ** -0.35),
  'late: nothing up to half': (n) => (n <= 400 ? 0.45 : 0.45 * (n / 400) ** -0.6),
  flat: () => 0.3,
};
/** How many of them are power laws. */
export const powerLaws = 4;

/** Errors of trainings on 1/8, 1/4, 1/2 and all of the pictures, judged on the same dev pictures, whose luck they share. */
export function drawCurve(random, { truth, whole = 800, seeds, dev, seedSpread }) {
  const luck = random.normal();
  return [8, 4, 2, 1].map((part) => {
    const pictures = whole / part;
    const error = truth(pictures);
    const chance = Math.sqrt((error * (1 - error)) / dev);
    const errors = Array.from({ length: seeds }, () => {
      const found = error + chance * (0.9 * luck + Math.sqrt(1 - 0.81) * random.normal()) + seedSpread * random.normal();
      return Math.min(1, Math.max(0, Math.round(found * dev) / dev));
    });
    return { pictures, errors };
  });
}

/** How confident answers are, and how often those of a confidence are right. */
export const confidences = {
  calibrated: { draw: (random) => 1 - 0.5 * random.uniform() ** 2.5, right: (c) => c },
  overconfident: { draw: (random) => 1 - 0.5 * random.uniform() ** 6, right: (c) => 0.5 + 0.48 * ((c - 0.5) / 0.5) ** 3 },
  'very sure': {
    draw: (random) => 1 - 10 ** (-9 * random.uniform()) / 2,
    right: (c) => 0.8 + (0.2 * Math.log10(0.5 / (1 - c))) / 9,
  },
  'just too bad': { draw: (random) => 1 - 0.5 * random.uniform(), right: () => 0.9499 },
  'right up to a point': { draw: (random) => 1 - 0.5 * random.uniform(), right: (c) => (c > 0.8 ? 0.985 : 0.7) },
};
