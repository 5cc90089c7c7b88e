import type { Lines } from '../lines.ts';
import type { GradientOfLayer } from '../results/model.ts';
import { count, table } from './table.ts';

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
