import { areNoisy } from '../evaluation/suspect-labels.ts';
import type {
  MeasuredCurve,
  MeasuredDiagnosis,
  MeasuredGain,
  MeasuredMeter,
  MeasuredSuspects,
  MeasuredVerdict,
  TriedRemedy,
} from '../results/experiments.ts';
import { shellWord } from '../text.ts';
import { count, percent, percentRange, plural } from './table.ts';

/** What a diagnosis found in sentences, for the terminal and for a page. */

/** +2.1 */
export const points = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;
export const pointsRange = ([low, high]: readonly [number, number]) => `${points(low)} to ${points(high)}`;

/** +2.1 points (+0.3 to +3.9) */
export function gainText({ gain, interval }: Pick<MeasuredGain, 'gain' | 'interval'>): string {
  return `${points(gain)} points${interval === null ? ' (too few seeds for an interval)' : ` (${pointsRange(interval)})`}`;
}

const judgeName = ({ part, folds }: MeasuredDiagnosis['evaluatedOn']) => (part === 'dev' ? 'dev' : `the ${folds} folds of train`);

export function firstLine({ evaluatedOn }: MeasuredDiagnosis): string[] {
  const { part, folds, metric } = evaluatedOn;
  return [
    ...(part === 'folds'
      ? [`There is no dev part: everything is judged by ${folds} folds of train, each by networks that did not train on it.`]
      : []),
    ...(metric === 'balanced accuracy'
      ? [
          'One class is far smaller than the other, so that accuracy would hide it: in all figures both classes count the same (balanced accuracy).',
        ]
      : []),
  ];
}

const headlines: Record<MeasuredVerdict, string> = {
  'learning rate too high': 'The learning rate is too high',
  'label noise': 'Some labels are wrong',
  'network too small': 'The network is too small',
  'trained too little': 'It is trained too little',
  overfits: 'It overfits',
  'too little data': 'There is too little data',
  'nothing helps': 'Nothing that was tried helps beyond chance',
  'not enough time': 'There was not enough time to try anything',
};

export const headlineOf = ({ verdict }: MeasuredDiagnosis) => headlines[verdict.code];

/** Verdicts that the errors on train and on other pictures speak for, or that leave a reader with nothing but those. */
const toldByErrors: ReadonlySet<MeasuredVerdict> = new Set([
  'network too small',
  'overfits',
  'too little data',
  'nothing helps',
  'not enough time',
]);

/** What the verdict means, and what speaks for it. */
export function verdictWords(found: MeasuredDiagnosis): string[] {
  const { verdict, proposal } = found;
  const all: readonly MeasuredVerdict[] = [verdict.code, ...verdict.also];
  const test = proposal?.test ?? null;
  return [
    ...(all.some((code) => toldByErrors.has(code)) ? [measuredText(found)] : []),
    reasons[verdict.code](found),
    ...verdict.also.map((code) => `Besides, ${lowered(headlines[code])}. ${reasons[code](found)}`),
    ...(test === null ? [] : [`On test, what is proposed below gains ${gainText(test)}.`]),
  ];
}

const isNoisy = ({ verdict: { code, also } }: MeasuredDiagnosis) => code === 'label noise' || also.includes('label noise');

const lowered = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

function measuredText({ baseline, evaluatedOn, verdict }: MeasuredDiagnosis): string {
  if (baseline.trainError === null) return 'Every training diverged.';
  const far = (verdict.variance ?? 0) > 0.05;
  return `It gets ${percent(baseline.trainError)} of its own training pictures wrong, and ${percent(1 - baseline.accuracy)} of ${judgeName(evaluatedOn)}${far ? '' : ', which is not far apart'}.`;
}

const reasons: Record<MeasuredVerdict, (found: MeasuredDiagnosis) => string> = {
  'learning rate too high': ({ baseline, remedies }) => {
    const best = remedies.find(({ id, effect }) => (id === 'smaller-rate' || id === 'automatic-rate') && effect === 'helps');
    const diverged = baseline.diverged > 0 ? `${baseline.diverged} of ${plural(baseline.seeds, 'training')} diverged. ` : '';
    const gains = best === undefined ? '' : ` The ${best.title} alone gains ${gainText(best)}.`;
    return `${diverged}Each step throws the weights past what they should find.${gains} Mend that first: it hides all else.`;
  },
  'label noise': ({ suspects }) =>
    `Networks that never trained on a picture contradict its label, with confidence, far more often than they err: by that about ${percent(suspects!.share, 0)} of all labels are wrong. Correct the labels first: wrong ones in train are learnt by heart, and wrong ones in dev hide what helps.`,
  'network too small': (found) => {
    const best = helping(found, ['larger', 'deeper', 'convolution']);
    return `It cannot learn even the pictures that it trains on${byDev(best)}.`;
  },
  'trained too little': (found) => {
    const best = helping(found, [
      'larger-rate',
      'longer',
      'optimizer',
      'mini-batches',
      'normalisation',
      'batch-norm',
      'less-regularisation',
    ]);
    return `The network can do more than it has learnt by the end of the training${byDev(best)}.`;
  },
  overfits: (found) => {
    const best = found.remedies.find(({ effect, id }) => effect === 'helps' && id !== 'combination');
    return `It learns its training pictures by heart${byDev(best)}.`;
  },
  'too little data': (found) => {
    const four = found.curve?.foretold.find(({ times }) => times === 4);
    const more =
      four === undefined
        ? ''
        : ` Four times as many would come to about ${percent(four.accuracy)} (${percentRange(four.interval)}).`;
    return `With ${plural(found.evaluatedOn.train, 'picture')} to train on, the network can learn them by heart.${more}`;
  },
  'nothing helps': () =>
    'Differences as large as those below come about by chance alone. Other ideas, more pictures, or more seeds (they make the intervals narrower) are what is left.',
  'not enough time': ({ baseline }) =>
    `One training takes ${baseline.seconds === null ? 'too long' : `about ${baseline.seconds.toFixed(0)} s`}: give it more --minutes, or diagnose fewer epochs.`,
};

const helping = ({ remedies }: MeasuredDiagnosis, ids: readonly string[]) =>
  remedies.find(({ id, effect }) => effect === 'helps' && ids.includes(id));

/** What chose it flatters it, so the figure says where it is from. */
const byDev = (best: TriedRemedy | undefined) =>
  best === undefined ? '' : `: ${best.title} gains ${gainText(best)} on the pictures that chose it`;

/** How the config does as it is. */
export function baselineText({ baseline, evaluatedOn }: MeasuredDiagnosis): string {
  const { accuracy, interval, seeds, trainError } = baseline;
  const range = interval === null ? '' : ` (95% interval ${percentRange(interval)})`;
  const train = trainError === null ? '' : `, and ${percent(1 - trainError)} of its training pictures`;
  return `Trained on ${plural(evaluatedOn.train, 'picture')}, the config as it is gets ${percent(accuracy)}${range} of the ${plural(evaluatedOn.pictures, 'picture')} of ${judgeName(evaluatedOn)} right${train}: the mean of ${plural(seeds, 'training')}. Always answering the class that is more frequent would get ${percent(evaluatedOn.largerClass)}.`;
}

/** How the table is to be read. */
export function tableNote({ remedies, baseline }: MeasuredDiagnosis): string {
  const single = remedies.filter(({ id }) => id !== 'combination').length;
  const several = remedies.find(({ id }) => id === 'combination');
  const fewer = remedies.some(({ seeds }) => seeds < baseline.seeds) ? '; those that fell behind have fewer' : '';
  const combined = several ? `, but for "${several.title}"` : '';
  return `Each remedy is the config with one change${combined}, trained with the same seeds and judged by the same pictures as the config as it is (${plural(baseline.seeds, 'seed')}${fewer}). Gains are in points of accuracy. "Helps" and "hurts" allow for ${plural(single, 'try', 'tries')} (Holm): by chance alone one of them would be said so less than once in twenty diagnoses. An interval is of its own row, so it may leave out 0 and still be chance among so many. Where "could be chance" has a narrow interval there is little to gain; where it is wide nobody knows.`;
}

export const timesText = ({ timesAsLong }: Pick<TriedRemedy, 'timesAsLong'>) =>
  timesAsLong === null ? '' : `${timesAsLong < 10 ? timesAsLong.toFixed(1) : timesAsLong.toFixed(0)} ×`;

/** What the proposal gains, and how honest each figure is. */
export function proposalWords({ proposal, evaluatedOn }: MeasuredDiagnosis): { figure: string; means: string }[] {
  if (proposal === null) return [];
  const { chosenBy, again, test } = proposal;
  return [
    { figure: gainText(chosenBy), means: 'by what chose it: the best of many looks better than it is' },
    ...(again === null
      ? []
      : [
          {
            figure: gainText(again),
            means: `by ${plural(again.seeds, 'fresh seed')}, each half of ${judgeName(evaluatedOn)} judging what the other half chose`,
          },
        ]),
    ...(test === null
      ? []
      : [
          {
            figure: gainText(test),
            means: `on test (${plural(test.pictures, 'picture')}), read once, now: from ${percent(test.before.accuracy)} to ${percent(test.after.accuracy)}. Believe this one`,
          },
        ]),
  ];
}

type Proposed = NonNullable<MeasuredDiagnosis['proposal']>;
/** The gain where nothing was chosen. */
const honestOf = ({ test, again }: Proposed) => test ?? again;
const doesWorse = (proposal: Proposed) => (honestOf(proposal)?.interval?.[1] ?? 0) < 0;

/** Whether the gain of the proposal stands where nothing was chosen. */
export function proposalDoubt({ proposal }: MeasuredDiagnosis): string[] {
  const honest = proposal && honestOf(proposal);
  if (honest === null) return [];
  if (honest.interval === null) return ['Too few fresh seeds to tell whether that holds.'];
  const where = proposal?.test ? 'test' : 'fresh seeds';
  if (honest.interval[0] > 0) return [];
  if (doesWorse(proposal!)) return [`By ${where} it does worse than the config as it is: do not take it.`];
  return [`By ${where} alone it could still be chance: too few pictures there to tell.`];
}

const silences: Record<NonNullable<MeasuredCurve['reason']>, string> = {
  'too few': 'The learning curve says nothing: too few shares of the pictures were trained on.',
  'no power law': 'The learning curve says nothing: accuracy does not rise with the pictures as such curves do.',
  'foretold wrong': 'The learning curve says nothing: what half of the pictures foretold of all of them did not come true.',
  'too wide': 'The learning curve says nothing: with twice the pictures almost anything could come of it.',
};

export function curveWords(found: MeasuredDiagnosis): string[] {
  const { curve, proposal, suspects } = found;
  if (curve === null) return [];
  const { heldOut, reason, foretold, prices, asymptote } = curve;
  if (reason !== null) return [silences[reason]];
  const held = heldOut
    ? [
        `Fitted to the smaller shares alone, the curve predicted the accuracy with all pictures within ${Math.abs(100 * (heldOut.foretold - heldOut.observed)).toFixed(1)} points.`,
      ]
    : [];
  const more = foretold.map(
    ({ times, pictures, accuracy, interval }) =>
      `${timesWord(times)} the pictures (${count(pictures)}) would come to ${percent(accuracy)} (${percentRange(interval)}).`,
  );
  return [
    ...held,
    ...more,
    ...prices.map((price) => priceText(price, { asymptote: asymptote!.accuracy, present: curve.points.at(-1)!.pictures })),
    ...(isNoisy(found)
      ? [
          `All this is judged by labels of which about ${percent(suspects!.share, 0)} are wrong: against those even a faultless network errs.`,
        ]
      : []),
    ...(proposal === null ? [] : ['All this is of the config as it is, not of what is proposed.']),
  ];
}

const timesWord = (times: number) => ({ 2: 'Twice', 4: 'Four times', 10: 'Ten times' })[times] ?? `${times} times`;

/** Beyond so many times the pictures that there are no number is told. */
const farthest = 10;

/** @param of.present  pictures that were trained on */
function priceText(
  { accuracy, answer, more, interval }: MeasuredCurve['prices'][number],
  { asymptote, present }: { asymptote: number; present: number },
): string {
  const target = percent(accuracy, 0);
  if (answer === 'out of reach')
    return `${target} is out of reach for this network, whatever the number of pictures: it tends to ${percent(asymptote, 0)}.`;
  if (answer === 'unknown')
    return `Whether any number of pictures brings ${target} is not known: this network tends to some ${percent(asymptote, 0)}.`;
  const [low, high] = interval!;
  const least = low === 0 ? 'perhaps none' : `at least ${rounded(low)}`;
  if (present + more! > farthest * present)
    return `${target} needs more than ${farthest} times the pictures that there are (${least} more).`;
  const range = high === null ? `${least}, and nobody knows how many at most` : `${rounded(low)} to ${rounded(high)}`;
  return `${target} needs about ${rounded(more!)} more pictures (${range}).`;
}

/** Two digits of a number that is known no better. */
const rounded = (n: number) => count(Number(n.toPrecision(2)));

export function meterWords({ meter }: { meter: MeasuredMeter | null }): string[] {
  if (meter === null) return [];
  const { count: n, below, equal, present, mean, spread, range, verdict } = meter;
  const where = `Trained once, with the same seed, on the present division into train and dev and on ${plural(n, 'other')} of the same pictures: the present one comes to ${percent(present)}, ${below} of the others to less${equal > 0 ? `, ${equal} to the same` : ''} (mean ${percent(mean)}, standard deviation ${(100 * spread).toFixed(1)} points).`;
  const luck = {
    typical: `That is nothing unusual. 95 of 100 divisions would come to ${percentRange(range)}: do not compare figures of two divisions that lie no farther apart.`,
    lucky: 'It is a lucky one: its figures are better than those of other divisions.',
    unlucky: 'It is an unlucky one: its figures are worse than those of other divisions.',
  }[verdict];
  return [where, luck];
}

export function suspectWords({ suspects }: { suspects: MeasuredSuspects | null }): string[] {
  if (suspects === null) return [];
  const { list, share, p, error, expected, judged } = suspects;
  const who = `Of ${plural(judged, 'picture')} each was judged by several networks that did not train on it.`;
  if (list.length === 0) return [`${who} There is none for which all of them say with confidence something else than the label.`];
  const some = list.length === 1 ? 'this picture' : `these ${plural(list.length, 'picture')}`;
  const contradicted = `all networks say something else than the label, with confidence, where about ${expected.toFixed(expected < 10 ? 1 : 0)} would be like that were all labels right`;
  if (p >= 0.05) return [`${who} There is no sign of wrong labels: of ${some} ${contradicted}. Networks err, too.`];
  if (!areNoisy({ ...suspects, count: list.length }))
    return [
      `Look at ${some}: ${contradicted}. ${who} These may be wrong labels, or pictures that are hard to all such networks, which contradict ${percent(error, 0)} of all labels together: whoever looks will see.`,
    ];
  return [
    `Look at ${some} first: ${contradicted}. ${who} They find only a part of the wrong ones: about ${percent(share, 0)} of all labels are wrong.`,
    'What do those have in common: a folder, a number, who labelled them? Correct them where the labels are from, in dev and test too.',
  ];
}

/** What to do where there is nothing to train, and what comes after what is proposed. */
export function nextWords(found: MeasuredDiagnosis): { text: string; command: string | null }[] {
  const { proposal, config, remedies } = found;
  const again = (file: string) => `nn diagnose --config ${shellWord(file)}`;
  const labels = isNoisy(found)
    ? [{ text: 'Correct the labels, the suspect ones below first; then ask again:', command: again(config) }]
    : [];
  if (proposal !== null && doesWorse(proposal)) return labels;
  if (proposal !== null)
    return [
      ...labels,
      {
        text: 'After that, ask what would help the new config: what did nothing for the old one may help it.',
        command: again(proposal.config),
      },
    ];
  const why = remedies.length === 0 ? 'Nothing was tried' : 'Nothing that was tried helps beyond chance';
  return [...labels, { text: `${why}, so no config is proposed. Test was not read, and can still judge.`, command: null }];
}
