import { UserError } from '../errors.ts';
import { encodeHeader, headerBytesOf, lengthBytes, parseHeader } from '../safetensors.ts';

/** Files of tensors that are read and written as a whole; the header and its rules are those of src/safetensors.ts. */

const arrayTypes = { F64: Float64Array, F32: Float32Array, U8: Uint8Array, I32: Int32Array } as const;
const typeBytes = Object.fromEntries(
  Object.entries(arrayTypes).map(([type, { BYTES_PER_ELEMENT }]) => [type, BYTES_PER_ELEMENT]),
);
export type TensorType = keyof typeof arrayTypes;
export type TensorArray = Float64Array | Float32Array | Uint8Array | Int32Array;

export interface Tensor {
  shape: readonly number[];
  data: TensorArray;
}

export interface TensorFile {
  metadata: Record<string, string>;
  tensors: Record<string, Tensor>;
}

/** The bytes of a file, piece by piece: its header, padded with spaces so that the tensors start at a multiple of 8, and the
 *  tensors' own bytes, which are not copied. */
export function tensorPieces({ metadata, tensors }: TensorFile): [header: Uint8Array, ...bodies: Uint8Array[]] {
  let end = 0;
  // widest first, so that every tensor lies at a multiple of its element's size
  const entries = Object.entries(tensors).sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const listed = entries.map(([name, { shape, data }]) => {
    const start = end;
    end += data.byteLength;
    return { name, type: typeOf(data), shape, start, end };
  });
  const bodies = entries.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return [encodeHeader({ metadata, tensors: listed }), ...bodies];
}

/** The same in one piece. */
export function encodeTensors(file: TensorFile): Uint8Array {
  const pieces = tensorPieces(file);
  const out = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** What the format calls the numbers of an array. */
export function typeOf(data: TensorArray): TensorType {
  return (Object.keys(arrayTypes) as TensorType[]).find((type) => data instanceof arrayTypes[type])!;
}

/** Reads a file, every claim of it checked before it is believed.
 *  @param file  for messages
 *  @throws UserError (model) with what is wrong with it */
export function decodeTensors(bytes: Uint8Array, file: string): TensorFile {
  const refuse = (text: string): never => {
    throw new UserError('model', `${file}: ${text}`, {
      hint: 'The file is damaged, or no model: name a model.safetensors, or the folder of its run.',
    });
  };
  const bodyStart = lengthBytes + headerBytesOf(bytes, bytes.length, refuse);
  const body = bytes.subarray(bodyStart);
  const header = parseHeader(bytes.subarray(lengthBytes, bodyStart), body.length, typeBytes, refuse);
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const { name, type, shape, start, end } of header.tensors) {
    const copy = new Uint8Array(body.subarray(start, end)); // a buffer of its own starts aligned
    const Kind = arrayTypes[type as TensorType];
    tensors[name] = { shape, data: new Kind(copy.buffer, 0, copy.byteLength / Kind.BYTES_PER_ELEMENT) };
  }
  return { metadata: header.metadata, tensors };
}
