import type { Lines } from '../lines.ts';
import type { GradientOfLayer, ModelDescription } from '../results/model.ts';
import { count, table } from './table.ts';

/** What a model file holds, for people. */
export function modelText({
  model,
  parameters,
  network,
  preprocessing,
  normalize,
  classes,
  threshold,
  loss,
  precision,
  tensors,
}: ModelDescription): Lines {
  const { imageSize, fit } = preprocessing;
  const layers = [network.inputs, ...network.layers.map(({ units }) => units)].join(' → ');
  const activations = network.layers.map(({ activation }) => activation).join(', ');
  return [
    table(
      [
        ['model', model],
        ['positive', `${classes.positive} (against ${classes.negative}), where P > ${threshold}`],
        ['pictures', `${imageSize}×${imageSize}×3, fit ${fit}, normalize ${normalize}`],
        ['network', `${layers} (${activations})`],
        ['parameters', `${count(parameters)} in ${precision}`],
        ['loss', loss],
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
