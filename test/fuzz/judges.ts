import { isDeepStrictEqual } from 'node:util';
import { pngChunks } from './rewrites.ts';

/** What a reader's answer must be, said without the reader: each says what is wrong, or null. */

export interface Judged {
  bytes: Buffer;
  /** changed without knowledge of the format, and so against its checksums */
  isBlind: boolean;
  answer: Record<string, unknown>;
  /** the answers for the files that the inputs were made of */
  sound: readonly Record<string, unknown>[];
}

export type Judge = (of: Judged) => string | null;

const widths: Record<string, number> = { F64: 8, F32: 4, I32: 4, U32: 4, U8: 1, I64: 8 };

/** @see the format's description: https://huggingface.co/docs/safetensors */
export function safetensorsFault(bytes: Buffer): string | null {
  if (bytes.length < 8) return 'shorter than a length';
  const length = Number(bytes.readBigUInt64LE());
  if (length > bytes.length - 8) return 'a header longer than the file';
  const text = bytes.subarray(8, 8 + length);
  if (!Buffer.from(text.toString()).equals(text)) return 'a header that is not UTF-8';
  const header = JSON.parse(text.toString()) as Record<string, unknown>;
  const stated = [...text.toString().matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g)].filter(
    ([, colon]) => colon !== undefined,
  ).length;
  if (stated !== keysIn(header)) return 'a key that stands twice';
  const { __metadata__: metadata, ...tensors } = header;
  if (metadata !== undefined && Object.values(metadata as object).some((word) => typeof word !== 'string'))
    return 'metadata that is no text';
  const places = Object.values(tensors as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>);
  let end = 0;
  for (const { dtype, shape, data_offsets } of places.sort(
    (a, b) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  )) {
    const [start, stop] = data_offsets;
    const product = shape.reduce((all, n) => all * BigInt(n), BigInt(widths[dtype]!));
    if (start !== end || product !== BigInt(stop - start)) return 'tensors that overlap, leave a hole, or are not of their shape';
    end = stop;
  }
  return end === bytes.length - 8 - length ? null : 'bytes that are no tensor';
}

/** Of all objects within a value, however deep. */
function keysIn(value: unknown): number {
  const all: unknown[] = [value];
  let keys = 0;
  for (const one of all) {
    if (typeof one !== 'object' || one === null) continue;
    if (!Array.isArray(one)) keys += Object.keys(one).length;
    for (const inner of Object.values(one)) all.push(inner);
  }
  return keys;
}

function hasChecksum(bytes: Buffer): boolean {
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString()) as Record<string, object>;
  return 'sha256' in (header['__metadata__'] ?? {});
}

const accepted = (fault: string | null) => (fault === null ? null : `accepted, with ${fault}`);

export const judges = {
  tensors: ({ bytes }) => accepted(safetensorsFault(bytes)),
  /** Whatever an answer depends on is under its checksum, as long as it has one. */
  model({ bytes, answer, sound }) {
    const wrong = (answer['p'] as number[]).find((p) => !(p >= 0 && p <= 1));
    if (wrong !== undefined) return `a probability of ${wrong}`;
    const fault = safetensorsFault(bytes);
    if (fault === null && hasChecksum(bytes) && !sound.some((one) => isDeepStrictEqual(one, answer)))
      return 'accepted, though it is not what its checksum is of';
    return accepted(fault);
  },
  /** Every byte of it is under its checksum. */
  checkpoint({ bytes, isBlind, answer, sound }) {
    if (isBlind && !sound.some(({ numbers, said }) => numbers === answer['numbers'] && said === answer['said']))
      return 'accepted, though not a byte may change';
    return accepted(safetensorsFault(bytes));
  },
  /** The archive has a checksum of every file: what is given is what was packed. */
  packedFiles({ isBlind, answer, sound }) {
    const known = new Set(sound.flatMap((one) => (one['pictures'] as { content?: string }[]).map(({ content }) => content)));
    const other = (answer['pictures'] as { name: string; content?: string }[]).find(
      ({ content }) => isBlind && !known.has(content) && content,
    );
    return other === undefined ? null : `${other.name}: a content that was never packed`;
  },
  /** Every byte of pixels is under a checksum. */
  png({ bytes, answer, sound }) {
    if (pngChunks(bytes) !== null || sound.some(({ pixels }) => pixels === answer['pixels'])) return null;
    return 'other pixels, against a checksum of the file';
  },
  labels({ answer }) {
    return (answer['labels'] as number) <= (answer['count'] as number) ? null : 'more labels than pictures';
  },
  /** A run goes on to the same model, whatever file beside the checkpoint was damaged. */
  run({ answer, sound }) {
    return sound.some(({ model }) => model === answer['model']) ? null : 'another model than that of the whole run';
  },
  anything: () => null,
} satisfies Record<string, Judge>;
