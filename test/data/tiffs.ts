/** TIFF files made for the tests, tag by tag, so that their samples can be of any type. @see TIFF 6.0, sections 2 to 8 */

/** What the numbers of a sample are (tag SampleFormat). */
export const sampleFormats = { unsigned: 1, signed: 2, float: 3, complexInteger: 5, complexFloat: 6 } as const;

/** What samples mean (tag PhotometricInterpretation). */
export const photometrics = {
  whiteIsZero: 0,
  blackIsZero: 1,
  rgb: 2,
  palette: 3,
  mask: 4,
  cmyk: 5,
  ycbcr: 6,
  lab: 8,
  iccLab: 9,
} as const;

export interface TiffShape {
  width: number;
  height: number;
  bits: number;
  format?: keyof typeof sampleFormats;
  photometric: keyof typeof photometrics;
  /** samples of a pixel, those of `extra` included */
  samples: number;
  /** what the last samples are: 0 unspecified, 1 alpha that is multiplied in, 2 alpha */
  extra?: readonly number[];
  /** each sample in a plane of its own */
  planar?: boolean;
  bigEndian?: boolean;
  /** red, green and blue of 16 bits for each index */
  palette?: readonly (readonly [number, number, number])[];
  /** further tags, each with numbers of 16 bits */
  tags?: Record<number, readonly number[]>;
}

/** @param sampleAt  the number of a sample as it is stored; of a complex one its real part */
export function tiffOf(shape: TiffShape, sampleAt: (row: number, column: number, sample: number) => number): Buffer {
  const { width, height, bits, format = 'unsigned', photometric, samples, extra = [], planar = false, bigEndian = false } = shape;
  const planes = planar
    ? Array.from({ length: samples }, (_, s) => rowsOf(shape, 1, (row, column) => sampleAt(row, column, s)))
    : [rowsOf(shape, samples, sampleAt)];
  const colours = shape.palette && [0, 1, 2].flatMap((channel) => shape.palette!.map((colour) => colour[channel]!));
  const words = (values: readonly number[]) => numbers(values, 2, bigEndian);
  const longs = (values: readonly number[]) => numbers(values, 4, bigEndian);
  const pixelsAt = planes.map((_, i) => 8 + planes.slice(0, i).reduce((sum, { length }) => sum + length, 0));
  const fields = new Map<number, { type: 3 | 4; values: readonly number[] }>([
    [256, { type: 4, values: [width] }],
    [257, { type: 4, values: [height] }],
    [258, { type: 3, values: Array(samples).fill(bits) }],
    [259, { type: 3, values: [1] }], // not compressed
    [262, { type: 3, values: [photometrics[photometric]] }],
    [273, { type: 4, values: pixelsAt }],
    [277, { type: 3, values: [samples] }],
    [278, { type: 4, values: [height] }],
    [279, { type: 4, values: planes.map(({ length }) => length) }],
    [284, { type: 3, values: [planar ? 2 : 1] }],
    [339, { type: 3, values: Array(samples).fill(sampleFormats[format]) }],
  ]);
  if (colours) fields.set(320, { type: 3, values: colours });
  if (extra.length > 0) fields.set(338, { type: 3, values: [...extra] });
  for (const [tag, values] of Object.entries(shape.tags ?? {})) fields.set(Number(tag), { type: 3, values });
  const sorted = [...fields].sort(([a], [b]) => a - b);
  const directoryAt = 8 + planes.reduce((sum, { length }) => sum + length, 0);
  let valuesAt = directoryAt + 2 + 12 * sorted.length + 4;
  const [entries, values]: [Buffer[], Buffer[]] = [[], []];
  for (const [tag, { type, values: all }] of sorted) {
    const bytes = type === 3 ? words(all) : longs(all);
    const head = Buffer.concat([words([tag, type]), longs([all.length])]);
    if (bytes.length <= 4) {
      entries.push(head, bytes, Buffer.alloc(4 - bytes.length));
      continue;
    }
    entries.push(head, longs([valuesAt]));
    values.push(bytes);
    valuesAt += bytes.length;
  }
  const start = Buffer.concat([Buffer.from(bigEndian ? 'MM' : 'II'), words([42]), longs([directoryAt])]);
  return Buffer.concat([start, ...planes, words([sorted.length]), ...entries, longs([0]), ...values]);
}

/** Rows of samples; each row begins with a byte of its own. */
function rowsOf(
  { width, height, bits, format = 'unsigned', bigEndian = false }: TiffShape,
  samples: number,
  sampleAt: (row: number, column: number, sample: number) => number,
): Buffer {
  const stride = Math.ceil((width * samples * bits) / 8);
  const bytes = Buffer.alloc(height * stride);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const put = format === 'unsigned' && ![8, 16, 32].includes(bits) ? putBits : putNumber;
  for (let row = 0; row < height; row++) {
    for (let k = 0; k < width * samples; k++) {
      const value = sampleAt(row, Math.floor(k / samples), k % samples);
      put(view, row * stride * 8 + k * bits, value, { bits, format, isLittle: !bigEndian });
    }
  }
  return bytes;
}

type Numbers = { bits: number; format: keyof typeof sampleFormats; isLittle: boolean };

/** Samples of any number of bits, one after the other, the highest bit first. */
function putBits(view: DataView, at: number, value: number, { bits }: Numbers): void {
  for (let b = 0; b < bits; b++) {
    if (Math.floor(value / 2 ** (bits - 1 - b)) % 2 === 0) continue;
    const byte = (at + b) >> 3;
    view.setUint8(byte, view.getUint8(byte) | (128 >> ((at + b) & 7)));
  }
}

function putNumber(view: DataView, bit: number, value: number, { bits, format, isLittle }: Numbers): void {
  const at = bit / 8;
  if (format === 'complexInteger') putNumber(view, bit, value, { bits: bits / 2, format: 'signed', isLittle });
  else if (format === 'complexFloat') putNumber(view, bit, value, { bits: bits / 2, format: 'float', isLittle });
  else if (format === 'float' && bits === 16) view.setUint16(at, halfOf(value), isLittle);
  else if (format === 'float' && bits === 32) view.setFloat32(at, value, isLittle);
  else if (format === 'float') view.setFloat64(at, value, isLittle);
  else if (bits === 8) view.setUint8(at, value);
  else if (bits === 16) view.setUint16(at, value, isLittle);
  else if (bits === 32) view.setUint32(at, value, isLittle);
  else view.setBigInt64(at, BigInt(Math.round(value)), isLittle);
}

/** Of numbers from 2^-14 to 2: IEEE's half precision. */
function halfOf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | Math.round((value / 2 ** exponent - 1) * 1024);
}

function numbers(values: readonly number[], size: 2 | 4, bigEndian: boolean): Buffer {
  const bytes = Buffer.alloc(values.length * size);
  for (const [i, value] of values.entries()) {
    if (bigEndian) bytes.writeUIntBE(value, i * size, size);
    else bytes.writeUIntLE(value, i * size, size);
  }
  return bytes;
}
