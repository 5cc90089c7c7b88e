import {
  hasLargeTiles,
  largeTile,
  largeTileParts,
  tileParts,
  tilesOf,
  transformedLength,
  turnedWindows,
} from '../convolution.ts';
import type { ConvolutionEpilogue, Floats, Windows } from '../kernels.ts';
import type { Frame } from './call.ts';
import type { Engine } from './engine.ts';

/** Multiplications that a transformed filter's channel takes as much time as. */
const filterWork = 60;
const largeFilterWork = 150;

interface Shape {
  count: number;
  windows: Windows;
  filters: number;
}

/** Convolutions of floats by Winograd's transform: the calls of assembly/winograd.ts. All that it takes beside operands ends with a call. */
export function winogradCalls(engine: Engine) {
  const { size } = engine;
  /** Rows of transformed numbers are whole pairs of vectors. */
  const pair = 32 / size;
  const padded = (numbers: number) => pair * Math.ceil(numbers / pair);
  const transformed = (frame: Frame, rows: number, columns: number) => frame.room(tileParts * rows * padded(columns) * size);

  /** Filters, transformed. @param turned  for the way back */
  function filtersOf(frame: Frame, weights: Floats, channels: number, units: number, turned: boolean): number {
    const out = turned ? transformed(frame, units, channels) : transformed(frame, channels, units);
    transform(frame, { weights, channels, units, turned, out });
    return out;
  }

  function transform(
    frame: Frame,
    { weights, ...fields }: { weights: Floats; channels: number; units: number; turned: boolean; out: number },
  ) {
    const { channels, units } = fields;
    const call = { ...fields, weights: frame.input(weights, units * 9 * channels) };
    engine.run('winogradFilters', call, { end: units, grain: 1, work: filterWork * units * channels });
  }

  /** A convolution by transformed filters. */
  function products(
    { count, windows, filters: units }: Shape,
    operands: { values: number; filters: number; bias: number; out: number; relu: boolean; pools: boolean },
  ) {
    const end = count * tilesOf(windows);
    engine.run(
      'winograd',
      { ...windows, units, ...operands },
      { end, grain: 4, work: end * tileParts * windows.channels * units, examples: count },
    );
  }

  return {
    convolve({
      weights,
      bias,
      values,
      out,
      relu = false,
      pools = false,
      transformed = null,
      ...shape
    }: Shape & ConvolutionEpilogue & { weights: Floats; bias: Floats | null; values: Floats; out: Floats }) {
      const { count, windows, filters } = shape;
      const places = windows.outHeight * windows.outWidth;
      engine.inFrame((frame) => {
        const operands = {
          values: frame.input(values, count * featuresOf(windows)),
          filters:
            transformed === null
              ? filtersOf(frame, weights, windows.channels, filters, false)
              : frame.input(transformed, transformedLength({ windows, filters })),
          bias: frame.input(bias, filters),
          out: frame.output(out, (count * places * filters) / (pools ? 4 : 1)),
          relu,
          pools,
        };
        if (transformed === null || !hasLargeTiles({ windows, filters })) return products(shape, operands);
        const end = (count * places) / largeTile ** 2;
        const work = end * largeTileParts * windows.channels * filters;
        engine.run('winogradLargeTiles', { ...windows, units: filters, ...operands }, { end, grain: 4, work, examples: count });
      });
    },

    transformFilters({ windows, filters, weights, out }: Omit<Shape, 'count'> & { weights: Floats; out: Floats }) {
      engine.inFrame((frame) => {
        const to = frame.output(out, transformedLength({ windows, filters }));
        const { channels } = windows;
        if (hasLargeTiles({ windows, filters })) {
          const call = { channels, units: filters, weights: frame.input(weights, filters * 9 * channels), out: to };
          const range = { end: filters, grain: 1, work: largeFilterWork * filters * channels };
          return engine.run('winogradLargeFilters', call, range);
        }
        transform(frame, { weights, channels, units: filters, turned: false, out: to });
      });
    },

    convolveGradInput({ dZ, weights, out, count, windows, filters }: Shape & { dZ: Floats; weights: Floats; out: Floats }) {
      engine.inFrame((frame) => {
        products(
          { count, windows: turnedWindows(windows, filters), filters: windows.channels },
          {
            values: frame.input(dZ, count * windows.outHeight * windows.outWidth * filters),
            filters: filtersOf(frame, weights, windows.channels, filters, true),
            bias: 0,
            out: frame.output(out, count * featuresOf(windows)),
            relu: false,
            pools: false,
          },
        );
      });
    },

    convolveGradWeights({
      values,
      dZ,
      out,
      adds,
      count,
      windows,
      filters: units,
    }: Shape & { values: Floats; dZ: Floats; out: Floats; adds: boolean }) {
      const { channels } = windows;
      const tiles = count * tilesOf(windows);
      engine.inFrame((frame) => {
        const sums = transformed(frame, channels, units);
        const operands = {
          values: frame.input(values, count * featuresOf(windows)),
          dZ: frame.input(dZ, count * windows.outHeight * windows.outWidth * units),
        };
        const work = tiles * tileParts * channels * units;
        // each of four rows of transformed numbers is a sum of its own
        const range = { end: 4 * channels, grain: 8, ways: [2, 1], work };
        engine.run('winogradGradWeights', { ...windows, units, tiles, ...operands, out: sums }, range);
        const length = units * 9 * channels;
        const to = adds ? frame.inOut(out.subarray(0, length)) : frame.output(out, length);
        const fields = { channels, units, sums, out: to, accumulates: adds };
        engine.run('winogradWeights', fields, { end: units, grain: 1, work: filterWork * units * channels });
      });
    },
  };
}

const featuresOf = ({ height, width, channels }: Windows) => height * width * channels;
