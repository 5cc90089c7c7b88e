import type { NormalizerName } from '../data/normalize.ts';
import { UserError } from '../errors.ts';
import type { InputScaling } from '../kernels/kernels.ts';
import { type Network, opsOf } from '../nn/build.ts';
import { parameterSpecs } from '../nn/network.ts';

/** A part of a training that sees smaller images: the same weights at every side, at a fraction of the multiplications.
 *  @see Howard 2018, "progressive resizing"; Touvron et al. 2019, "Fixing the train-test resolution discrepancy" */
export interface Stage {
  /** of its images, in pixels */
  side: number;
  /** the last epoch that it has, from 1 */
  lastEpoch: number;
  /** the layers of the training's network on its images */
  network: Network;
}

/** `training.progressive`: images of that side up to that share of the epochs. */
export type Progressive = readonly { side: number; until: number }[];

const channels = 3;

/** The stages before the images are whole.
 *  @throws UserError (usage) where weights would depend on the side, or a layer has no room */
export function stagesOf(
  progressive: Progressive,
  whole: Network,
  training: { epochs: number; normalize: NormalizerName },
): Stage[] {
  const { epochs, normalize } = training;
  if (progressive.length > 0 && (normalize === 'mean' || normalize === 'standardize'))
    throw new UserError(
      'usage',
      `training.progressive: expected a normalisation that is the same at every pixel, found data.normalize ${JSON.stringify(normalize)}`,
      { hint: 'Set data.normalize=standardizeChannels.' },
    );
  return progressive.map(({ side, until }, i) => {
    const network = { ...whole, inputs: side * side * channels };
    try {
      refuseOtherWeights(network, whole, side);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const [what, ...shapes] = error.lines;
      throw new UserError('usage', [`training.progressive.${i}, images of ${side} × ${side}: ${what}`, ...shapes], {
        hint: error.hint,
      });
    }
    return { side, lastEpoch: Math.floor(until * epochs + 1e-9), network };
  });
}

/** @throws UserError (usage) */
function refuseOtherWeights(network: Network, whole: Network, side: number): void {
  const expected = parameterSpecs(whole);
  for (const [i, { name, shape }] of parameterSpecs(network).entries()) {
    const other = expected[i]!.shape;
    if (shape.every((size, axis) => size === other[axis])) continue;
    throw new UserError(
      'usage',
      `expected weights that do not depend on the side of an image, found ${name} of ${shape.join(' × ')} here and of ${other.join(' × ')} at the whole side`,
      { hint: `Put { "type": "globalAveragePool" } before the first dense layer, or leave side ${side} out.` },
    );
  }
}

/** The stage of an epoch, from 1; null where images are whole. */
export function stageAt(stages: readonly Stage[], epoch: number): Stage | null {
  return stages.find(({ lastEpoch }) => epoch <= lastEpoch) ?? null;
}

/** The scaling of a stage's images: what is the same at every pixel, for fewer of them. */
export function scalingOf({ network }: Stage, { scale, shift }: InputScaling): InputScaling {
  return { scale: scale.slice(0, network.inputs), shift: shift.slice(0, network.inputs) };
}

/** Multiplications of the first `epochs`, which need not be whole, in those of an epoch with whole images. */
export function workUntil(stages: readonly Stage[], whole: Network, epochs: number): number {
  const work = (network: Network) => opsOf(network).reduce((sum, { multiplications }) => sum + multiplications, 0);
  let [sum, before] = [0, 0];
  for (const { lastEpoch, network } of stages) {
    const end = Math.min(epochs, lastEpoch);
    sum += (end - before) * (work(network) / work(whole));
    before = end;
  }
  return sum + epochs - before;
}
