import type { Classifier } from '../classifier/classifier.ts';
import { opsOf } from '../nn/build.ts';
import { pngUrl } from './png.ts';
import type { WeightImages } from './run-report.ts';
import { plural } from './table.ts';

/** Units or filters that are shown, those with the largest weights. */
const mostShown = 16;

/** The rows of W1 as pictures: grey is 0, brighter speaks for the unit, darker against it, each colour for itself. Weights of pixels are taken for a
 *  brightness of 0 to 255 (W · scale), so that normalisation does not hide which pixels count; those of a convolution meet pixels of every place, and stand as they are.
 *  @returns null where the rows are no squares in three colours */
export function weightImages({ network, parameters, scaling, classes }: Classifier): WeightImages | null {
  const [op] = opsOf(network);
  const first = op!.tensors.find(({ decayed }) => decayed)!;
  const weights = parameters.tensors[first.name]!;
  const [units, inputs] = first.shape;
  const side = Math.round(Math.sqrt(inputs / 3));
  if (side * side * 3 !== inputs) return null;
  const isWhole = inputs === network.inputs;
  const rows = Array.from({ length: units }, (_, unit) => {
    const row = Float64Array.from({ length: inputs }, (_, i) => weights[unit * inputs + i]! * (isWhole ? scaling.scale[i]! : 1));
    return { unit, row, norm: Math.sqrt(row.reduce((sum, w) => sum + w * w, 0)) };
  }).sort((a, b) => b.norm - a.norm);
  const shown = rows.slice(0, mostShown);
  const kind = isWhole ? 'unit' : 'filter';
  const which = `${shown.length < units ? `the ${shown.length} strongest of ${units} ${kind}s` : plural(units, kind)}`;
  const isLogistic = network.layers.length === 1;
  return {
    text: isLogistic
      ? `The weight of each pixel and colour: where it is brighter than grey, a brighter pixel speaks for ${classes.positive}; where darker, against it.`
      : `The weights of ${which}${isWhole ? '' : `, each a window of ${side} × ${side} pixels that is held against every place of the picture`}: where it is brighter than grey, a brighter pixel drives it up; where darker, down.`,
    images: shown.map(({ unit, row }) => ({
      source: pngUrl(greyAroundZero(row), side),
      text: isLogistic ? 'weights' : `${kind} ${unit + 1}`,
    })),
  };
}

/** Deviations that fill the range from black to white. */
const shownDeviations = 3;

function greyAroundZero(row: Float64Array): Uint8Array {
  const deviation = Math.sqrt(row.reduce((sum, w) => sum + w * w, 0) / row.length) || 1;
  return Uint8Array.from(row, (w) => Math.min(255, Math.max(0, Math.round(127.5 + (w / (shownDeviations * deviation)) * 127.5))));
}
