import { namedRandom } from '../random.ts';
import { type PerceptualHashes, shapeLength, shapeRuns } from './perceptual-hash.ts';

/** How two pictures are the same. */
export const duplicateKinds = {
  exact: 'the same pixels, once decoded',
  near: 'the same picture, resized, recompressed or a little changed',
  mirrored: 'the same picture, left and right exchanged',
} as const;
export type DuplicateKind = keyof typeof duplicateKinds;

/** What a training does about them. */
export const duplicateTreatments = {
  keepTogether: 'looked for before every training; a split keeps them in one part, and those in two given parts are reported',
  ignore: 'not looked for',
} as const;

export interface DuplicateLink {
  /** indices of two pictures, a < b */
  a: number;
  b: number;
  kind: DuplicateKind;
  /** 1 − the correlation of their shapes: 0 for the same pixels, below 1 − `leastDetail` else */
  distance: number;
}

/** Pictures that are one and the same, as far as links reach. */
export interface DuplicateCluster {
  /** indices, ascending; two or more */
  members: number[];
  /** one fewer than members: each was joined by one of them. Not all pairs are compared */
  links: DuplicateLink[];
}

/** Two pictures are near duplicates where their shapes correlate at least so much, in the inner frequencies and in all.
 *  Of 22 million pairs of different photographs none came near (docs/duplicates.md). */
const leastCoarse = 0.92;
export const leastDetail = 0.85;

/** Candidates are pictures that share a band: as many signs of random projections of their shapes. */
const bands = 24;
const leastBits = 8;
const mostBits = 20;
/** In a band's bucket a picture is compared with as many others at most, so that time grows with the number of pictures
 *  even where all are alike. */
const mostCompared = 256;

/**
 * The clusters of pictures that are the same, in time that grows as m log m: 100,000 take seconds.
 * The result does not depend on the order of the pictures, but for that of the clusters: by their first members.
 */
export function findDuplicates(prints: PerceptualHashes): DuplicateCluster[] {
  const order = byHash(prints);
  const parent = Int32Array.from({ length: prints.count }, (_, i) => i);
  const links: DuplicateLink[] = [];
  const join = (a: number, b: number, kind: DuplicateKind, distance: number) => {
    if (!unite(parent, a, b)) return;
    links.push({ a: Math.min(a, b), b: Math.max(a, b), kind, distance });
  };
  const distinct = order.filter((i, at) => {
    if (at === 0 || !sameHash(prints, order[at - 1]!, i)) return true;
    join(order[at - 1]!, i, 'exact', 0);
    return false;
  });
  joinAlike(prints, distinct, parent, join);
  return clustersOf(parent, links);
}

/** The cluster of each of m pictures, from 0; −1 for a picture of which there is one alone. */
export function clusterOfEach(clusters: readonly DuplicateCluster[], m: number): Int32Array {
  const out = new Int32Array(m).fill(-1);
  for (const [cluster, { members }] of clusters.entries()) for (const member of members) out[member] = cluster;
  return out;
}

/** The clusters whose members differ in something: their label, or their part.
 *  @param of  what it is, for each picture */
export function clustersAcross(clusters: readonly DuplicateCluster[], of: ArrayLike<unknown>): DuplicateCluster[] {
  return clusters.filter(({ members }) => members.some((member) => of[member] !== of[members[0]!]));
}

/** What to call a cluster: the loosest of its links. */
export function kindOf({ links }: DuplicateCluster): DuplicateKind {
  const kinds = Object.keys(duplicateKinds) as DuplicateKind[];
  return kinds.findLast((kind) => links.some((link) => link.kind === kind)) ?? 'exact';
}

/** Pictures by the hash of their pixels: an order that only their content decides. */
function byHash({ count, pixelHashes: hashes }: PerceptualHashes): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => hashes[2 * a]! - hashes[2 * b]! || hashes[2 * a + 1]! - hashes[2 * b + 1]! || a - b,
  );
}

function sameHash({ pixelHashes: hashes }: PerceptualHashes, a: number, b: number): boolean {
  return hashes[2 * a] === hashes[2 * b] && hashes[2 * a + 1] === hashes[2 * b + 1];
}

/** Joins pictures with alike shapes.
 *  @param distinct  one of each kind of pixels, in an order of their content */
function joinAlike(
  { shapes }: PerceptualHashes,
  distinct: Int32Array,
  parent: Int32Array,
  join: (a: number, b: number, kind: DuplicateKind, distance: number) => void,
): void {
  const norms = normsOf(shapes, distinct);
  const told = Array.from(distinct.keys()).filter((k) => norms.coarse[k]! > 0);
  const bits = Math.min(mostBits, Math.max(leastBits, 28 - Math.clz32(told.length)));
  for (let band = 0; band < bands; band++) {
    const keys = bandKeys(shapes, distinct, band, bits);
    for (const bucket of bucketsOf(told, keys, bits)) {
      const leaders: number[] = []; // one of each cluster that the bucket has shown
      for (const k of bucket) {
        const found = leaders.findLast((leader) => {
          const [a, b] = [distinct[leader]!, distinct[k]!];
          if (find(parent, a) === find(parent, b)) return true;
          const alike = compare(shapes, norms, { leader, k, a, b });
          if (alike === null) return false;
          join(a, b, alike.kind, alike.distance);
          return true;
        });
        if (found === undefined) leaders.push(k);
        if (leaders.length > mostCompared) leaders.shift();
      }
    }
  }
}

interface Norms {
  coarse: Float64Array;
  all: Float64Array;
}

function normsOf(shapes: Int8Array, distinct: Int32Array): Norms {
  const norms: Norms = { coarse: new Float64Array(distinct.length), all: new Float64Array(distinct.length) };
  for (const [k, i] of distinct.entries()) {
    const at = i * shapeLength;
    norms.coarse[k] = Math.sqrt(product(shapes, at, at, 0, shapeRuns.inner));
    norms.all[k] = Math.sqrt(product(shapes, at, at, 0, shapeLength));
  }
  return norms;
}

/** Two shapes as they are and with one mirrored, whichever correlates more; null where they are not alike. */
function compare(
  shapes: Int8Array,
  { coarse, all }: Norms,
  { leader, k, a, b }: { leader: number; k: number; a: number; b: number },
): { kind: DuplicateKind; distance: number } | null {
  const [at, other] = [a * shapeLength, b * shapeLength];
  const even = product(shapes, at, other, 0, shapeRuns.innerEven);
  const odd = product(shapes, at, other, shapeRuns.innerEven, shapeRuns.inner);
  if (even + Math.abs(odd) < leastCoarse * coarse[leader]! * coarse[k]!) return null;
  const allEven = even + product(shapes, at, other, shapeRuns.inner, shapeRuns.outerEven);
  const allOdd = odd + product(shapes, at, other, shapeRuns.outerEven, shapeLength);
  const correlation = (allEven + Math.abs(allOdd)) / (all[leader]! * all[k]!);
  if (correlation < leastDetail) return null;
  return { kind: allOdd < 0 ? 'mirrored' : 'near', distance: Math.max(0, 1 - correlation) };
}

/** Σ over [from, to) of two shapes that start at the given places. */
function product(shapes: Int8Array, at: number, other: number, from: number, to: number): number {
  let sum = 0;
  for (let k = from; k < to; k++) sum += shapes[at + k]! * shapes[other + k]!;
  return sum;
}

/** A band of each picture: signs of random projections of what mirroring does not change, the inner frequencies of even u.
 *  The nearer two shapes, the fewer signs differ: a share of (angle between them) / π. */
function bandKeys(shapes: Int8Array, distinct: Int32Array, band: number, bits: number): Uint32Array {
  const length = shapeRuns.innerEven;
  const random = namedRandom(0, 'duplicates', band);
  const signs = Int8Array.from({ length: bits * length }, () => (random.uint32() & 1 ? 1 : -1));
  return Uint32Array.from(distinct, (i) => {
    let key = 0;
    for (let bit = 0; bit < bits; bit++) {
      let sum = 0;
      for (let k = 0; k < length; k++) sum += signs[bit * length + k]! * shapes[i * shapeLength + k]!;
      key = 2 * key + (sum < 0 ? 1 : 0);
    }
    return key;
  });
}

/** The pictures of each key that several have, in their order. */
function* bucketsOf(told: readonly number[], keys: Uint32Array, bits: number): Generator<Int32Array> {
  const ends = new Int32Array(2 ** bits + 1);
  for (const k of told) ends[keys[k]! + 1]!++;
  for (let key = 0; key < 2 ** bits; key++) ends[key + 1]! += ends[key]!;
  const places = ends.slice();
  const sorted = new Int32Array(told.length);
  for (const k of told) sorted[places[keys[k]!]!++] = k;
  for (let key = 0; key < 2 ** bits; key++) {
    if (ends[key + 1]! - ends[key]! > 1) yield sorted.subarray(ends[key], ends[key + 1]);
  }
}

function find(parent: Int32Array, i: number): number {
  while (parent[i] !== i) {
    parent[i] = parent[parent[i]!]!;
    i = parent[i]!;
  }
  return i;
}

/** @returns false where they were one already */
function unite(parent: Int32Array, a: number, b: number): boolean {
  const [rootA, rootB] = [find(parent, a), find(parent, b)];
  parent[rootA] = rootB;
  return rootA !== rootB;
}

function clustersOf(parent: Int32Array, links: readonly DuplicateLink[]): DuplicateCluster[] {
  const byRoot = new Map<number, DuplicateCluster>();
  for (const link of links) {
    const root = find(parent, link.a);
    const cluster = byRoot.get(root) ?? { members: [], links: [] };
    cluster.links.push(link);
    byRoot.set(root, cluster);
  }
  for (const cluster of byRoot.values()) {
    cluster.members = [...new Set(cluster.links.flatMap(({ a, b }) => [a, b]))].sort((a, b) => a - b);
    cluster.links.sort((x, y) => x.a - y.a || x.b - y.b);
  }
  return [...byRoot.values()].sort((x, y) => x.members[0]! - y.members[0]!);
}
