import type { ByteBatch, FloatBatch, WindowKernels, Windows } from './kernels.ts';

/** Windows of images in plain TypeScript: what the compiled kernels mean. */
export const referenceWindows: WindowKernels = {
  patches({ input, windows, first, rows, out }) {
    const { outHeight, outWidth, size, channels } = windows;
    const length = size * size * channels;
    for (let r = 0; r < rows; r++) {
      const [image, i] = [Math.floor((first + r) / outHeight), (first + r) % outHeight];
      const value = numbersOf(input, image);
      for (let j = 0; j < outWidth; j++) {
        eachInWindow(windows, i, j, (from, at) => {
          for (let c = 0; c < channels; c++) {
            out[(r * outWidth + j) * length + at + c] = from === null ? 0 : value(from + c);
          }
        });
      }
    }
  },

  patchesGradient({ patches, windows, count, out }) {
    const { height, width, channels, outHeight, outWidth, size } = windows;
    const [features, length] = [height * width * channels, size * size * channels];
    const sums = new Float64Array(features);
    for (let image = 0; image < count; image++) {
      sums.fill(0);
      for (let i = 0; i < outHeight; i++) {
        for (let j = 0; j < outWidth; j++) {
          const row = ((image * outHeight + i) * outWidth + j) * length;
          eachInWindow(windows, i, j, (from, at) => {
            if (from !== null) for (let c = 0; c < channels; c++) sums[from + c]! += patches[row + at + c]!;
          });
        }
      }
      out.set(sums, image * features);
    }
  },

  maxPool({ values, windows, count, out }) {
    eachPooled(windows, count, (images, to, places) => {
      let most = values[images + places[0]!]!;
      for (const place of places) if (values[images + place]! > most) most = values[images + place]!;
      out[to] = most;
    });
  },

  maxPoolGradient({ values, windows, count, pooled, dPooled, out }) {
    out.fill(0, 0, count * featuresOf(windows));
    eachPooled(windows, count, (images, to, places) => {
      const place = places.find((each) => values[images + each] === pooled[to]);
      if (place !== undefined) out[images + place] = out[images + place]! + dPooled[to]!;
    });
  },

  averagePool({ values, windows, count, out }) {
    eachPooled(windows, count, (images, to, places) => {
      out[to] = places.reduce((sum, place) => sum + values[images + place]!, 0) / places.length;
    });
  },

  averagePoolGradient({ windows, count, dPooled, out }) {
    out.fill(0, 0, count * featuresOf(windows));
    eachPooled(windows, count, (images, to, places) => {
      for (const place of places) out[images + place] = out[images + place]! + dPooled[to]! / places.length;
    });
  },
};

const featuresOf = ({ height, width, channels }: Windows) => height * width * channels;

/** The numbers of an image, x = scale · byte + shift where it is one of bytes. */
function numbersOf(input: ByteBatch | FloatBatch, image: number): (at: number) => number {
  if (input.kind === 'floats') return (at) => input.values[image * input.features + at]!;
  const { bytes, indices, features, scaling } = input;
  const start = (indices === null ? image : indices[image]!) * features;
  return (at) => bytes[start + at]! * scaling.scale[at]! + scaling.shift[at]!;
}

/** Goes through window (i, j), row by row.
 *  @param visit  is given where a pixel's channels begin in the image, null outside it, and where in the window */
function eachInWindow(windows: Windows, i: number, j: number, visit: (from: number | null, at: number) => void): void {
  const { height, width, channels, size, stride, top, left } = windows;
  for (let dy = 0; dy < size; dy++) {
    for (let dx = 0; dx < size; dx++) {
      const [y, x] = [i * stride - top + dy, j * stride - left + dx];
      const isInside = y >= 0 && y < height && x >= 0 && x < width;
      visit(isInside ? (y * width + x) * channels : null, (dy * size + dx) * channels);
    }
  }
}

/** Goes through the numbers that pooling gives.
 *  @param visit  is given where its image begins, where it is, and where the numbers of its window are in the image, in order */
function eachPooled(
  windows: Windows,
  count: number,
  visit: (image: number, to: number, places: readonly number[]) => void,
): void {
  const { channels, outHeight, outWidth } = windows;
  for (let image = 0; image < count; image++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        const pixels: number[] = [];
        eachInWindow(windows, i, j, (from) => from !== null && pixels.push(from));
        const to = ((image * outHeight + i) * outWidth + j) * channels;
        for (let c = 0; c < channels; c++)
          visit(
            image * featuresOf(windows),
            to + c,
            pixels.map((pixel) => pixel + c),
          );
      }
    }
  }
}
