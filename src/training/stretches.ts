import type { Parameters } from '../model/network.ts';

/** Neighbouring parameters that the optimizer moves at one rate: each piece of its own costs a call of the kernels. */
export interface Stretch {
  start: number;
  end: number;
  /** whose rate it is */
  layer: number;
  /** what multiplies the rate for each column of W, or null */
  byColumn: Float64Array | null;
}

/** What the optimizer is to move: all but moving averages, and but the first W where that moves with its gradient. */
export function stretchesOf(
  { learningRates, rateByFeature }: { learningRates: readonly number[]; rateByFeature: Float64Array | null },
  { segments }: Parameters,
  fuses: boolean,
): Stretch[] {
  const stretches: Stretch[] = [];
  for (const { trained, decayed, layer, offset: start, length } of segments) {
    if (!trained || (fuses && start === 0)) continue;
    const byColumn = decayed && layer === 0 ? rateByFeature : null;
    const last = stretches.at(-1);
    const joins = last?.end === start && !last.byColumn && !byColumn && learningRates[last.layer] === learningRates[layer];
    if (joins) last.end += length;
    else stretches.push({ start, end: start + length, layer, byColumn });
  }
  return stretches;
}
