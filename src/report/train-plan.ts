import type { Lines } from '../lines.ts';
import type { TrainPlan } from '../results/summary.ts';
import { count, plural, table } from './table.ts';

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
    `  first layer in ${plan.form.form} form (${plan.form.why})`,
    `  about ${count(Math.ceil(plan.memoryBytes / 2 ** 20))} MB of memory and ${duration(plan.estimatedSeconds)}`,
  ];
}

function duration(seconds: number): string {
  if (seconds < 90) return plural(Math.max(1, Math.round(seconds)), 'second');
  return seconds < 5400 ? plural(Math.round(seconds / 60), 'minute') : plural(Math.round(seconds / 3600), 'hour');
}
