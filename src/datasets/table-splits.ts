import type { Config } from '../config/schema.ts';
import { ascending } from '../data/batches.ts';
import { clusterOfEach, type DuplicateCluster } from '../data/duplicates.ts';
import { countPositive } from '../data/examples.ts';
import { type ImageTable, nameOf, type SplitOf } from '../data/inspection/image-table.ts';
import { imageStatisticNames, type StatisticColumns } from '../data/inspection/measure.ts';
import { splitNames } from '../data/split.ts';
import { UserError } from '../errors.ts';
import type { PartDifference } from '../results/inspection.ts';
import { maximumCompared } from './dataset-duplicates.ts';
import { compareSplits, driftNotes, type SplitSample, spreadRows } from './drift.ts';
import { type DatasetSplit, placesOf, splitDataset } from './split-dataset.ts';

/** Where the pictures of a table stand in a training, and how its parts differ. */
export interface TableSplits {
  splitOf: SplitOf;
  differences: PartDifference[];
  /** what training would say of its parts */
  notes: string[];
}

/** The parts that a config gives or makes, to the picture as training has them.
 *  @param clusters  of the readable pictures, as `findDuplicates` gives them */
export async function splitsOfTable(
  table: ImageTable,
  clusters: readonly DuplicateCluster[],
  config: Config,
): Promise<TableSplits> {
  const split = await splitFirst(table, clusters, config);
  const places = split.indices === null ? null : placesOf(split.indices, table.count);
  const splitOf: SplitOf = (i) => {
    const source = table.sourceOf[i]!;
    return places !== null && source === 0 ? (splitNames[places[i]!] ?? null) : table.sources[source]!.split;
  };
  const differences = compareSplits(sampleTable(table, splitOf, config.seed), table.classes);
  return { splitOf, differences, notes: [...split.notes, ...driftNotes(differences)] };
}

/** What training would do with the one source, or that of train. Where it would refuse, that is a note: the pictures are looked at
 *  all the same. */
async function splitFirst(
  table: ImageTable,
  clusters: readonly DuplicateCluster[],
  config: Config,
): Promise<{ indices: DatasetSplit['indices'] | null; notes: string[] }> {
  const all = ascending(table.count).filter((i) => table.sourceOf[i] === 0); // they come first
  const { source } = table.sources[0]!;
  const together = config.data.duplicates === 'keepTogether' && clusters.length > 0 && table.count <= maximumCompared;
  const divisible = {
    labels: table.labels.slice(0, all.length),
    strata: source.classes.length > 2 ? Uint32Array.from(all, (i) => source.classOf(table.indexOf[i]!)) : null,
    hashes: table.hashes.slice(0, all.length),
    names: Array.from(all, (i) => nameOf(table, i)),
    clusters: together ? clusterOfEach(clusters, table.count).subarray(0, all.length) : null,
  };
  try {
    return (await splitDataset(divisible, config)) ?? { indices: null, notes: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { indices: null, notes: [error.message] };
  }
}

/** The parts as `sampleSplits` sees them, from what the table knows already. */
function sampleTable(table: ImageTable, splitOf: SplitOf, seed: number): SplitSample[] {
  const all = ascending(table.count);
  return splitNames.flatMap((split) => {
    const members = all.filter((i) => splitOf(i) === split);
    if (members.length === 0) return [];
    const rows = spreadRows(members.length, split, seed).map((row) => members[row]!);
    const columns = imageStatisticNames.map((name) => [name, Float32Array.from(rows, (i) => table.statistics[name][i]!)]);
    const statistics = Object.fromEntries(columns) as StatisticColumns;
    const positive = countPositive(Uint8Array.from(members, (i) => table.labels[i]!));
    return [{ split, total: members.length, positive, statistics }];
  });
}
