import type { StoredAnswers } from '../results/experiments.ts';

/** What a network answered for some pictures. */
export interface Answers {
  /** of the positive class, to 16 bits */
  p: Float64Array;
  /** 1 where the answer is the label */
  right: Uint8Array;
}

const most = 65_535;

/** As they stand in a file of experiments: whoever goes on from one and whoever never stopped count with the same bits.
 *  @param p  from 0 to 1 */
export function packAnswers({ p, right }: Answers): StoredAnswers {
  const values = Buffer.alloc(2 * p.length);
  for (const [i, value] of p.entries()) values.writeUInt16LE(Math.round(value * most), 2 * i);
  return { p: values.toString('base64'), right: packBits(right) };
}

/** @returns null where there are not as many bits as probabilities */
export function unpackAnswers(stored: StoredAnswers): Answers | null {
  const values = Buffer.from(stored.p, 'base64');
  const m = values.length / 2;
  const right = Number.isInteger(m) ? unpackBits(stored.right, m) : null;
  return right && { p: Float64Array.from({ length: m }, (_, i) => values.readUInt16LE(2 * i) / most), right };
}

/** Zeros and ones, eight a byte. */
export function packBits(bits: Uint8Array): string {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
  for (const [i, bit] of bits.entries()) bytes[i >> 3]! |= bit << (i & 7);
  return bytes.toString('base64');
}

/** @returns null where they are not so many */
export function unpackBits(text: string, m: number): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== Math.ceil(m / 8)) return null;
  return Uint8Array.from({ length: m }, (_, i) => (bytes[i >> 3]! >> (i & 7)) & 1);
}
