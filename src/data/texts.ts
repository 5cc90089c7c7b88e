/** A text for each of many things, such as the names of pictures: in memory, as an array is, or read when they are asked for. */
export interface Texts {
  readonly length: number;
  /** Those from `first` to the one before `end`. */
  slice(first: number, end: number): readonly string[] | Promise<readonly string[]>;
}

/** Texts that can be read at once. */
export interface TextsNow extends Texts {
  slice(first: number, end: number): string[];
}

/** The texts at the given indices, in that order, each read when it is asked for. */
export function selectTexts(texts: Texts, indices: Int32Array): Texts {
  return {
    length: indices.length,
    async slice(first, end) {
      const wanted = indices.subarray(first, end);
      let [low, high] = [Number.POSITIVE_INFINITY, 0];
      for (const i of wanted) [low, high] = [Math.min(low, i), Math.max(high, i + 1)];
      if (high - low <= readTogether * wanted.length) {
        const near = await texts.slice(low, high);
        return Array.from(wanted, (i) => near[i - low]!);
      }
      const out: string[] = [];
      for (const i of wanted) out.push((await texts.slice(i, i + 1))[0]!);
      return out;
    },
  };
}

/** Texts that lie within so many times their number are read in one piece. */
const readTogether = 16;

/** Numbers of so many bytes each, in hexadecimal.
 *  @param bytesOf  of those from `first` to the one before `end` */
export function hexTexts(length: number, bytesOf: (first: number, end: number) => Uint8Array): TextsNow {
  return {
    length,
    slice(first, end) {
      const bytes = bytesOf(first, end);
      const { buffer, byteOffset, length } = bytes;
      const each = length / (end - first);
      const hex = Buffer.from(buffer, byteOffset, length);
      return Array.from({ length: end - first }, (_, i) => hex.toString('hex', i * each, (i + 1) * each));
    },
  };
}

/** All texts, some hundreds at a time. */
export async function* eachText(texts: Texts): AsyncGenerator<readonly string[]> {
  for (let first = 0; first < texts.length; first += together)
    yield await texts.slice(first, Math.min(texts.length, first + together));
}

const together = 512;

export async function allTexts(texts: Texts): Promise<string[]> {
  const out: string[] = [];
  for await (const some of eachText(texts)) for (const text of some) out.push(text);
  return out;
}
