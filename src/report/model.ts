import type { GradientOfLayer, ModelDescription } from '../results/model.ts';
import type { Break, FoundRate, TrainPlan } from '../results/summary.ts';
import type { Lines } from '../text.ts';
import { abstentionText } from './abstention.ts';
import { plotText } from './plot.ts';
import { count, plural, table } from './table.ts';

/** What a model file holds, for people. @param sizes  n_x, n_1 … n_L */
export function modelText(
  {
    model,
    parameters,
    network,
    preprocessing,
    normalize,
    classes,
    threshold,
    temperature,
    averageMirrored,
    abstention,
    loss,
    precision,
    tensors,
  }: ModelDescription,
  sizes: readonly number[],
): Lines {
  const { imageSize, fit } = preprocessing;
  const layers = sizes.join(' → ');
  const activations = network.layers
    .map(({ type, activation }) => [type, activation].flatMap((word) => word ?? []).join(' '))
    .join(', ');
  return [
    table(
      [
        ['model', model],
        ['positive', `${classes.positive} (against ${classes.negative}), where P > ${threshold}`],
        ['pictures', `${imageSize}×${imageSize}×3, fit ${fit}, normalize ${normalize}`],
        ['network', `${layers} (${activations})`],
        ['parameters', `${count(parameters)} in ${precision}`],
        ['loss', loss],
        ...(averageMirrored ? [['answers', 'the mean of P of a picture and of its mirror image']] : []),
        ...(temperature === undefined ? [] : [['calibrated', `P = σ(z / ${temperature})`]]),
        ...(abstention === null ? [] : [['--abstain', abstentionText(abstention)]]),
      ],
      '  ',
    ),
    '',
    table(
      [
        ['tensor', 'shape', 'norm'],
        ...tensors.map(({ name, shape, norm }) => [name, `(${shape.join(', ')})`, norm.toPrecision(6)]),
      ],
      '  ',
    ),
  ];
}

/** The gradient of each layer against central differences, for people. */
export function gradientCheckText(
  layers: readonly GradientOfLayer[],
  rightBelow: number,
  style: (style: 'green' | 'red', text: string) => string,
): Lines {
  const rows = layers.map(({ layer, tensors, difference, checked, skipped, right }) => [
    String(layer),
    tensors,
    difference.toExponential(2),
    count(checked),
    count(skipped),
    right ? style('green', 'right') : style('red', 'WRONG'),
  ]);
  const wrong = layers.filter(({ right }) => !right).map(({ layer }) => layer);
  return [
    '  ‖g − ĝ‖ / (‖g‖ + ‖ĝ‖), with ĝ from central differences in float64',
    '',
    table([['layer', 'tensors', 'difference', 'checked', 'at a kink', ''], ...rows], '  '),
    '',
    wrong.length === 0
      ? `  All below ${rightBelow}, or as near as rounding lets one see: the gradients are right.`
      : `  Layer ${wrong.join(', ')}: the gradient is wrong. Please report it.`,
  ];
}

export function planText(plan: TrainPlan): Lines {
  const { positive, negative } = plan.classes;
  const parts = (['train', 'dev', 'test'] as const).filter((part) => plan.examples[part].total > 0);
  const examples = parts.map((part) => {
    const { total, positive } = plan.examples[part];
    return [part, count(total), count(positive), count(total - positive)];
  });
  const layers = plan.layers.map(({ name, shape, activation, init, parameters }) => [
    name,
    `${shape[1]} → ${shape[0]}`,
    activation,
    init,
    count(parameters),
  ]);
  return [
    table([['', 'pictures', positive, negative], ...examples], '  '),
    '',
    table([['layer', 'shape', 'activation', 'init', 'parameters'], ...layers, ['', '', '', '', count(plan.parameters)]], '  '),
    '',
    `  ${plural(plan.epochs, 'epoch')} in batches of ${count(plan.batch)} with learning rate ${[...new Set(plan.learningRates)].join(', ')}`,
    ...plan.stages.map(({ side, lastEpoch }) => `  images of ${side} × ${side} up to epoch ${count(lastEpoch)}`),
    `  first layer in ${plan.form.form} form (${plan.form.why})`,
    `  about ${count(Math.ceil(plan.memoryBytes / 2 ** 20))} MB of memory and ${duration(plan.estimatedSeconds)}`,
  ];
}

function duration(seconds: number): string {
  if (seconds < 90) return plural(Math.max(1, Math.round(seconds)), 'second');
  return seconds < 5400 ? plural(Math.round(seconds / 60), 'minute') : plural(Math.round(seconds / 3600), 'hour');
}

/** The plot reaches this many times above the first cost. */
const headroom = 1.25;

const breaks: Record<Break, { inSweep: string; inTrial: string }> = {
  rose: {
    inSweep: 'the cost rose above its least by more than half of its start, and stayed there',
    inTrial: 'broke: its cost rose above three times its start',
  },
  died: { inSweep: 'a hidden layer gave 0 for every picture', inTrial: 'broke: a hidden layer gave 0 for every picture' },
  overflowed: { inSweep: 'numbers overflowed', inTrial: 'broke: numbers overflowed' },
};

/** Cost against rate, and the proposal. */
export function foundRateText(found: FoundRate, style: Style): Lines {
  const { rates, proposed, diverged, broke, trials, steps, set } = found;
  const tried = trials.map(({ rate, cost, broke: how }) => [
    `${rate}`,
    cost === null ? '–' : cost.toPrecision(4),
    how === null ? (rate === proposed ? 'proposed' : '') : breaks[how].inTrial,
  ]);
  return [
    ...(rates.length < 2 ? [] : [ratePlot(found), '']),
    `The line is a range test: one training whose rate rises with every step. ${
      diverged === null ? 'It broke at no rate.' : `It broke at ${diverged}: ${breaks[broke!].inSweep}.`
    }`,
    `Each ● is a training of its own, of ${steps} steps from the first weights at one rate, and the highest of its last costs (× where it broke):`,
    '',
    table([['rate', 'cost', ''], ...tried], '  '),
    '',
    ...(set === null
      ? ['No rate brought the cost down: look at initialisation and normalisation first.']
      : [choice(found), '', `${style('bold', 'Proposed')}: --set ${/[[\]]/.test(set) ? `'${set}'` : set}`]),
  ];
}

/** Why this rate, and not that at which the line is lowest. */
function choice({ rates, smoothed, proposed, trials }: FoundRate): string {
  const least = rates[smoothed.indexOf(Math.min(...smoothed))]!;
  const broken = trials.filter(({ broke }) => broke !== null).map(({ rate }) => rate);
  const below = broken.length > 0 ? `Of the rates below those that broke, ${proposed}` : `${proposed}`;
  const why = `${below} came lowest.`;
  if (least <= proposed! * justAbove) return why;
  return `${why} The line is lowest at ${least}, but reaches it when smaller rates have done the work; a training does not begin there.`;
}

/** Rates of the line this near the proposal are it. */
const justAbove = 1.3;

function ratePlot({ rates, smoothed, proposed, trials }: FoundRate): Lines {
  return plotText({
    x: rates,
    y: smoothed,
    xTitle: 'learning rate',
    yTitle: 'cost',
    top: Math.min(Math.max(...smoothed), smoothed[0]! * headroom), // the blow-up itself would press all else flat
    mark: proposed === null ? null : { x: proposed, text: `proposed: ${proposed}` },
    points: trials.map(({ rate, cost }) => ({ x: rate, y: cost })),
  });
}

type Style = (style: 'bold', text: string) => string;
