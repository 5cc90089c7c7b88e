import type {
  MeasuredCurve,
  MeasuredDiagnosis,
  MeasuredGain,
  MeasuredMeter,
  MeasuredSuspects,
  MeasuredVerdict,
  TriedRemedy,
} from '../results/experiments.ts';
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

/** What the verdict means, and what speaks for it. */
export function verdictWords(found: MeasuredDiagnosis): string[] {
  const { verdict } = found;
  const all: readonly MeasuredVerdict[] = [verdict.code, ...verdict.also];
  return [
    reasons[verdict.code](found),
    ...verdict.also.map((code) => `It holds as well: ${lowered(headlines[code])}. ${reasons[code](found)}`),
    ...(all.includes('nothing helps') || all.includes('not enough time') ? [measuredText(found)] : []),
  ];
}

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
    `About ${percent(suspects!.share)} of the labels contradict what networks see that never trained on those pictures. Look at the suspect ones first: a network that learns wrong labels learns them by heart.`,
  'network too small': (found) => {
    const best = helping(found, ['larger', 'deeper', 'convolution']);
    return `${measuredText(found)} It cannot tell apart even what it trains on${best === undefined ? '' : `; it gains ${gainText(best)} by: ${best.title}`}.`;
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
    return `The network can do more than it has learnt by the end of the training${best === undefined ? '' : `: ${best.title} gains ${gainText(best)}`}.`;
  },
  overfits: (found) => {
    const best = found.remedies.find(({ effect, id }) => effect === 'helps' && id !== 'combination');
    return `${measuredText(found)} It learns its training pictures by heart${best === undefined ? '' : `; against that, ${best.title} gains ${gainText(best)}`}.`;
  },
  'too little data': (found) => {
    const four = found.curve?.foretold.find(({ times }) => times === 4);
    const more =
      four === undefined
        ? ''
        : ` Four times the pictures would come to about ${percent(four.accuracy)} (${percentRange(four.interval)}).`;
    return `${measuredText(found)} ${plural(found.evaluatedOn.train, 'picture')} to train on leave it room to learn by heart.${more}`;
  },
  'nothing helps': () =>
    'Differences as large as those below come about by chance alone. Other ideas, more pictures, or more seeds (they make the intervals narrower) are what is left.',
  'not enough time': ({ baseline }) =>
    `One training takes ${baseline.seconds === null ? 'too long' : `about ${baseline.seconds.toFixed(0)} s`}: give it more --minutes, or diagnose fewer epochs.`,
};

const helping = ({ remedies }: MeasuredDiagnosis, ids: readonly string[]) =>
  remedies.find(({ id, effect }) => effect === 'helps' && ids.includes(id));

/** How the config does as it is. */
export function baselineText({ baseline, evaluatedOn }: MeasuredDiagnosis): string {
  const { accuracy, interval, seeds, trainError } = baseline;
  const range = interval === null ? '' : ` (95% interval ${percentRange(interval)})`;
  const train = trainError === null ? '' : `, and on ${percent(1 - trainError)} of the pictures that it trains on`;
  return `As it is, the config is right on ${percent(accuracy)}${range} of the ${plural(evaluatedOn.pictures, 'picture')} of ${judgeName(evaluatedOn)}${train}: the mean of ${plural(seeds, 'training')}. Always answering the larger class would be right on ${percent(evaluatedOn.largerClass)}.`;
}

/** How the table is to be read. */
export function tableNote({ remedies, baseline }: MeasuredDiagnosis): string {
  return `Each remedy is the config with that one change, trained with the same seeds and judged by the same pictures as the config as it is (${plural(baseline.seeds, 'seed')}). Gains are in points of accuracy. "Helps" means that chance alone would make one of ${plural(remedies.length, 'remedy', 'remedies')} look so good less than once in twenty diagnoses; the interval is of the single remedy.`;
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

/** Whether the gain of the proposal stands where nothing was chosen. */
export function proposalDoubt({ proposal }: MeasuredDiagnosis): string[] {
  const honest = proposal?.test ?? proposal?.again ?? null;
  if (honest === null) return [];
  if (honest.interval === null) return ['Too few fresh seeds to tell whether that holds.'];
  const where = proposal?.test ? 'test' : 'fresh seeds';
  if (honest.interval[0] > 0) return [];
  if (honest.interval[1] < 0) return [`By ${where} it does worse than the config as it is: do not take it.`];
  return [`By ${where} alone it could still be chance: too few pictures there to tell.`];
}

const silences: Record<NonNullable<MeasuredCurve['reason']>, string> = {
  'too few': 'The learning curve says nothing: too few shares of the pictures were trained on.',
  'no power law': 'The learning curve says nothing: accuracy does not rise with the pictures as such curves do.',
  'foretold wrong': 'The learning curve says nothing: what half of the pictures foretold of all of them did not come true.',
  'too wide': 'The learning curve says nothing: with twice the pictures almost anything could come of it.',
};

export function curveWords({ curve }: MeasuredDiagnosis): string[] {
  if (curve === null) return [];
  const { heldOut, reason, foretold, prices, asymptote } = curve;
  if (reason !== null) return [silences[reason]];
  const held = heldOut
    ? [
        `The curve up to a half foretold the whole within ${Math.abs(100 * (heldOut.foretold - heldOut.observed)).toFixed(1)} points.`,
      ]
    : [];
  const more = foretold.map(
    ({ times, pictures, accuracy, interval }) =>
      `${timesWord(times)} the pictures (${count(pictures)}) would come to ${percent(accuracy)} (${percentRange(interval)}).`,
  );
  return [...held, ...more, ...prices.map((price) => priceText(price, asymptote!.accuracy))];
}

const timesWord = (times: number) => ({ 2: 'Twice', 4: 'Four times', 10: 'Ten times' })[times] ?? `${times} times`;

function priceText({ accuracy, answer, more, interval }: MeasuredCurve['prices'][number], asymptote: number): string {
  const target = percent(accuracy, 0);
  if (answer === 'out of reach')
    return `${target} is out of reach for this network, whatever the number of pictures: it tends to ${percent(asymptote, 0)}.`;
  if (answer === 'unknown')
    return `Whether any number of pictures brings ${target} is not known: this network tends to ${percent(asymptote, 0)}, give or take.`;
  const [low, high] = interval!;
  const range = high === null ? `${rounded(low)} or more, without a bound` : `${rounded(low)} to ${rounded(high)}`;
  return `${target} needs about ${rounded(more!)} more pictures (${range}).`;
}

/** Two digits of a number that is known no better. */
const rounded = (n: number) => count(Number(n.toPrecision(2)));

export function meterWords({ meter }: { meter: MeasuredMeter | null }): string[] {
  if (meter === null) return [];
  const { count: n, below, equal, present, mean, spread, range, verdict } = meter;
  const where = `The present division into parts comes to ${percent(present)}; of ${plural(n, 'other division')} of the same pictures ${below} come to less${equal > 0 ? `, ${equal} to the same` : ''} (mean ${percent(mean)}, standard deviation ${(100 * spread).toFixed(1)} points).`;
  const luck = {
    typical: `It is a typical one. One more division could come to anything from ${percentRange(range)}: differences within that say nothing where parts differ.`,
    lucky: 'It is a lucky one: its figures are better than those of other divisions.',
    unlucky: 'It is an unlucky one: its figures are worse than those of other divisions.',
  }[verdict];
  return [where, luck];
}

export function suspectWords({ suspects }: { suspects: MeasuredSuspects | null }): string[] {
  if (suspects === null) return [];
  const { list, share, p, expected, judged } = suspects;
  const who = `Of ${plural(judged, 'picture')} each was judged by several networks that did not train on it.`;
  if (list.length === 0) return [`${who} There is none for which all of them say with confidence something else than the label.`];
  const look = `Look at ${list.length === 1 ? 'this picture' : `these ${plural(list.length, 'picture')}`} first: all networks say something else than the label, with confidence.`;
  const much =
    p < 0.05
      ? `By this about ${percent(share)} of all labels are wrong.`
      : 'That may well be the networks’ fault, and not the labels’.';
  return [`${look} ${who} Were all labels right, there would be about ${expected.toFixed(1)} such pictures. ${much}`];
}
