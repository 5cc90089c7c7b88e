import { fewPictures, readAhead, type StoredPixels } from '../data/pixels.ts';
import { ascending } from '../data/shuffle.ts';
import type { InputMap, Kernels } from '../kernels/kernels.ts';
import type { ProblemPart, Span, Way } from './problem.ts';

/**
 * Pictures that are read as training comes to them: a span of them lies in the memory of the kernels, and while it is worked
 * on the next one is read beside it. The same batches as those of pictures in memory, and so the same bits.
 */
export function readPart(labels: Uint8Array, pixels: StoredPixels, map: InputMap, kernels: Kernels): ProblemPart {
  const { features, room } = pixels;
  const places = new Int32Array(labels.length).fill(nowhere);
  let bytes: Uint8Array = new Uint8Array();

  function rows(indices: Int32Array | null, count: number) {
    const wanted = indices ?? ascending(count);
    const found = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const place = places[wanted[i]!]!;
      if (place === nowhere) throw new Error(`picture ${wanted[i]} is not of the span that was read`);
      found[i] = place;
    }
    return { kind: 'bytes', bytes, indices: found, count, features, map } as const;
  }

  /** Reads a span into one half of the bytes, in the order of the file. */
  async function readSpan(order: Int32Array, { first, end }: Span, start: number): Promise<void> {
    const sorted = order.slice(first, end).sort();
    for (let i = 0; i < sorted.length; i++) places[sorted[i]!] = start + i;
    await pixels.read(sorted, bytes.subarray(start * features, (start + sorted.length) * features));
  }

  return {
    labels,
    rows,
    first: (count) => {
      const few = fewPictures(pixels, ascending(count), features);
      return { kind: 'bytes', bytes: few, indices: null, count, features, map };
    },
    async *spans(way) {
      const spans = cutSpans(way, Math.floor(room / 2 / features));
      const longest = spans.reduce((most, { first, end }) => Math.max(most, end - first), 0);
      if (bytes.length < 2 * longest * features) bytes = kernels.resident(new Uint8Array(2 * longest * features));
      places.fill(nowhere);
      yield* readAhead(spans, async (span, turn) => {
        await readSpan(way.order, span, turn * longest);
        return span;
      });
    },
  };
}

const nowhere = -1;

/** The spans of a way: up to the batch in which an end lies, and no longer than `most` examples where a batch is not.
 *  @returns in order, without a hole */
export function cutSpans({ order, ends, batch, from }: Way, most: number): Span[] {
  const m = order.length;
  const longest = Math.max(1, Math.floor(most / batch)) * batch;
  const spans: Span[] = [];
  let first = from;
  for (const end of ends) {
    const target = Math.min(m, Math.ceil(end / batch) * batch);
    while (first < target) {
      const next = Math.min(target, first + longest);
      spans.push({ first, end: next });
      first = next;
    }
  }
  return spans;
}
