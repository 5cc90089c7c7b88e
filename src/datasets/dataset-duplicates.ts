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
import { allocatePerceptualHashes, setPerceptualHash, setPixelHash } from '../data/perceptual-hash.ts';
import { pixelBlocks } from '../data/pixels.ts';
import type { SplitName } from '../data/split.ts';
import { grouped } from '../text.ts';

/** Looking for copies before every training takes 0.1 ms a picture and more; beyond so many it is left to `nn data inspect`. */
export const maximumCompared = 50_000;

/** The pictures of one source. */
export interface SourceImages {
  examples: ExampleSet;
  /** each was made on its own: however alike, only the very same pixels are copies */
  isIndependent: boolean;
}

export interface DatasetDuplicates {
  clusters: DuplicateCluster[];
  /** of all pictures, source after source: the cluster, −1 for a single; null where all are singles */
  of: Int32Array | null;
  notes: string[];
}

/** Every picture is taken for a single. */
export const noDuplicates: DatasetDuplicates = { clusters: [], of: null, notes: [] };

/** The duplicates among the pictures of all sources; indices go on from one source to the next. */
export async function findDatasetDuplicates(sources: readonly SourceImages[], imageSize: number): Promise<DatasetDuplicates> {
  const m = sources.reduce((sum, { examples }) => sum + examples.labels.length, 0);
  if (m > maximumCompared)
    return { ...noDuplicates, notes: sources.every(({ isIndependent }) => isIndependent) ? [] : [tooMany(m)] };
  const prints = allocatePerceptualHashes(m);
  let at = 0;
  for (const { examples, isIndependent } of sources) {
    const { features } = examples;
    for await (const { bytes, count } of pixelBlocks(examples.pixels, features)) {
      for (let i = 0; i < count; i++, at++) {
        const image = bytes.subarray(i * features, (i + 1) * features);
        if (isIndependent) setPixelHash(prints, at, image);
        else setPerceptualHash(prints, at, image, imageSize);
      }
    }
  }
  const clusters = findDuplicates(prints);
  return clusters.length === 0 ? noDuplicates : { clusters, of: clusterOfEach(clusters, m), notes: [] };
}

function tooMany(m: number): string {
  return (
    `data: copies of a picture are not looked for among ${grouped(m)} pictures, ` +
    `only among ${grouped(maximumCompared)} or fewer: nn data inspect finds them`
  );
}

/** What stands where, to speak of copies. */
export interface ImagePlaces {
  labels: ArrayLike<number>;
  names: ArrayLike<string>;
  /** undefined for what no part holds */
  splits: ArrayLike<SplitName | undefined>;
  classes: Classes;
}

/** What the user should know of the copies: a picture under two labels, in two parts, or kept together. */
export function duplicateNotes(clusters: readonly DuplicateCluster[], { labels, names, splits, classes }: ImagePlaces): string[] {
  const labelOf = (i: number) => (labels[i] === 1 ? classes.positive : classes.negative);
  const twoLabels = clustersAcross(clusters, labels);
  const leaks = clusters.filter(({ members }) => new Set(members.map((i) => splits[i]).filter(Boolean)).size > 1);
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
    const which = list(leaks, (i) => splits[i] ?? 'left out');
    notes.push(`data: ${counted(leaks.length)} in two parts, so what was learnt by heart looks like success: ${which}`);
  }
  if (kept.length > 0) {
    const copies = kept.reduce((sum, { members }) => sum + members.length - 1, 0);
    const what = copies === 1 ? '1 picture is a copy of another' : `${copies} pictures are copies of others`;
    notes.push(`data: ${what} in the same part: ${list(kept, (i) => splits[i] ?? 'left out')}`);
  }
  return notes;
}

const mostListed = 5;
const mostMembers = 4;

const alikeness: Record<DuplicateKind, string> = { exact: 'the same pixels', near: 'nearly the same', mirrored: 'mirrored' };

function counted(clusters: number): string {
  return clusters === 1 ? '1 picture stands' : `${clusters} pictures stand`;
}
