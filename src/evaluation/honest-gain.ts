import type { Random } from '../random.ts';
import { type Gain, gainOf, type Judged } from './gain.ts';

/** The pictures that chose, in two halves. */
export interface Halves {
  /** of each picture 0 or 1 */
  half: Uint8Array;
  /** which treatment each half chose; null where none was better than the baseline */
  chosen: readonly [number | null, number | null];
}

/** Divides pictures into two halves with as many of each label, as nearly as can be.
 *  @returns of each picture 0 or 1 */
export function halvesOf(labels: Uint8Array, random: Random): Uint8Array {
  const half = new Uint8Array(labels.length);
  let turn = 0;
  for (const label of [0, 1]) {
    const members = Array.from(labels.keys()).filter((i) => labels[i] === label);
    for (const i of random.shuffle(members)) half[i] = turn++ % 2;
  }
  return half;
}

/** Of each half the treatment of the largest gain on it. What choosing gained by luck stays within the half that chose.
 *  @param right.treatments  one list of seeds a treatment, as in `Judged` */
export function chooseByHalves(
  half: Uint8Array,
  right: { baseline: readonly Uint8Array[]; treatments: readonly (readonly Uint8Array[])[]; weights?: Float64Array },
): Halves {
  const choose = (which: number) => {
    const own = right.weights?.map((weight, i) => (half[i] === which ? weight : 0));
    const weights = own ?? Float64Array.from(half, (one) => (one === which ? 1 : 0));
    const gains = right.treatments.map((treatment) => gainOver(right.baseline, treatment, weights));
    const best = Math.max(0, ...gains);
    return best > 0 ? gains.indexOf(best) : null;
  };
  return { half, chosen: [choose(0), choose(1)] };
}

/** Σ w d, which is the gain but for a factor. */
function gainOver(baseline: readonly Uint8Array[], treatment: readonly Uint8Array[], weights: Float64Array): number {
  let sum = 0;
  for (const [s, right] of baseline.entries())
    for (let i = 0; i < weights.length; i++) sum += weights[i]! * (treatment[s]![i]! - right[i]!);
  return sum;
}

/**
 * What the choice gains, measured by seeds and pictures that had no part in it: each half's pictures judge what the other half chose.
 * @param fresh.treatment  the answers of a chosen treatment with fresh seeds, right[s][i]; only what was chosen is asked for
 */
export function honestGain(
  { half, chosen }: Halves,
  fresh: {
    baseline: readonly Uint8Array[];
    treatment(index: number): readonly Uint8Array[];
    weights?: Float64Array;
  },
  level = 0.95,
): Gain {
  const rightOf = chosen.map((index) => (index === null ? fresh.baseline : fresh.treatment(index)));
  const treatment = fresh.baseline.map((_, s) => Uint8Array.from(half, (which, i) => rightOf[1 - which]![s]![i]!));
  const judged: Judged = { baseline: fresh.baseline, treatment, ...(fresh.weights && { weights: fresh.weights }) };
  return gainOf(judged, level);
}
