import type { TensorArray } from '../run/tensor-file.ts';

/** An array of NumPy, row after row. */
export interface NpyArray {
  shape: readonly number[];
  data: TensorArray;
}

const magic = Uint8Array.of(0x93, ...Buffer.from('NUMPY'), 1, 0);
/** The data begins at a multiple of this. */
const alignment = 64;

/** What the format calls the numbers of an array: little-endian, of so many bytes. */
const kinds = { '<f4': Float32Array, '<f8': Float64Array, '|u1': Uint8Array } as const;

/** A file of one array, version 1.0 of the format.
 *  @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
export function encodeNpy({ shape, data }: NpyArray): Uint8Array {
  const descr = Object.entries(kinds).find(([, Kind]) => data instanceof Kind)?.[0];
  if (descr === undefined) throw new Error(`no kind of NumPy for ${data.constructor.name}`);
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sides}), }`;
  const start = magic.length + 2;
  const length = Math.ceil((start + text.length + 1) / alignment) * alignment - start;
  const out = Buffer.alloc(start + length + data.byteLength, ' ');
  out.set(magic);
  out.writeUInt16LE(length, magic.length);
  out.write(`${text.padEnd(length - 1)}\n`, start, 'latin1');
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + length);
  return out;
}

/** The array of a file that `encodeNpy` or NumPy made of it.
 *  @throws Error with what is wrong with it */
export function decodeNpy(bytes: Uint8Array): NpyArray {
  const start = magic.length + 2;
  if (bytes.length < start || !magic.every((byte, i) => bytes[i] === byte)) throw new Error('no array of NumPy, version 1.0');
  const end = start + new DataView(bytes.buffer, bytes.byteOffset).getUint16(magic.length, true);
  if (bytes.length < end) throw new Error('it is cut off');
  const header = Buffer.from(bytes.subarray(start, end)).toString('latin1');
  const [, descr = ''] = /'descr': '([^']*)'/.exec(header) ?? [];
  const [, sides] = /'shape': \(([\d, ]*)\)/.exec(header) ?? [];
  if (!Object.hasOwn(kinds, descr) || sides === undefined || !/'fortran_order': False/.test(header))
    throw new Error(`expected ${Object.keys(kinds).join(', ')} row after row, found ${header.trim()}`);
  const Kind = kinds[descr as keyof typeof kinds];
  const shape = sides.split(',').flatMap((side) => (side.trim() === '' ? [] : [Number(side)]));
  const body = new Uint8Array(bytes.subarray(end)); // a buffer of its own starts aligned
  const expected = shape.reduce((product, side) => product * side, Kind.BYTES_PER_ELEMENT);
  if (body.length !== expected) throw new Error(`expected ${expected} bytes of numbers, found ${body.length}`);
  return { shape, data: new Kind(body.buffer, 0, body.length / Kind.BYTES_PER_ELEMENT) };
}
