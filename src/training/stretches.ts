import type { Parameters } from '../model/network.ts';

/** Neighbouring parameters that the optimizer moves at one rate: each piece of its own costs a call of the kernels. */
export interface ParameterGroup {
  start: number;
  end: number;
  /** whose rate it is */
  layer: number;
  /** what multiplies the rate for each column of W, or null */
  featureRates: Float64Array | null;
}

/** What the optimizer is to move: all but moving averages, and but the first W where that moves with its gradient. */
export function parameterGroups(
  { learningRates, featureLearningRates }: { learningRates: readonly number[]; featureLearningRates: Float64Array | null },
  { specs: segments }: Parameters,
  fuses: boolean,
): ParameterGroup[] {
  const stretches: ParameterGroup[] = [];
  for (const { trained, decayed, layer, offset: start, length } of segments) {
    if (!trained || (fuses && start === 0)) continue;
    const byColumn = decayed && layer === 0 ? featureLearningRates : null;
    const last = stretches.at(-1);
    const joins = last?.end === start && !last.featureRates && !byColumn && learningRates[last.layer] === learningRates[layer];
    if (joins) last.end += length;
    else stretches.push({ start, end: start + length, layer, featureRates: byColumn });
  }
  return stretches;
}
