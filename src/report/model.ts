import type { Lines } from '../lines.ts';
import type { ModelDescription } from '../results/model.ts';
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
