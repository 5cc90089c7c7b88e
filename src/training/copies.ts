import type { Classes } from '../data/classes.ts';
import {
  clusterOfEach,
  clustersAcross,
  type DuplicateCluster,
  type DuplicateKind,
  findDuplicates,
  kindOf,
} from '../data/duplicates.ts';
import type { ExampleSet } from '../data/examples.ts';
import { allocateFingerprints, setFingerprint, setPixelHash } from '../data/fingerprint.ts';
import { pixelBlocks } from '../data/pixels.ts';
import type { PartName } from '../data/split.ts';

import { grouped } from '../grouped.ts';

/** Looking for copies before every training takes 0.1 ms a picture and more; beyond so many it is left to `nn data inspect`. */
export const mostLookedAt = 50_000;

/** The pictures of one source. */
export interface SourcePictures {
  examples: ExampleSet;
  /** each was made on its own: however alike, only the very same pixels are copies */
  madeApart: boolean;
}

export interface Copies {
  clusters: DuplicateCluster[];
  /** of all pictures, source after source: the cluster, −1 for a single; null where all are singles */
  of: Int32Array | null;
  notes: string[];
}

/** Every picture is taken for a single. */
export const noCopies: Copies = { clusters: [], of: null, notes: [] };

/** The duplicates among the pictures of all sources; indices go on from one source to the next. */
export async function findCopies(sources: readonly SourcePictures[], imageSize: number): Promise<Copies> {
  const m = sources.reduce((sum, { examples }) => sum + examples.labels.length, 0);
  if (m > mostLookedAt) return { ...noCopies, notes: sources.every(({ madeApart }) => madeApart) ? [] : [tooMany(m)] };
  const prints = allocateFingerprints(m);
  let at = 0;
  for (const { examples, madeApart } of sources) {
    const { features } = examples;
    for await (const { bytes, count } of pixelBlocks(examples.pixels, features)) {
      for (let i = 0; i < count; i++, at++) {
        const picture = bytes.subarray(i * features, (i + 1) * features);
        if (madeApart) setPixelHash(prints, at, picture);
        else setFingerprint(prints, at, picture, imageSize);
      }
    }
  }
  const clusters = findDuplicates(prints);
  return clusters.length === 0 ? noCopies : { clusters, of: clusterOfEach(clusters, m), notes: [] };
}

function tooMany(m: number): string {
  return (
    `data: copies of a picture are not looked for among ${grouped(m)} pictures, ` +
    `only among ${grouped(mostLookedAt)} or fewer: nn data inspect finds them`
  );
}

/** What stands where, to speak of copies. */
export interface Placed {
  labels: ArrayLike<number>;
  names: ArrayLike<string>;
  /** undefined for what no part holds */
  parts: ArrayLike<PartName | undefined>;
  classes: Classes;
}

/** What the user should know of the copies: a picture under two labels, in two parts, or kept together. */
export function notesOfCopies(clusters: readonly DuplicateCluster[], { labels, names, parts, classes }: Placed): string[] {
  const labelOf = (i: number) => (labels[i] === 1 ? classes.positive : classes.negative);
  const twoLabels = clustersAcross(clusters, labels);
  const leaks = clusters.filter(({ members }) => new Set(members.map((i) => parts[i]).filter(Boolean)).size > 1);
  const kept = clusters.filter((cluster) => !leaks.includes(cluster) && !twoLabels.includes(cluster));
  const list = (found: readonly DuplicateCluster[], tell: (i: number) => string) => {
    const shown = found.slice(0, mostListed).map((cluster) => {
      const members = cluster.members.slice(0, mostMembers).map((i) => `${names[i]} (${tell(i)})`);
      const more = cluster.members.length > mostMembers ? ` and ${cluster.members.length - mostMembers} more` : '';
      return `${members.join(' = ')}${more}, ${alikeness[kindOf(cluster)]}`;
    });
    return `${shown.join('; ')}${found.length > mostListed ? '; …' : ''}`;
  };
  const notes: string[] = [];
  if (twoLabels.length > 0) {
    notes.push(`data: ${counted(twoLabels.length)} under both labels, so one of them is wrong: ${list(twoLabels, labelOf)}`);
  }
  if (leaks.length > 0) {
    const which = list(leaks, (i) => parts[i] ?? 'left out');
    notes.push(`data: ${counted(leaks.length)} in two parts, so what was learnt by heart looks like success: ${which}`);
  }
  if (kept.length > 0) {
    const copies = kept.reduce((sum, { members }) => sum + members.length - 1, 0);
    const what = copies === 1 ? '1 picture is a copy of another' : `${copies} pictures are copies of others`;
    notes.push(`data: ${what} in the same part: ${list(kept, (i) => parts[i] ?? 'left out')}`);
  }
  return notes;
}

const mostListed = 5;
const mostMembers = 4;

const alikeness: Record<DuplicateKind, string> = { exact: 'the same pixels', near: 'nearly the same', mirrored: 'mirrored' };

function counted(clusters: number): string {
  return clusters === 1 ? '1 picture stands' : `${clusters} pictures stand`;
}
