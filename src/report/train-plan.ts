import type { SplitName } from '../data/split.ts';
import type { Lines } from '../lines.ts';
import { count, plural, table } from './table.ts';

/** What a training would do: the object of `nn train --dry-run --json`. */
export interface TrainPlan {
  config: string;
  examples: Record<SplitName, { total: number; positive: number }>;
  classes: { positive: string; negative: string };
  layers: { name: string; shape: readonly [number, number]; activation: string; init: string; parameters: number }[];
  parameters: number;
  /** one a layer */
  learningRates: number[];
  /** examples a step */
  batch: number;
  epochs: number;
  /** of the first layer */
  form: { form: string; why: string };
  memoryBytes: number;
  /** what it is made of */
  memory: { what: string; bytes: number }[];
  estimatedSeconds: number;
  warnings: string[];
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
    `  first layer in ${plan.form.form} form (${plan.form.why})`,
    `  about ${count(Math.ceil(plan.memoryBytes / 2 ** 20))} MB of memory and ${duration(plan.estimatedSeconds)}`,
  ];
}

function duration(seconds: number): string {
  if (seconds < 90) return plural(Math.max(1, Math.round(seconds)), 'second');
  return seconds < 5400 ? plural(Math.round(seconds / 60), 'minute') : plural(Math.round(seconds / 3600), 'hour');
}
