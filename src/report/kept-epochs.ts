import type { Divergence, JournalLine } from '../results/journal.ts';
import type { StoredEpoch } from './run-report.ts';

/** What a journal tells a page, as far as it is kept. */
export interface KeptEpochs {
  /** of the final training, or of the last fold while there is none */
  epochs: readonly StoredEpoch[];
  fold: number | null;
  diverged: Divergence | null;
}

/** Epochs that are kept at most: several times what a chart draws. */
const mostKept = 8192;
/** Of so many in a row the extremes stay. */
const together = 16;

/** Keeps the lines of a journal as they come. Of more epochs than it may keep, the first, the last, and of each few in a row the extremes of cost
 *  and accuracy on train and dev stay, so that no extreme is lost however long a training is. */
export function epochKeeper(most = mostKept): { add(line: JournalLine): void; kept(): KeptEpochs } {
  let epochs: StoredEpoch[] = [];
  let fold: number | null = null;
  let diverged: Divergence | null = null;
  return {
    add(line) {
      const own = line.fold ?? null;
      if (own !== fold) [epochs, fold, diverged] = [[], own, null];
      if ('diverged' in line) diverged = line.diverged;
      else epochs.push(withoutNulls(line as StoredEpoch));
      if (epochs.length > most) epochs = thinnedEpochs(epochs);
    },
    kept: () => ({ epochs, fold, diverged }),
  };
}

const measured: ((epoch: StoredEpoch) => number | undefined)[] = [
  ({ cost }) => cost,
  ({ train }) => train.accuracy,
  ({ dev }) => dev?.cost,
  ({ dev }) => dev?.accuracy,
];

function thinnedEpochs(epochs: readonly StoredEpoch[]): StoredEpoch[] {
  const kept: StoredEpoch[] = [];
  const last = epochs.length - 1;
  for (let start = 0; start < epochs.length; start += together) {
    const group = epochs.slice(start, start + together);
    const extreme = (value: (epoch: StoredEpoch) => number | undefined, sign: 1 | -1) =>
      group.reduce<StoredEpoch | null>((best, one) => {
        const own = value(one);
        if (own === undefined || Number.isNaN(own)) return best;
        return best === null || sign * own < sign * value(best)! ? one : best;
      }, null);
    const chosen = new Set([
      ...measured.flatMap((value) => [extreme(value, 1), extreme(value, -1)]),
      ...(start === 0 ? [epochs[0]!] : []),
      ...(start + together > last ? [epochs[last]!] : []),
    ]);
    kept.push(...group.filter((one) => chosen.has(one)));
  }
  return kept;
}

/** JSON has null for what is no number. Lines of numbers alone, which nearly all are, stay as they are. */
function withoutNulls(line: StoredEpoch): StoredEpoch {
  const isWhole = line.cost !== null && (line.dev === null || line.dev.cost !== null) && !line.layers?.some(hasNull);
  if (isWhole) return line;
  const dev = line.dev && { ...line.dev, cost: line.dev.cost ?? Number.NaN };
  const known = (norms: object) =>
    Object.fromEntries(Object.entries(norms).map(([name, value]) => [name, value ?? Number.NaN])) as NonNullable<
      StoredEpoch['layers']
    >[number];
  return { ...line, cost: line.cost ?? Number.NaN, dev, layers: line.layers?.map(known) ?? null };
}

function hasNull(norms: object): boolean {
  for (const name in norms) if (norms[name as keyof typeof norms] === null) return true;
  return false;
}
