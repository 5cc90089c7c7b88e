import { plotText } from './plot.ts';
import { table } from './table.ts';

/** What a learning-rate range test found: with `set`, the object of `nn train --find-rate --json`. */
export interface FoundRate {
  rates: number[];
  costs: number[];
  /** null where no rate brought the cost down */
  proposed: number | null;
  /** the rate at which the cost blew up, or null */
  diverged: number | null;
  /** short trainings at one rate each, and the cost that they came to; null where that broke off */
  trials: { rate: number; cost: number | null }[];
  /** what takes the proposal over, or null */
  set: string | null;
}

/** Cost against rate, and the proposal. */
export function foundRateText({ rates, costs, proposed, diverged, trials, set }: FoundRate, style: Style): string {
  const plot = plotText({
    x: rates,
    y: costs,
    xTitle: 'learning rate',
    yTitle: 'cost',
    top: Math.min(Math.max(...costs), costs[0]! * 1.25),
    mark: proposed === null || proposed > rates[rates.length - 1]! ? null : { x: proposed, text: `proposed: ${proposed}` },
  });
  const tried = trials.map(({ rate, cost }) => [
    `${rate}`,
    cost === null ? 'broke off' : cost.toPrecision(4),
    rate === proposed ? 'proposed' : '',
  ]);
  return [
    plot,
    '',
    diverged === null ? 'The cost did not blow up at any rate.' : `The cost blew up at a learning rate of ${diverged}.`,
    'From the first weights again, each rate for 30 steps:',
    '',
    table([['rate', 'cost', ''], ...tried], '  '),
    '',
    set === null
      ? 'No rate brought the cost down: look at initialisation and normalisation first.'
      : `${style('bold', 'Proposed')}: --set ${/[[\]]/.test(set) ? `'${set}'` : set}`,
  ].join('\n');
}

type Style = (style: 'bold', text: string) => string;
