import { readFileSync } from 'node:fs';

/** An array of steps.json: row after row, in the course's orientation. */
export interface GoldenArray {
  shape: number[];
  data: number[];
}

const read = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));

/** Single formulas, computed with NumPy. */
export const steps = read('./steps.json');

export interface CourseRun {
  dims: number[];
  learning_rate: number;
  iterations: number;
  seed: number;
  first_weights: number[];
  costs: Record<string, number>;
  final_cost: number;
  train_accuracy: number;
  test_accuracy: number;
  test_probabilities: number[];
  weight_norms: number[];
}

/** Whole trainings on the course's pictures, computed with NumPy. */
export const courseRuns: Record<string, CourseRun> = read('./course.json').runs;

/** (n, m) with a column per example, as the course has it, to example after example, as it lies in memory. */
export function examplesFirst({ shape, data }: GoldenArray): Float64Array {
  const [rows, columns] = shape as [number, number];
  const out = new Float64Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c]!;
  return out;
}

/** The largest |a − b| / max(1, |b|) of two arrays. */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }
  return worst;
}

/** Tests of two samples: Fisher's of shares, in fractions, and Welch's of means, integrated. */
export const twoSamples: {
  /** positive and total of one, positive and total of the other */
  fisher: { table: [number, number, number, number]; p: number }[];
  welch: { x: number[]; y: number[]; p: number; 'deviations apart': number }[];
} = read('./two-samples.json');

/** Convolution and pooling, forward and backward: images as (m, height, width, channels), by loops over places in NumPy. */
export const windowCases: (Record<'kind' | 'padding', string> & Record<string, number | number[] | string>)[] =
  read('./windows.json');
