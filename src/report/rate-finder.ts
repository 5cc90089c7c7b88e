import type { Lines } from '../lines.ts';
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

/** The plot reaches this many times above the first cost. */
const headroom = 1.25;

/** Cost against rate, and the proposal. */
export function foundRateText({ rates, costs, proposed, diverged, trials, set }: FoundRate, style: Style): Lines {
  const tried = trials.map(({ rate, cost }) => [
    `${rate}`,
    cost === null ? 'blew up' : cost.toPrecision(4),
    rate === proposed ? 'proposed' : '',
  ]);
  return [
    ...(rates.length < 2 ? [] : [ratePlot(rates, costs, proposed), '']),
    diverged === null
      ? 'At no rate did the cost blow up or a hidden layer die.'
      : `At a learning rate of ${diverged} the cost blew up, or a hidden layer died. Near it a training may still do well, with less to spare.`,
    'Short trainings from the first weights, at one rate each, came to:',
    '',
    table([['rate', 'cost', ''], ...tried], '  '),
    '',
    set === null
      ? 'No rate brought the cost down: look at initialisation and normalisation first.'
      : `${style('bold', 'Proposed')}: --set ${/[[\]]/.test(set) ? `'${set}'` : set}`,
  ];
}

function ratePlot(rates: readonly number[], costs: readonly number[], proposed: number | null): Lines {
  const shown = proposed !== null && proposed <= rates[rates.length - 1]!;
  return plotText({
    x: rates,
    y: costs,
    xTitle: 'learning rate',
    yTitle: 'cost',
    top: Math.min(Math.max(...costs), costs[0]! * headroom), // the blow-up itself would press all else flat
    mark: shown ? { x: proposed, text: `proposed: ${proposed}` } : null,
  });
}

type Style = (style: 'bold', text: string) => string;
