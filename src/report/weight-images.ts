import type { Classifier } from '../classifier/classifier.ts';
import { opsOf } from '../nn/build.ts';
import { pngUrl } from './png.ts';
import type { WeightImages } from './run-report.ts';

/** Units that are shown, those with the largest weights. */
const mostUnits = 12;

/** The rows of W1 as pictures: grey is 0, brighter speaks for the unit, darker against it, each colour for itself. Weights are taken for a
 *  brightness of 0 to 255 (W · scale), so that normalisation does not hide which pixels count.
 *  @returns null where the first op has no weights for each pixel */
export function weightImages({ network, parameters, scaling, classes }: Classifier): WeightImages | null {
  const first = opsOf(network)[0]!.tensors.find(({ decayed, shape }) => decayed && shape[1] === network.inputs);
  if (first === undefined) return null;
  const weights = parameters.tensors[first.name]!;
  const [units, inputs] = first.shape;
  const rows = Array.from({ length: units }, (_, unit) => {
    const row = Float64Array.from({ length: inputs }, (_, i) => weights[unit * inputs + i]! * scaling.scale[i]!);
    return { unit, row, norm: Math.sqrt(row.reduce((sum, w) => sum + w * w, 0)) };
  }).sort((a, b) => b.norm - a.norm);
  const side = Math.round(Math.sqrt(inputs / 3));
  const isLogistic = network.layers.length === 1;
  const shown = rows.slice(0, mostUnits);
  return {
    text: isLogistic
      ? `The weight of each pixel and colour: where it is brighter than grey, a brighter pixel speaks for ${classes.positive}; where darker, against it.`
      : `The weights of ${shown.length < units ? `the ${shown.length} strongest of ${units} units` : `${units === 1 ? 'the unit' : `all ${units} units`}`}: where it is brighter than grey, a brighter pixel drives the unit up; where darker, down.`,
    images: shown.map(({ unit, row }) => ({
      source: pngUrl(greyAroundZero(row), side),
      text: isLogistic ? 'weights' : `unit ${unit + 1}`,
    })),
  };
}

/** Deviations that fill the range from black to white. */
const shownDeviations = 3;

function greyAroundZero(row: Float64Array): Uint8Array {
  const deviation = Math.sqrt(row.reduce((sum, w) => sum + w * w, 0) / row.length) || 1;
  return Uint8Array.from(row, (w) => Math.min(255, Math.max(0, Math.round(127.5 + (w / (shownDeviations * deviation)) * 127.5))));
}
