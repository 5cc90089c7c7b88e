import { extname } from 'node:path';
import { type DuplicateCluster, type DuplicateKind, kindOf } from '../duplicates.ts';
import { formatNamed } from '../image-formats.ts';
import { groupBy, type SplitName } from '../split.ts';
import { classNameOf, type ImageTable, nameOf, type SplitOf } from './image-table.ts';

/** Of 255: in a blank picture no channel has a larger standard deviation. A flat JPEG has 0 to 1, a picture at a fiftieth of its
 *  light 1; the least of 4,759 photographs was 14.8. It is low because removal is proposed. */
export const blankContrast = 3;
/** In a dark picture 95% of the pixels are darker than this, of 255. The darkest of 4,759 photographs, a black cat in the
 *  dark, had 59. */
export const darkHighlight = 50;
/** Blurred below this sharpness at 128 pixels. Photographs blurred there with σ = 2 pixels had 0.006 (median), 95% of them
 *  less than 0.02; of 4,759 photographs as they are one had less, and it is blurred. */
export const blurredSharpness = 0.015;
/** Longer side over shorter. From 3 on, `fit: "cover"` cuts off two thirds of the picture and more. */
export const extremeAspect = 3;

/** What `nn data clean` proposes: to take pictures out, or that a person looks at them. */
export type Proposal = 'remove' | 'look';

interface KindEntry {
  title: string;
  /** what to do about it */
  advice: string;
  proposal: Proposal;
}

/** All that can be wrong with single pictures or groups of them, worst first. */
export const findingKinds = {
  unreadable: {
    title: 'unreadable',
    advice: 'They are damaged, and training leaves them out. Fetch them again, or remove them with nn data clean.',
    proposal: 'remove',
  },
  unread: {
    title: 'not read, though they may be sound',
    advice: 'Training leaves them out. Give the right to read them, or save them as their line says.',
    proposal: 'look',
  },
  twoLabels: {
    title: 'the same picture under two labels',
    advice: 'One of the labels is wrong: look, and remove the wrong one. Each of them counts as an error whatever is learnt.',
    proposal: 'look',
  },
  leak: {
    title: 'the same picture in two parts',
    advice: 'What was learnt by heart looks like success on the other part. Keep all copies of a picture in one part.',
    proposal: 'look',
  },
  duplicate: {
    title: 'exact duplicates',
    advice:
      'They count several times in training and make figures look surer than they are. Keep one of each with nn data clean.',
    proposal: 'remove',
  },
  nearDuplicate: {
    title: 'near duplicates',
    advice:
      'The same picture resized, recompressed, mirrored or a little changed. Keep the best of each; training keeps all of them in one part.',
    proposal: 'look',
  },
  blank: {
    title: 'blank',
    advice: 'They show nothing, so their label teaches nothing that holds. Remove them.',
    proposal: 'remove',
  },
  dark: {
    title: 'dark',
    advice: 'Look whether one can tell what they show; if not, brighten or remove them.',
    proposal: 'look',
  },
  blurred: {
    title: 'blurred',
    advice: 'Look whether one can tell what they show; small pictures that were enlarged look so too.',
    proposal: 'look',
  },
  aspect: {
    title: `longer than ${extremeAspect} to 1`,
    advice: 'The middle square hides most of them: crop them by hand, or use fit "contain" for this source.',
    proposal: 'look',
  },
  extension: {
    title: 'another format than the extension says',
    advice: 'nn reads them all the same; other programs may not. Rename them.',
    proposal: 'look',
  },
} as const satisfies Record<string, KindEntry>;

export type FindingKind = keyof typeof findingKinds;

export interface Finding {
  kind: FindingKind;
  groups: FindingGroup[];
}

/** Pictures that belong together in a finding: one, or those that are alike with the one to keep first. */
export interface FindingGroup {
  pictures: FlaggedImage[];
  why: string;
}

/** A picture that a person is shown. */
export interface FlaggedImage {
  name: string;
  label: string;
  /** null where the data has no parts */
  part: SplitName | null;
  /** where it comes from: indices of the source, and in it */
  source: number;
  index: number;
}

/** All findings that there are, worst first; kinds of which there is none are left out.
 *  @param clusters  of the readable pictures, as `findDuplicates` gives them */
export function findAll(table: ImageTable, clusters: readonly DuplicateCluster[], splitOf: SplitOf): Finding[] {
  const of: Record<FindingKind, FindingGroup[]> = {
    unreadable: unreadableGroups(table, true),
    unread: unreadableGroups(table, false),
    ...copies(table, clusters, splitOf),
    ...oddImages(table, splitOf),
  };
  return (Object.keys(findingKinds) as FindingKind[]).flatMap((kind) =>
    of[kind].length > 0 ? [{ kind, groups: of[kind] }] : [],
  );
}

/** @param i  of the readable pictures */
export function flaggedImage(table: ImageTable, i: number, splitOf: SplitOf): FlaggedImage {
  return {
    name: nameOf(table, i),
    label: classNameOf(table.sources[table.sourceOf[i]!]!, table.indexOf[i]!),
    part: splitOf(i),
    source: table.sourceOf[i]!,
    index: table.indexOf[i]!,
  };
}

function unreadableGroups(table: ImageTable, damaged: boolean): FindingGroup[] {
  const found = table.unreadable.filter(({ isDamaged }) => isDamaged === damaged);
  return found.map(({ source, index, reason }) => {
    const from = table.sources[source]!;
    const picture = { name: from.source.name(index), label: classNameOf(from, index), part: from.split, source, index };
    return { pictures: [picture], why: reason };
  });
}

type CopyKind = 'twoLabels' | 'leak' | 'duplicate' | 'nearDuplicate';

const alikeness: Record<DuplicateKind, string> = {
  exact: 'the same pixels',
  near: 'the same picture',
  mirrored: 'the same picture, one of them mirrored',
};

/** The clusters of copies, each for the worst that can be said of it. Blank pictures are all alike, and found as such. */
function copies(table: ImageTable, clusters: readonly DuplicateCluster[], splitOf: SplitOf): Record<CopyKind, FindingGroup[]> {
  const out: Record<CopyKind, FindingGroup[]> = { twoLabels: [], leak: [], duplicate: [], nearDuplicate: [] };
  for (const cluster of clusters) {
    const members = cluster.members.filter((i) => !isBlank(table, i));
    const contents = [...groupBy(members, (i) => table.hashes[i]!).values()];
    const group = (indices: readonly number[], why: string) => ({
      pictures: indices.map((i) => flaggedImage(table, i, splitOf)),
      why,
    });
    const alike = contents.length === 1 ? 'the same content' : alikeness[kindOf(cluster)];
    const several = (of: (i: number) => unknown) => new Set(members.map(of).filter((one) => one !== null)).size > 1;
    if (haveTwoLabels(table, members)) out.twoLabels.push(group(members, alike));
    else if (several(splitOf)) out.leak.push(group(members, alike));
    else {
      for (const same of contents) if (same.length > 1) out.duplicate.push(group(same, 'the same content'));
      const first = bestFirst(
        table,
        contents.map((same) => same[0]!),
      );
      if (first.length > 1) out.nearDuplicate.push(group(first, alike));
    }
  }
  return out;
}

/** Whether a source has some pictures under several of its classes, or one is positive and another is not. */
function haveTwoLabels({ sources, sourceOf, indexOf, labels }: ImageTable, members: readonly number[]): boolean {
  const different = (of: (i: number) => unknown) => new Set(members.map(of)).size;
  const classOf = (i: number) => `${sourceOf[i]} ${sources[sourceOf[i]!]!.source.classOf(indexOf[i]!)}`;
  return different((i) => labels[i]) > 1 || different(classOf) > different((i) => sourceOf[i]);
}

/** Of near duplicates the one to keep first: that of most pixels, and of as many that of most bytes, since copies are made smaller,
 *  recompressed or blurred. */
function bestFirst({ widths, heights, bytes }: ImageTable, members: readonly number[]): number[] {
  const pixels = (i: number) => widths[i]! * heights[i]!;
  return members.toSorted((a, b) => pixels(b) - pixels(a) || bytes[b]! - bytes[a]! || a - b);
}

/** What is odd about one picture by itself; a blank one is not called dark or blurred as well. */
function oddImages(table: ImageTable, splitOf: SplitOf): Record<OddKind, FindingGroup[]> {
  const out: Record<OddKind, FindingGroup[]> = { blank: [], dark: [], blurred: [], aspect: [], extension: [] };
  for (let i = 0; i < table.count; i++) {
    for (const kind of oddKinds) {
      const why = oddities[kind](table, i);
      if (why === null) continue;
      out[kind].push({ pictures: [flaggedImage(table, i, splitOf)], why });
      if (kind === 'blank') break;
    }
  }
  return out;
}

function isBlank({ measures }: ImageTable, i: number): boolean {
  return measures.contrast[i]! < blankContrast;
}

type OddKind = 'blank' | 'dark' | 'blurred' | 'aspect' | 'extension';

/** Says why a picture is odd, or null. */
const oddities: Record<OddKind, (table: ImageTable, i: number) => string | null> = {
  blank: (table, i) =>
    isBlank(table, i) ? `contrast ${table.measures.contrast[i]!.toFixed(1)} of 255, below ${blankContrast}` : null,
  dark: ({ measures }, i) =>
    measures.highlight[i]! < darkHighlight ? `95% of it darker than ${measures.highlight[i]! + 1} of 255` : null,
  blurred: ({ measures }, i) =>
    measures.sharpness[i]! < blurredSharpness
      ? `sharpness ${measures.sharpness[i]!.toPrecision(3)}, below ${blurredSharpness}`
      : null,
  aspect: ({ widths, heights }, i) => {
    const [width, height] = [widths[i]!, heights[i]!];
    return Math.max(width, height) >= extremeAspect * Math.min(width, height) ? `${width}×${height} pixels` : null;
  },
  extension: (table, i) => {
    const extension = extname(nameOf(table, i)).toLowerCase();
    const expected = formatNamed(nameOf(table, i));
    const found = table.formatNames[table.formats[i]!]!;
    return expected === undefined || expected === found || found === 'pixels' ? null : `${found}, not ${extension}`;
  },
};
const oddKinds = Object.keys(oddities) as OddKind[];
