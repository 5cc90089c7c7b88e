import { cosPi, exp, sinPi } from '../elementary.ts';
import {
  type ImageKernels,
  type ImageTransform,
  identityTransform,
  recolour,
  referenceImages,
} from '../kernels/image-transform.ts';
import { namedRandom, type Random } from '../random.ts';

/** Variations that keep what a picture shows. All 0 or false: none. */
export interface Augmentation {
  /** mirror, with probability ½ */
  flipHorizontal: boolean;
  /** upside down, with probability ½ */
  flipVertical: boolean;
  /** σ of Gaussian noise on every value, as a share of 255 */
  noise: number;
  /** at most this share of the side, each way */
  shift: number;
  /** factor uniform in [1 − zoom, 1 + zoom], or in [low, high] */
  zoom: number | readonly [low: number, high: number];
  /** degrees, uniform in [−rotate, rotate] */
  rotate: number;
  /** added share of 255, uniform in [−brightness, brightness] */
  brightness: number;
  /** factor about the picture's mean, uniform in [1 − contrast, 1 + contrast] */
  contrast: number;
  /** width to height by exp(r), r uniform in [−aspect, aspect]; the area stays */
  aspect: number;
  /** factor about each pixel's grey, uniform in [1 − saturation, 1 + saturation] */
  saturation: number;
  /** added share of 255, uniform in [−tint, tint], of each channel by itself */
  tint: number;
}

/** Whether some of the fields vary anything. */
export function augments(augmentation: Partial<Augmentation>): boolean {
  return Object.values(augmentation).some((value) =>
    Array.isArray(value) ? value.some((factor) => factor !== 1) : Boolean(value),
  );
}

export interface BatchOptions {
  augmentation: Augmentation;
  side: number;
  seed: number;
  epoch: number;
  /** where in `pixels` the examples stand, if not at their own number */
  places?: Int32Array;
  /** what computes: of the kernels, where there is more than a picture or two */
  transform?: ImageKernels['transformImages'];
}

/** Pictures that are drawn for and transformed together: enough for all threads, and no more bytes than may be copied at once. */
const together = { images: 256, bytes: 2 ** 25 };

/**
 * Draws variations of pictures, on bytes, rounded and clamped; a stream of its own for each epoch and example.
 * @param pixels   [m, side · side · 3]
 * @param indices  the examples wanted
 * @param out      [indices.length, side · side · 3]
 */
export function augmentBatch(pixels: Uint8Array, indices: Int32Array, out: Uint8Array, options: BatchOptions): void {
  const { augmentation, side, seed, epoch, places = indices, transform = referenceImages.transformImages } = options;
  const features = side * side * 3;
  const atOnce = Math.max(1, Math.min(together.images, Math.floor(together.bytes / features)));
  for (let first = 0; first < indices.length; first += atOnce) {
    const end = Math.min(indices.length, first + atOnce);
    const randoms = Array.from(indices.subarray(first, end), (example) => namedRandom(seed, 'augment', epoch, example));
    const made = { bytes: pixels, indices: places.subarray(first, end), out: out.subarray(first * features, end * features) };
    vary(made, { augmentation, side, randoms, transform });
  }
}

/** One variation of one picture. */
export function augmentImage(
  from: Uint8Array,
  to: Uint8Array,
  { augmentation, side, random }: { augmentation: Augmentation; side: number; random: Random },
): void {
  const made = { bytes: from, indices: Int32Array.of(0), out: to };
  vary(made, { augmentation, side, randoms: [random], transform: referenceImages.transformImages });
}

/** What the kernel can't do is noise: it comes with the colours, before they are rounded, each byte its own draw.
 *  @param options.randoms  one a picture */
function vary(
  images: { bytes: Uint8Array; indices: Int32Array; out: Uint8Array },
  {
    augmentation,
    side,
    randoms,
    transform,
  }: Pick<BatchOptions, 'augmentation' | 'side'> & { randoms: readonly Random[]; transform: ImageKernels['transformImages'] },
): void {
  const drawn = randoms.map((random) => drawTransform(augmentation, side, random));
  const deviation = augmentation.noise * 255;
  if (deviation === 0) {
    transform({ ...images, side, transforms: drawn });
    return;
  }
  const { contrast, red, green, blue } = identityTransform;
  transform({ ...images, side, transforms: drawn.map((one) => ({ ...one, contrast, red, green, blue })) });
  const features = side * side * 3;
  for (const [i, random] of randoms.entries()) {
    recolour(images.out.subarray(i * features, (i + 1) * features), drawn[i]!, () => deviation * random.normal());
  }
}

/** What becomes of a picture. Draws follow the order of the fields, those that came later behind all others, and a field that is off draws
 *  nothing: so a config gets the pictures that it got before there were more fields. */
function drawTransform(augmentation: Augmentation, side: number, random: Random): ImageTransform {
  const { flipHorizontal, flipVertical, shift, zoom, rotate, brightness, contrast, aspect, saturation, tint } = augmentation;
  const within = (most: number) => (most === 0 ? 0 : (2 * random.uniform() - 1) * most);
  const mirror = flipHorizontal && random.uniform() < 0.5 ? -1 : 1;
  const upend = flipVertical && random.uniform() < 0.5 ? -1 : 1;
  const scale = typeof zoom === 'number' ? 1 + within(zoom) : zoom[0] + (zoom[1] - zoom[0]) * random.uniform();
  const turn = within(rotate) / 180;
  const [right, down] = [within(shift) * side, within(shift) * side];
  const light = within(brightness) * 255;
  const stretch = 1 + within(contrast);
  const root = aspect === 0 ? 1 : exp(within(aspect) / 2);
  const colour = 1 + within(saturation);
  const [red, green, blue] = [light + within(tint) * 255, light + within(tint) * 255, light + within(tint) * 255];
  const [cos, sin] = [cosPi(turn), sinPi(turn)];
  const [width, height] = [scale * root, scale / root];
  return {
    xx: (cos / width) * mirror,
    xy: (sin / width) * mirror,
    yx: (-sin / height) * upend,
    yy: (cos / height) * upend,
    ...{ right, down, saturation: colour, contrast: stretch, red, green, blue },
  };
}
