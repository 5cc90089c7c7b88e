import { cosPi, sinPi } from '../elementary.ts';
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
  /** factor uniform in [1 − zoom, 1 + zoom] */
  zoom: number;
  /** degrees, uniform in [−rotate, rotate] */
  rotate: number;
  /** added share of 255, uniform in [−brightness, brightness] */
  brightness: number;
  /** factor about the picture's mean, uniform in [1 − contrast, 1 + contrast] */
  contrast: number;
}

export function augments(augmentation: Augmentation): boolean {
  return Object.values(augmentation).some(Boolean);
}

/**
 * Draws variations of pictures, on bytes, rounded and clamped; a stream of its own for each epoch and example.
 * @param pixels   [m, side · side · 3]
 * @param indices  the examples wanted
 * @param out      [indices.length, side · side · 3]
 * @param options.places  where in `pixels` they stand, if not at their own number
 */
export function augmentBatch(
  pixels: Uint8Array,
  indices: Int32Array,
  out: Uint8Array,
  options: { augmentation: Augmentation; side: number; seed: number; epoch: number; places?: Int32Array },
): void {
  const { augmentation, side, seed, epoch, places = indices } = options;
  const features = side * side * 3;
  for (let i = 0; i < indices.length; i++) {
    const example = indices[i]!;
    const random = namedRandom(seed, 'augment', epoch, example);
    const from = pixels.subarray(places[i]! * features, (places[i]! + 1) * features);
    augmentImage(from, out.subarray(i * features, (i + 1) * features), { augmentation, side, random });
  }
}

/** One variation of one picture. */
export function augmentImage(
  from: Uint8Array,
  to: Uint8Array,
  { augmentation, side, random }: { augmentation: Augmentation; side: number; random: Random },
): void {
  const { flipHorizontal, flipVertical, noise, shift, zoom, rotate, brightness, contrast } = augmentation;
  const within = (most: number) => (most === 0 ? 0 : (2 * random.uniform() - 1) * most);
  const mirrored = flipHorizontal && random.uniform() < 0.5;
  const upended = flipVertical && random.uniform() < 0.5;
  const place: Placement = {
    mirrored,
    upended,
    scale: 1 + within(zoom),
    turn: within(rotate) / 180,
    right: within(shift) * side,
    down: within(shift) * side,
  };
  const moved = shift !== 0 || zoom !== 0 || rotate !== 0;
  if (moved) resample(from, to, side, place);
  else flip(from, to, side, place);
  const added = within(brightness) * 255;
  const factor = 1 + within(contrast);
  if (added !== 0 || factor !== 1 || noise !== 0) retouch(to, { added, factor, deviation: noise * 255, random });
}

interface Placement {
  mirrored: boolean;
  upended: boolean;
  scale: number;
  /** half turns */
  turn: number;
  /** pixels */
  right: number;
  down: number;
}

/** Moves whole pixels, so that nothing is rounded. */
function flip(from: Uint8Array, to: Uint8Array, side: number, { mirrored, upended }: Placement): void {
  if (!mirrored && !upended) return void to.set(from);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const source = ((upended ? side - 1 - row : row) * side + (mirrored ? side - 1 - column : column)) * 3;
      const target = (row * side + column) * 3;
      for (let c = 0; c < 3; c++) to[target + c] = from[source + c]!;
    }
  }
}

/** Looks up where each pixel came from, between pixels bilinearly; beyond the edges the picture is mirrored. */
function resample(
  from: Uint8Array,
  to: Uint8Array,
  side: number,
  { mirrored, upended, scale, turn, right, down }: Placement,
): void {
  const middle = (side - 1) / 2;
  const cos = cosPi(turn) / scale;
  const sin = sinPi(turn) / scale;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const x = column - middle - right;
      const y = row - middle - down;
      const u = (cos * x + sin * y) * (mirrored ? -1 : 1) + middle;
      const v = (cos * y - sin * x) * (upended ? -1 : 1) + middle;
      const [left, top] = [Math.floor(u), Math.floor(v)];
      const [a, b] = [u - left, v - top];
      const [x0, x1] = [reflect(left, side), reflect(left + 1, side)];
      const [y0, y1] = [reflect(top, side) * side, reflect(top + 1, side) * side];
      for (let c = 0; c < 3; c++) {
        const upper = from[(y0 + x0) * 3 + c]! * (1 - a) + from[(y0 + x1) * 3 + c]! * a;
        const lower = from[(y1 + x0) * 3 + c]! * (1 - a) + from[(y1 + x1) * 3 + c]! * a;
        to[(row * side + column) * 3 + c] = Math.round(upper * (1 - b) + lower * b);
      }
    }
  }
}

/** … 1 0 0 1 2 … side−1 side−1 side−2 … */
function reflect(index: number, side: number): number {
  const period = 2 * side;
  const within = ((index % period) + period) % period;
  return within < side ? within : period - 1 - within;
}

/** Brightness, contrast about the picture's own mean, and noise. */
function retouch(
  pixels: Uint8Array,
  { added, factor, deviation, random }: { added: number; factor: number; deviation: number; random: Random },
): void {
  let sum = 0;
  for (const value of pixels) sum += value;
  const mean = sum / pixels.length;
  for (let i = 0; i < pixels.length; i++) {
    const value = mean + (pixels[i]! - mean) * factor + added + (deviation === 0 ? 0 : deviation * random.normal());
    pixels[i] = Math.max(0, Math.min(255, Math.round(value)));
  }
}
