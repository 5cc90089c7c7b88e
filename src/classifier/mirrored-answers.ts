import { channels } from '../data/image.ts';
import { meanLogit } from '../evaluation/metrics.ts';
import { identityTransform } from '../kernels/image-transform.ts';
import type { Batch, Floats, Kernels } from '../kernels/kernels.ts';

/** What a mirror shows, left for right. */
const mirrorImage = { ...identityTransform, xx: -1 };

/**
 * The logits of the mean of two p: that of an image, and that of its mirror image.
 * @param answer    gives logits of images of bytes, in a view that its next call may overwrite
 * @param kernels   in whose memory the mirror images lie
 * @param features  of an image, side · side · 3
 * @param most      images that come together
 */
export function alsoMirrored(
  answer: (input: Batch) => Floats,
  { kernels, features, most }: { kernels: Pick<Kernels, 'pin' | 'transformImages'>; features: number; most: number },
): (input: Batch) => Float64Array {
  const side = Math.round(Math.sqrt(features / channels));
  const images = kernels.pin(new Uint8Array(most * features));
  const all = Int32Array.from({ length: most }, (_, i) => i);
  const transforms = Array<typeof mirrorImage>(most).fill(mirrorImage);
  return (input) => {
    if (input.kind !== 'bytes') throw new Error('mirror images are made of pixels');
    const { bytes, count } = input;
    const own = Float64Array.from(answer(input));
    const indices = (input.indices ?? all).subarray(0, count);
    kernels.transformImages({ bytes, indices, side, transforms: transforms.slice(0, count), out: images });
    const others = answer({ ...input, bytes: images, indices: null });
    return own.map((z, i) => meanLogit(z, others[i]!));
  };
}
