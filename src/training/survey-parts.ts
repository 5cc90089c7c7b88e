import type { Config } from '../config/schema.ts';
import { ascending } from '../data/batches.ts';
import { clusterOfEach, type DuplicateCluster } from '../data/duplicates.ts';
import { countPositive } from '../data/examples.ts';
import { type SquareColumns, squareMeasureNames } from '../data/inspection/measure.ts';
import { nameOf, type PartOf, type Survey } from '../data/inspection/survey.ts';
import { partNames } from '../data/split.ts';

import { UserError } from '../errors.ts';
import { mostLookedAt } from './copies.ts';
import { compareParts, notesOfDifferences, type PartDifference, type PartSeen, spreadRows } from './differences.ts';
import { type Divided, divide } from './divide.ts';

/** Where the pictures of a survey stand in a training, and how its parts differ. */
export interface SurveyParts {
  partOf: PartOf;
  differences: PartDifference[];
  /** what training would say of its parts */
  notes: string[];
}

/** The parts that a config gives or makes, to the picture as training has them.
 *  @param clusters  of the readable pictures, as `findDuplicates` gives them */
export async function partsOfSurvey(
  survey: Survey,
  clusters: readonly DuplicateCluster[],
  { data, seed }: Config,
): Promise<SurveyParts> {
  const divided = await divideFirst(survey, clusters, data, seed);
  const places = divided.indices === null ? null : placesOf(divided.indices, survey.count);
  const partOf: PartOf = (i) => {
    const source = survey.sourceOf[i]!;
    return places !== null && source === 0 ? (partNames[places[i]!] ?? null) : survey.sources[source]!.part;
  };
  const differences = compareParts(seeSurvey(survey, partOf, seed), survey.classes);
  return { partOf, differences, notes: [...divided.notes, ...notesOfDifferences(differences)] };
}

/** What training would do with the one source, or that of train. Where it would refuse, that is a note: the pictures are looked at
 *  all the same. */
async function divideFirst(
  survey: Survey,
  clusters: readonly DuplicateCluster[],
  data: Config['data'],
  seed: number,
): Promise<{ indices: Divided['indices'] | null; notes: string[] }> {
  const all = ascending(survey.count).filter((i) => survey.sourceOf[i] === 0); // they come first
  const { source } = survey.sources[0]!;
  const together = data.duplicates === 'keepTogether' && clusters.length > 0 && survey.count <= mostLookedAt;
  const divisible = {
    labels: survey.labels.slice(0, all.length),
    strata: source.classes.length > 2 ? Uint32Array.from(all, (i) => source.classOf(survey.indexOf[i]!)) : null,
    hashes: survey.hashes.slice(0, all.length),
    names: Array.from(all, (i) => nameOf(survey, i)),
    clusters: together ? clusterOfEach(clusters, survey.count).subarray(0, all.length) : null,
  };
  try {
    return (await divide(divisible, data, seed)) ?? { indices: null, notes: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { indices: null, notes: [error.message] };
  }
}

/** @returns (m)  index into `partNames`, −1 for what no part asks for */
function placesOf(indices: Divided['indices'], m: number): Int32Array {
  const places = new Int32Array(m).fill(-1);
  for (const [place, part] of partNames.entries()) for (const i of indices[part]) places[i] = place;
  return places;
}

/** The parts as `seeParts` sees them, from what the survey knows already. */
function seeSurvey(survey: Survey, partOf: PartOf, seed: number): PartSeen[] {
  const all = ascending(survey.count);
  return partNames.flatMap((part) => {
    const members = all.filter((i) => partOf(i) === part);
    if (members.length === 0) return [];
    const rows = spreadRows(members.length, part, seed).map((row) => members[row]!);
    const columns = squareMeasureNames.map((name) => [name, Float32Array.from(rows, (i) => survey.squares[name][i]!)]);
    const squares = Object.fromEntries(columns) as SquareColumns;
    const positive = countPositive(Uint8Array.from(members, (i) => survey.labels[i]!));
    return [{ part, total: members.length, positive, squares }];
  });
}
