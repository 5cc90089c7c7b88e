// How far the statistics of nn diagnose can be trusted, by drawn networks whose truth is known (bench/diagnose-models.mjs):
// npm run build && node bench/diagnose-simulation.mjs [TABLE] [REPEATS], with a table of the list below; without, all. docs/diagnose.md has what it printed.
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promising } from '../dist/diagnosis/diagnose.js';
import { abstentionBound, wantedAccuracy } from '../dist/evaluation/abstention.js';
import { gainOf, gainsOf, leastSeeds, raceDecision } from '../dist/evaluation/gain.js';
import { chooseByHalves, halvesOf, honestGain } from '../dist/evaluation/honest-gain.js';
import { fitLearningCurve } from '../dist/evaluation/learning-curve-fit.js';
import { holm } from '../dist/evaluation/paired.js';
import { areNoisy, suspectLabels } from '../dist/evaluation/suspect-labels.js';
import { namedRandom } from '../dist/random.js';
import { confidences, drawAnswers, drawCurve, drawTreatments, powerLaws, truths } from './diagnose-models.mjs';

const percent = (share, digits = 1) => (Number.isNaN(share) ? '–' : `${(100 * share).toFixed(digits)}%`);
const points = (share, digits = 1) => (Number.isNaN(share) ? '–' : (100 * share).toFixed(digits));
const mean = (values) => values.reduce((sum, value) => sum + Number(value), 0) / values.length;
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const repeat = (times, draw) => Array.from({ length: times }, (_, i) => draw(i));
/** Differences of accuracies that seeds alone make, as standard deviations. */
const seedSpreads = { none: 0, usual: 0.015, strong: 0.05 };

/** How often the interval holds the true gain, and how wide it is. */
export function simulateGain({ repeats, accuracies, weigh = false, ...of }) {
  const found = repeat(repeats, (i) => {
    const random = namedRandom(i, `gain ${JSON.stringify([accuracies, of])}`);
    const [baseline, treatment] = drawAnswers(random, { accuracies, ...of });
    const weights = weigh ? Float64Array.from({ length: of.pictures }, (_, j) => (j % 4 === 0 ? 2 : 2 / 3)) : undefined;
    const { interval } = gainOf({ baseline, treatment, weights });
    const truth = (accuracies[1] - accuracies[0]) * (1 - (of.collapse ?? 0));
    return { covers: interval[0] <= truth && truth <= interval[1], width: interval[1] - interval[0] };
  });
  return { coverage: mean(found.map(({ covers }) => covers)), width: median(found.map(({ width }) => width)) };
}

/** Treatments beside one baseline: how often one that does not help is said to, corrected by Holm, and how often each of the others is found. */
export function simulateClaims({ repeats, accuracies, ...of }) {
  const found = repeat(repeats, (i) => {
    const random = namedRandom(i, `claims ${JSON.stringify([accuracies, of])}`);
    const [baseline, ...treatments] = drawAnswers(random, { accuracies, ...of });
    const gains = gainsOf(treatments.map((treatment) => ({ baseline, treatment })));
    const adjusted = holm(gains.map(({ p }) => p));
    return gains.map(({ gain, interval }, k) => {
      const truth = accuracies[k + 1] - accuracies[0];
      return { says: gain > 0 && adjusted[k] <= 0.05, covers: interval[0] <= truth && truth <= interval[1] };
    });
  });
  const helps = accuracies.slice(1).map((accuracy) => accuracy > accuracies[0]);
  return {
    wrong: mean(found.map((claims) => claims.some(({ says }, k) => says && !helps[k]))),
    power: helps.flatMap((isHelp, k) => (isHelp ? [mean(found.map((claims) => claims[k].says))] : [])),
    coverage: helps.map((_, k) => mean(found.map((claims) => claims[k].covers))),
  };
}

/** Where no treatment is said to help, those that look best are tried together: how often that is, and how often it is then said to help. It gains what its parts gain. */
export function simulateTogether({ repeats, accuracies, ...of }) {
  const found = repeat(repeats, (i) => {
    const random = namedRandom(i, `together ${JSON.stringify([accuracies, of])}`);
    const { right, together } = drawTreatments(random, { accuracies, ...of });
    const [baseline, ...treatments] = right;
    const judged = treatments.map((treatment) => ({ baseline, treatment }));
    const gains = gainsOf(judged);
    const adjusted = holm(gains.map(({ p }) => p));
    const isHelped = gains.some(({ gain }, k) => gain > 0 && adjusted[k] <= 0.05);
    const parts = gains.flatMap(({ gain, p }, k) => (gain > 0 && p < promising ? [k + 1] : []));
    if (isHelped || parts.length < 2) return { isHelped, isTried: false, says: false };
    const truth = parts.reduce((sum, k) => sum + accuracies[k] - accuracies[0], accuracies[0]);
    const all = [...judged, { baseline, treatment: together(parts, Math.min(0.98, truth)) }];
    const { gain, p } = gainsOf(all).at(-1);
    return { isHelped, isTried: true, says: gain > 0 && p * all.length <= 0.05 };
  });
  return {
    single: mean(found.map(({ isHelped }) => isHelped)),
    tried: mean(found.map(({ isTried }) => isTried)),
    said: mean(found.map(({ says }) => says)),
  };
}

/** The winner's gain as it won, and measured again by halves and fresh seeds. */
export function simulateWinner({ repeats, accuracies, seeds, freshSeeds, ...of }) {
  const found = repeat(repeats, (i) => {
    const random = namedRandom(i, `winner ${JSON.stringify([accuracies, seeds, of])}`);
    const all = drawAnswers(random, { accuracies, seeds: seeds + freshSeeds, ...of });
    const [baseline, ...treatments] = all.map((rows) => rows.slice(0, seeds));
    const fresh = all.map((rows) => rows.slice(seeds));
    const labels = Uint8Array.from({ length: of.pictures }, (_, j) => j % 2);
    const truthOf = (index) => (index === null ? 0 : accuracies[index + 1] - accuracies[0]);
    const own = gainsOf(treatments.map((treatment) => ({ baseline, treatment })));
    const best = own.reduce((lead, { gain }, k) => (gain > own[lead].gain ? k : lead), 0);
    const halves = chooseByHalves(halvesOf(labels, random), { baseline, treatments });
    const honest = honestGain(halves, { baseline: fresh[0], treatment: (index) => fresh[index + 1] });
    const again = gainOf({ baseline: fresh[0], treatment: fresh[best + 1] });
    const truth = mean(halves.chosen.map(truthOf));
    const row = ({ gain, interval }, true_) => ({
      bias: gain - true_,
      covers: interval[0] <= true_ && true_ <= interval[1],
      width: interval[1] - interval[0],
    });
    return {
      won: row(own[best], truthOf(best)),
      again: row(again, truthOf(best)),
      honest: row(honest, truth),
      truth: truthOf(best),
      halfTruth: truth,
    };
  });
  const of_ = (which) => ({
    bias: mean(found.map((one) => one[which].bias)),
    coverage: mean(found.map((one) => one[which].covers)),
    width: median(found.map((one) => one[which].width)),
  });
  return { won: of_('won'), again: of_('again'), honest: of_('honest') };
}

/** Treatments race as in nn diagnose: after the third seed and each that follows those go on that are ahead of the baseline, and may still be the best
 *  (raceDecision) or seem to help (p < promising). How often the truly best is dropped, or the one that would have come first with all seeds; which share
 *  of trainings is saved; how much true accuracy the winner falls short of the one without a race; and how often one that does nothing is said to help. */
export function simulateRace({ repeats, accuracies, seeds, ...of }) {
  const best = accuracies.indexOf(Math.max(...accuracies));
  const found = repeat(repeats, (i) => {
    const random = namedRandom(i, `race ${JSON.stringify([accuracies, seeds, of])}`);
    const right = drawAnswers(random, { accuracies, seeds, ...of });
    const rows = right.map((answers) => answers.map((row) => mean([...row])));
    const judge = (some) =>
      gainsOf(some.map((k) => ({ baseline: right[0].slice(0, doneBy[k]), treatment: right[k].slice(0, doneBy[k]) })));
    const treatments = rows.map((_, k) => k).slice(1);
    const doneBy = rows.map(() => leastSeeds);
    let racing = treatments;
    for (let done = leastSeeds; done < seeds; done++) {
      const table = [0, ...racing].map((k) => rows[k].slice(0, done));
      const [, ...mayBeBest] = raceDecision({ accuracies: table, decisions: seeds - leastSeeds });
      const judged = judge(racing);
      racing = racing.filter((_, j) => judged[j].gain > 0 && (mayBeBest[j] || judged[j].p < promising));
      for (const k of [0, ...racing]) doneBy[k] = done + 1;
    }
    const whole = rows.map(mean);
    const winnerOf = (some) => some.reduce((lead, k) => (whole[k] > whole[lead] ? k : lead), 0);
    const judged = judge(treatments);
    const adjusted = holm(judged.map(({ p }) => p));
    const claims = treatments.filter((_, j) => judged[j].gain > 0 && adjusted[j] <= 0.05);
    const first = winnerOf(treatments);
    return {
      lostFirst: first !== 0 && !racing.includes(first),
      lostBest: best !== 0 && !racing.includes(best),
      saved: 1 - doneBy.reduce((sum, done) => sum + done, 0) / (seeds * rows.length),
      regret: accuracies[first] - accuracies[winnerOf(racing)],
      wrong: claims.some((k) => accuracies[k] <= accuracies[0]),
    };
  });
  return Object.fromEntries(Object.keys(found[0]).map((key) => [key, mean(found.map((one) => one[key]))]));
}

/** How often the interval at so many times the pictures holds the true accuracy, where the curve says something. */
export function simulateCurve({ repeats, truth, times = [2, 4, 10], whole = 800, ...of }) {
  const found = repeat(repeats, (i) => {
    const random = namedRandom(i, `curve ${truth} ${JSON.stringify(of)}`);
    const fit = fitLearningCurve(drawCurve(random, { truth: truths[truth], whole, ...of }), { judgedOn: of.dev });
    const rows = times.map((k) => {
      const { accuracy, interval } = fit.curve.accuracyAt(k * whole);
      const right = 1 - truths[truth](k * whole);
      return { covers: interval[0] <= right && right <= interval[1], width: interval[1] - interval[0], bias: accuracy - right };
    });
    return { says: fit.says, reason: fit.says ? null : fit.reason, heldOut: fit.curve.heldOut.within, rows };
  });
  const said = found.filter(({ says }) => says);
  const at = (k, rows) => ({
    coverage: mean(rows.map((one) => one.rows[k].covers)),
    width: rows.length === 0 ? Number.NaN : median(rows.map((one) => one.rows[k].width)),
    bias: mean(rows.map((one) => one.rows[k].bias)),
  });
  return {
    says: said.length / repeats,
    heldOut: mean(found.map(({ heldOut }) => heldOut)),
    said: times.map((_, k) => at(k, said)),
    all: times.map((_, k) => at(k, found)),
  };
}

/** How often answers of the bound are right less often than wanted, how many have a bound, and the share that it answers. */
export function simulateAbstention({ repeats, model, dev }) {
  const { draw, right } = confidences[model];
  const random = namedRandom(0, `abstention ${model}`);
  const population = Float64Array.from({ length: 40000 }, () => draw(random))
    .sort()
    .reverse();
  const sums = [];
  population.reduce((sum, c, i) => (sums[i] = sum + right(c)), 0);
  const answeredBy = (bound) => {
    let [low, high] = [0, population.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (population[middle] >= bound) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const found = repeat(repeats, (i) => {
    const own = namedRandom(i, `abstention ${model} ${dev}`);
    const confidence = Float64Array.from({ length: dev }, () => draw(own));
    const { confidence: bound } = abstentionBound(
      confidence,
      Uint8Array.from(confidence, (c) => (own.uniform() < right(c) ? 1 : 0)),
    );
    if (bound === null) return { has: false, broken: false, answered: 0 };
    const answered = answeredBy(bound);
    return {
      has: true,
      broken: answered > 0 && sums[answered - 1] / answered < wantedAccuracy,
      answered: answered / population.length,
    };
  });
  const most = population.findLastIndex((_, i) => sums[i] / (i + 1) >= wantedAccuracy) + 1;
  return {
    broken: mean(found.map(({ broken }) => broken)),
    has: mean(found.map(({ has }) => has)),
    answered: mean(found.map(({ answered }) => answered)),
    possible: most / population.length,
  };
}

/** Labels of which a share is flipped, judged by networks of the same skill. */
export function simulateSuspects({ repeats, pictures, networks, share, skill }) {
  const found = repeat(repeats, (i) => {
    const random = namedRandom(i, `suspects ${pictures} ${networks} ${share} ${skill}`);
    const truth = Uint8Array.from({ length: pictures }, () => (random.uniform() < 0.5 ? 1 : 0));
    const flipped = Uint8Array.from(truth, () => (random.uniform() < share ? 1 : 0));
    const labels = truth.map((label, j) => (flipped[j] ? 1 - label : label));
    const common = Float64Array.from(truth, (label) => (label ? skill : -skill) + 1.2 * random.normal());
    const p = repeat(networks, () => common.map((z) => 1 / (1 + Math.exp(-1.5 * (z + 0.6 * random.normal())))));
    const suspects = suspectLabels({ p, labels });
    const shown = suspects.suspects;
    const right = shown.filter(({ picture }) => flipped[picture]).length;
    const top = shown.slice(0, Math.max(1, Math.round(share * pictures) || 1));
    return {
      named: suspects.p < 0.05,
      noisy: areNoisy({ ...suspects, count: suspects.suspects.length }),
      shown: shown.length,
      expected: suspects.expected,
      precision: shown.length === 0 ? 1 : right / shown.length,
      recall:
        right /
        Math.max(
          1,
          flipped.reduce((sum, one) => sum + one, 0),
        ),
      top: mean(top.map(({ picture }) => flipped[picture])),
      share: suspects.share,
    };
  });
  return Object.fromEntries(Object.keys(found[0]).map((key) => [key, mean(found.map((one) => one[key]))]));
}

const settings = [
  [0.7, 0.7],
  [0.7, 0.78],
  [0.85, 0.85],
  [0.85, 0.88],
  [0.85, 0.95],
  [0.95, 0.95],
];
const twelve = (accuracy, ...others) => [accuracy, ...Array.from({ length: 12 }, (_, k) => others[k] ?? accuracy)];

const tables = {
  gain: {
    title:
      'The 95% interval of a gain: how often it holds the truth (mean and least of 6 pairs of accuracies), median width at 85% → 88%, points',
    repeats: 1000,
    rows: function* (repeats) {
      yield ['seeds', 'pictures', ...Object.keys(seedSpreads).flatMap((name) => [`${name}: holds`, 'least', 'width'])];
      for (const seeds of [3, 5, 10])
        for (const pictures of [30, 100, 300, 1000])
          yield [
            seeds,
            pictures,
            ...Object.values(seedSpreads).flatMap((seedSpread) => {
              const found = settings.map((accuracies) =>
                simulateGain({ repeats: fewer(repeats, pictures), accuracies, seeds, pictures, seedSpread }),
              );
              const coverage = found.map((one) => one.coverage);
              return [percent(mean(coverage)), percent(Math.min(...coverage)), (100 * found[3].width).toFixed(1)];
            }),
          ];
    },
  },
  limits: {
    title:
      'Where the interval of a gain has it hardest: seeds of which one in ten comes to nothing, classes weighed alike (1 : 3), and few errors with seeds that differ strongly; 85% → 88% where nothing else stands, 300 pictures',
    repeats: 1000,
    rows: function* (repeats) {
      yield ['', 'seeds', 'holds', 'width'];
      for (const [name, of] of [
        ['one in ten comes to nothing', { collapse: 0.1 }],
        ['balanced accuracy', { weigh: true, seedSpread: 0.015 }],
        ['97% → 99%, strong seeds', { accuracies: [0.97, 0.99], seedSpread: 0.05 }],
      ])
        for (const seeds of [3, 5, 10]) {
          const { coverage, width } = simulateGain({ repeats, accuracies: [0.85, 0.88], seeds, pictures: 300, ...of });
          yield [name, seeds, percent(coverage), points(width)];
        }
    },
  },
  claims: {
    title:
      'Twelve remedies beside one baseline (85%): how often one that does nothing is said to help where none helps, and where three do, by 3, 5 and 10 points; and how often each of those is found',
    repeats: 400,
    rows: function* (repeats) {
      yield ['seeds', 'pictures', 'seeds differ', 'wrong: none helps', 'three help', '+3 found', '+5', '+10', 'intervals hold'];
      for (const seeds of [3, 5, 10])
        for (const pictures of [100, 300, 1000])
          for (const [name, seedSpread] of Object.entries(seedSpreads)) {
            const of = { repeats: fewer(repeats, pictures), seeds, pictures, seedSpread };
            const { wrong, power } = simulateClaims({
              ...of,
              repeats: of.repeats >> 1,
              accuracies: twelve(0.85, 0.88, 0.9, 0.95),
            });
            const none = simulateClaims({ ...of, accuracies: twelve(0.85) });
            yield [
              seeds,
              pictures,
              name,
              percent(none.wrong),
              percent(wrong),
              ...power.map((one) => percent(one, 0)),
              percent(mean(none.coverage)),
            ];
          }
    },
  },
  together: {
    title:
      'Where none of twelve remedies is said to help, those that look best are tried together (baseline 85%): how often one alone is said to help, how often several are tried together, and how often these are said to help; where none does, and where four gain 2 points each, 8 together',
    repeats: 400,
    rows: function* (repeats) {
      const columns = ['one helps', 'together tried', 'said to help'];
      yield [
        'seeds',
        'pictures',
        'seeds differ',
        ...columns.map((one) => `none: ${one}`),
        ...columns.map((one) => `four: ${one}`),
      ];
      for (const seeds of [3, 5, 10])
        for (const pictures of [100, 300, 1000])
          for (const [name, seedSpread] of Object.entries(seedSpreads)) {
            const of = { repeats: fewer(repeats, pictures), seeds, pictures, seedSpread };
            const found = [twelve(0.85), twelve(0.85, 0.87, 0.87, 0.87, 0.87)].map((accuracies) =>
              simulateTogether({ ...of, accuracies }),
            );
            yield [
              seeds,
              pictures,
              name,
              ...found.flatMap(({ single, tried, said }) => [single, tried, said].map((one) => percent(one))),
            ];
          }
    },
  },
  uneven: {
    title:
      'Twelve remedies of which none helps, 300 pictures, where seeds differ unevenly (by 7 points where they are wild, else not at all): how often one is said to help, and how often the intervals hold, of all and of the first, which is wild if any is',
    repeats: 200,
    rows: function* (repeats) {
      yield ['', 'seeds', 'wrong claim', 'intervals hold', 'of the first'];
      for (const [name, of] of [
        ['one wild', { spreads: { 1: 0.07 } }],
        ['three wild', { spreads: { 1: 0.07, 2: 0.07, 3: 0.07 } }],
        ['the baseline wild', { spreads: { 0: 0.07 } }],
        ['one training in ten comes to nothing', { seedSpread: 0.015, collapse: 0.1 }],
      ])
        for (const seeds of [3, 5]) {
          const { wrong, coverage } = simulateClaims({ repeats, accuracies: twelve(0.85), seeds, pictures: 300, ...of });
          yield [name, seeds, percent(wrong), percent(mean(coverage)), percent(coverage[0])];
        }
    },
  },
  winner: {
    title:
      'The winner of twelve remedies: its gain as it won, measured again with as many fresh seeds on the same pictures, and by halves of dev with fresh seeds (bias in points, how often the 95% interval holds, its median width)',
    repeats: 500,
    rows: function* (repeats) {
      yield [
        '',
        'seeds',
        'pictures',
        'won: bias',
        'holds',
        'width',
        'again: bias',
        'holds',
        'width',
        'by halves: bias',
        'holds',
        'width',
      ];
      for (const [name, accuracies] of [
        ['none helps', twelve(0.85)],
        ['gains of 1, 2, 3 points', twelve(0.85, 0.86, 0.87, 0.88)],
        ['one of 6 points', twelve(0.85, 0.91)],
      ])
        for (const seeds of [3, 5])
          for (const pictures of [100, 300]) {
            const found = simulateWinner({ repeats, accuracies, seeds, freshSeeds: seeds, pictures, seedSpread: 0.015 });
            const cells = Object.values(found).flatMap(({ bias, coverage, width }) => [
              (100 * bias).toFixed(1),
              percent(coverage),
              points(width),
            ]);
            yield [name, seeds, pictures, ...cells];
          }
    },
  },
  race: {
    title:
      'Racing twelve remedies (baseline 85%, 300 pictures), decided after the third seed and each that follows: how often the truly best is dropped, or the one that would have come first on these pictures; trainings saved; true accuracy that the winner lacks, points; how often one that does nothing is said to help',
    repeats: 200,
    rows: function* (repeats) {
      yield ['', 'seeds', 'seeds differ', 'best dropped', 'first dropped', 'saved', 'lost', 'wrong claim'];
      for (const [name, accuracies] of [
        ['none helps', twelve(0.85)],
        ['gains of 1, 2, 3 points, three harm by 5', twelve(0.85, 0.86, 0.87, 0.88, 0.8, 0.8, 0.8)],
        ['one gains 6 points, six harm by 10', twelve(0.85, 0.91, ...Array(6).fill(0.75))],
      ])
        for (const seeds of [5, 10])
          for (const [spread, seedSpread] of Object.entries(seedSpreads)) {
            const { lostFirst, lostBest, saved, regret, wrong } = simulateRace({
              repeats,
              accuracies,
              seeds,
              pictures: 300,
              seedSpread,
            });
            const isNone = Math.max(...accuracies) === accuracies[0];
            yield [
              name,
              seeds,
              spread,
              isNone ? '–' : percent(lostBest),
              percent(lostFirst),
              percent(saved, 0),
              (100 * regret).toFixed(2),
              percent(wrong),
            ];
          }
    },
  },
  curve: {
    title: `Learning curves from 100, 200, 400 and 800 pictures: how often the interval at 2, 4 and 10 times 800 holds the true accuracy, of the curves that say something (median width in points); the first ${powerLaws} are power laws, the others are not`,
    repeats: 500,
    rows: function* (repeats) {
      yield ['truth', 'seeds', 'dev', 'says something', 'foretold the whole', '2×', 'width', '4×', 'width', '10×', 'width'];
      for (const truth of Object.keys(truths))
        for (const [seeds, dev] of [
          [3, 200],
          [5, 1000],
        ]) {
          const { says, heldOut, said } = simulateCurve({ repeats, truth, seeds, dev, seedSpread: 0.01 });
          yield [
            truth,
            seeds,
            dev,
            percent(says, 0),
            percent(heldOut, 0),
            ...said.flatMap(({ coverage, width }) => [percent(coverage), points(width)]),
          ];
        }
    },
  },
  abstention: {
    title:
      'Abstention: how often answers of the bound are right less than 95% of the time (at most 5% is promised), how often there is a bound, the share answered, and the share that could be with 95%',
    repeats: 2000,
    rows: function* (repeats) {
      yield ['confidences', 'dev', 'broken', 'has a bound', 'answered', 'possible'];
      for (const model of Object.keys(confidences))
        for (const dev of [60, 100, 300, 1000]) {
          const { broken, has, answered, possible } = simulateAbstention({ repeats: fewer(repeats, dev), model, dev });
          yield [model, dev, percent(broken), percent(has, 0), percent(answered, 0), percent(possible, 0)];
        }
    },
  },
  suspects: {
    title:
      'Labels of which a share is flipped, judged by 8 networks that were not trained on the pictures: how often there is a sign of it (p < 5%), how often it is the verdict, pictures shown and expected without flips, the share of those shown that are flipped, and of the flipped that are shown',
    repeats: 200,
    rows: function* (repeats) {
      yield [
        'flipped',
        'pictures',
        'accuracy',
        'sign',
        'verdict',
        'shown',
        'expected',
        'of shown',
        'of flipped',
        'estimated share',
      ];
      for (const share of [0, 0.03, 0.1])
        for (const pictures of [100, 400])
          for (const [name, skill] of [
            ['80%', 1],
            ['93%', 1.8],
          ]) {
            const found = simulateSuspects({ repeats, pictures, networks: 8, share, skill });
            yield [
              percent(share, 0),
              pictures,
              name,
              percent(found.named),
              percent(found.noisy),
              found.shown.toFixed(1),
              found.expected.toFixed(1),
              share === 0 ? '–' : percent(found.precision, 0),
              share === 0 ? '–' : percent(found.recall, 0),
              percent(found.share),
            ];
          }
    },
  },
};

/** Larger draws take longer and vary less from each other. */
function fewer(repeats, pictures) {
  return pictures > 300 ? Math.ceil(repeats / 2) : repeats;
}

function print(name, repeats) {
  const { title, rows, repeats: own } = tables[name];
  const begun = Date.now();
  const cells = [...rows(repeats ?? own)].map((row) => row.map(String));
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  const [head, ...body] = cells;
  console.log(`\n${title}. ${repeats ?? own} draws.\n`);
  console.log([line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n'));
  console.error(`${name}: ${((Date.now() - begun) / 1000).toFixed(0)} s`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [which, repeats] = process.argv.slice(2);
  console.log(`${cpus()[0].model}, Node ${process.version}`);
  for (const name of which === undefined || which === 'all' ? Object.keys(tables) : [which])
    print(name, repeats === undefined ? undefined : Number(repeats));
}
