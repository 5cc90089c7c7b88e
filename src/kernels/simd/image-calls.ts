import { transformNumbers } from '../bindings.ts';
import { triangleOf } from '../image-shrink.ts';
import { type ImageKernels, type ImageTransform, referenceImages } from '../image-transform.ts';
import type { Engine } from './engine.ts';
import { placeRows } from './operands.ts';

/** What a byte costs, in multiplications. */
const weight = 8;
/** Pixels from the middle, and shades of a colour, up to which the kernel counts in whole numbers of 32 bits. */
const farthest = 2 ** 30;

/** Images from images, shared by threads image by image. */
export function imageCalls(engine: Engine): ImageKernels {
  return {
    shrinkImages({ bytes, indices, count, side, smaller, out }) {
      const features = side * side * 3;
      const made = smaller * smaller * 3;
      const { taps, numbers } = triangleOf(side, smaller);
      engine.inFrame((frame) => {
        const weights = frame.input(numbers, numbers.length);
        const to = frame.output(out, count * made);
        for (const { first, count: some, ...rows } of placeRows(engine.memory, frame, { bytes, indices, count, features })) {
          const call = { count: some, features, side, smaller, taps, numbers: weights, out: to + first * made, ...rows };
          engine.run('shrinkImages', call, { end: some, grain: 1, work: some * taps * (smaller * side * 3 + made) });
        }
      });
    },
    transformImages(options) {
      const { bytes, indices, side, transforms, out } = options;
      const count = transforms.length;
      const features = side * side * 3;
      if (transforms.some((transform) => !staysNear(transform, side))) return referenceImages.transformImages(options);
      engine.inFrame((frame) => {
        const numbers = frame.input(packed(transforms), count * transformNumbers.length);
        const to = frame.output(out, count * features);
        for (const { first, count: some, ...rows } of placeRows(engine.memory, frame, { bytes, indices, count, features })) {
          const place = numbers + first * transformNumbers.length * Float64Array.BYTES_PER_ELEMENT;
          const call = { count: some, features, side, transforms: place, out: to + first * features, ...rows };
          engine.run('transformImages', call, { end: some, grain: 1, work: some * features * weight });
        }
      });
    },
  };
}

/** Whether numbers stay far within 32 bits; false also for what is not a number. */
function staysNear({ xx, xy, yx, yy, right, down, saturation, ...colours }: ImageTransform, side: number): boolean {
  const [across, along] = [side + Math.abs(right), side + Math.abs(down)];
  const reach = (x: number, y: number) => Math.abs(x) * across + Math.abs(y) * along;
  const { contrast, red, green, blue } = colours;
  const strength = 255 * Math.abs(contrast) + Math.max(Math.abs(red), Math.abs(green), Math.abs(blue));
  return reach(xx, xy) < farthest && reach(yx, yy) < farthest && strength < farthest && saturation >= 0 && saturation <= 2;
}

function packed(transforms: readonly ImageTransform[]): Float64Array {
  const numbers = new Float64Array(transforms.length * transformNumbers.length);
  for (const [i, transform] of transforms.entries()) {
    for (let k = 0; k < transformNumbers.length; k++) numbers[i * transformNumbers.length + k] = transform[transformNumbers[k]!];
  }
  return numbers;
}
