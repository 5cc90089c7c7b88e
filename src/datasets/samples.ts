import { ascending } from '../data/batches.ts';
import { fewImages, readAhead, type StoredPixels } from '../data/pixels.ts';
import type { Batch, InputScaling, Kernels } from '../kernels/kernels.ts';
import type { BatchOf } from '../nn/input/input-form.ts';

/** The labelled images of a split, as a training or an evaluation goes through them. */
export interface Samples {
  labels: Uint8Array;
  /** The pictures at `indices`, or the first `count`; where they are read, those of the present window alone, and `indices` is a
   *  piece of the order itself. */
  batch: BatchOf;
  /** The first `count` pictures, whatever the present window: for a try. */
  first(count: number): Batch;
  /** An epoch's order in windows: while one lasts, `batch` finds its pictures. Where they are read, the next window is on its way. */
  windows(order: SampleOrder): AsyncIterable<Window>;
}

/** In which order pictures are wanted. */
export interface SampleOrder {
  /** every example once */
  order: Int32Array;
  /** where a window may end, ascending, the last at the end: what lies between two of them is read well in one piece */
  ends: readonly number[];
  /** examples that are taken together; no window parts them */
  batch: number;
  /** the first position that is wanted, where a batch begins */
  from: number;
}

/** Positions in the order. */
export interface Window {
  first: number;
  /** the one after the last */
  end: number;
}

/** Samples that are in memory. */
export function inMemory(labels: Uint8Array, batch: BatchOf): Samples {
  return { labels, batch, first: (count) => batch(null, count), windows: oneWindow };
}

/** The one window of pictures that need not be read. */
async function* oneWindow({ order, from }: SampleOrder): AsyncGenerator<Window> {
  yield { first: from, end: order.length };
}

/** Pictures in memory, which the kernels read without copying where there is room. */
export function bytesInMemory(pixels: Uint8Array, scaling: InputScaling, kernels: Kernels): BatchOf {
  const features = scaling.scale.length;
  const bytes = kernels.pin(pixels);
  return (indices, count) => ({ kind: 'bytes', bytes, indices, count, features, scaling });
}

/**
 * Pictures that are read as training comes to them: a span of them lies in the memory of the kernels, and while it is worked
 * on the next one is read beside it. The same batches as those of pictures in memory, and so the same bits.
 */
export function stored(labels: Uint8Array, pixels: StoredPixels, scaling: InputScaling, kernels: Kernels): Samples {
  const { features } = pixels;
  let bytes: Uint8Array = new Uint8Array();
  let present: PresentSpan | null = null;

  /** Reads a span into the half of the bytes that begins with row `start`, in the order of the file. */
  async function readSpan(order: Int32Array, span: Window, start: number, scratch: SortingScratch): Promise<PresentSpan> {
    const { sorted, places } = sortRows(order.subarray(span.first, span.end), start, scratch);
    await pixels.read(sorted, bytes.subarray(start * features, (start + sorted.length) * features));
    return { order, span, places };
  }

  return {
    labels,
    batch: (indices, count) => {
      return { kind: 'bytes', bytes, indices: placesIn(present, indices, count), count, features, scaling };
    },
    first: (count) => {
      const few = fewImages(pixels, ascending(count), features);
      return { kind: 'bytes', bytes: few, indices: null, count, features, scaling };
    },
    async *windows(way) {
      const spans = cutSpans(way, mostInSpan(pixels));
      const longest = spans.reduce((most, { first, end }) => Math.max(most, end - first), 0);
      if (bytes.length < 2 * longest * features) bytes = kernels.pin(new Uint8Array(2 * longest * features));
      const scratches = [sortingScratch(longest), sortingScratch(longest)] as const;
      for await (const read of readAhead(spans, (span, turn) => readSpan(way.order, span, turn * longest, scratches[turn]))) {
        present = read;
        yield read.span;
      }
    },
  };
}

/** The span that lies in the bytes, and where: `places` are those of its pictures, in the order of the way. */
interface PresentSpan {
  order: Int32Array;
  span: Window;
  places: Int32Array;
}

/** Where a batch lies. @param indices  a piece of the way's order: where it stands there says which pictures they are, so that
 *  nothing need be kept for those that are not in memory */
function placesIn(present: PresentSpan | null, indices: Int32Array | null, count: number): Int32Array {
  if (present === null) throw new Error('pictures are wanted before they are read');
  const { order, span, places } = present;
  const position = indices === null ? 0 : (indices.byteOffset - order.byteOffset) / order.BYTES_PER_ELEMENT;
  const within = position >= span.first && position + count <= span.end && (indices === null || indices.buffer === order.buffer);
  if (!within) throw new Error('a batch is wanted that is not of the span that was read');
  return places.subarray(position - span.first, position - span.first + count);
}

/** Room to sort the rows of a span, for one after the other: arrays that are dropped wait long for a collection, since a step makes few
 *  objects. */
interface SortingScratch {
  keys: Float64Array;
  sorted: Int32Array;
  places: Int32Array;
}

function sortingScratch(length: number): SortingScratch {
  return { keys: new Float64Array(length), sorted: new Int32Array(length), places: new Int32Array(length) };
}

/** Some rows in ascending order, and for each the place that it has there, from `start` on. */
function sortRows(rows: Int32Array, start: number, scratch: SortingScratch): Omit<SortingScratch, 'keys'> {
  const { length } = rows;
  const keys = scratch.keys.subarray(0, length);
  const sorted = scratch.sorted.subarray(0, length);
  const places = scratch.places.subarray(0, length);
  for (let i = 0; i < length; i++) keys[i] = rows[i]! * length + i; // below 2^53: rows are numbered by Int32, and a span is short
  keys.sort();
  for (let rank = 0; rank < length; rank++) {
    const i = keys[rank]! % length;
    sorted[rank] = rows[i]!;
    places[i] = start + rank;
  }
  return { sorted, places };
}

/** A span is worked on while the next is read. */
const mostInSpan = ({ budgetBytes, features }: Pick<StoredPixels, 'budgetBytes' | 'features'>) =>
  Math.floor(budgetBytes / 2 / features);

/** Images that lie in the memory of the kernels at once, of m that are read: two of the longest spans.
 *  @param way  a batch, and how far apart the ends of an order are at most */
export function imagesRead(
  m: number,
  { batch, window }: { batch: number; window: number },
  pixels: Pick<StoredPixels, 'budgetBytes' | 'features'>,
): number {
  const most = Math.max(1, Math.floor(mostInSpan(pixels) / batch));
  return 2 * Math.min(m, Math.min(most, Math.ceil(window / batch)) * batch);
}

/** The spans of a way: up to the batch in which an end lies, and no longer than `most` examples where a batch is not.
 *  @returns in order, without a hole */
export function cutSpans({ order, ends, batch, from }: SampleOrder, most: number): Window[] {
  const m = order.length;
  const longest = Math.max(1, Math.floor(most / batch)) * batch;
  const spans: Window[] = [];
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
