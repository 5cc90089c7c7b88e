import { checkConfig, type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { type DuplicateCluster, findDuplicates } from '../data/duplicates.ts';
import { classCounts } from '../data/examples.ts';
import { type Finding, findAll } from '../data/inspection/findings.ts';
import { type ImageTable, tabulateImages } from '../data/inspection/image-table.ts';
import { refuseWithoutClasses } from '../data/load.ts';
import { sourceAtPath } from '../data/sources/sources.ts';
import type { OpenedData } from '../datasets/open.ts';
import { splitsOfTable, type TableSplits } from '../datasets/table-splits.ts';
import { UserError } from '../errors.ts';
import { readProgress, sourcePaths } from '../library/reading.ts';
import type { Context, Option } from './command.ts';

/** What a command that looks at data is given. */
export const sourceArgument = { syntax: '[source]', summary: sourcePaths };

export const sourceOptions: readonly Option[] = [
  { flags: '-c, --config <file>', summary: 'instead of a source: what this config trains on, with its parts' },
  { flags: '--set <path=value>', summary: 'override a field of the config, such as data.imageSize=128', repeatable: true },
];

export interface SourceValues {
  config?: string;
  set?: string[];
}

/** The config that is meant, or the default one for a source.
 *  @throws UserError (usage) on both or neither; (data) where the path is no source */
export async function configOrSource(
  { config, set = [] }: SourceValues,
  path: string | undefined,
): Promise<{ loaded: LoadedConfig; hasConfig: boolean }> {
  if ((config === undefined) === (path === undefined)) {
    const found = path === undefined ? 'neither' : 'both';
    throw new UserError('usage', `expected a source or --config FILE, found ${found}`);
  }
  if (config !== undefined) return { loaded: await loadConfig(config, set), hasConfig: true };
  const file = path!;
  const checked = checkConfig({ data: { source: await sourceAtPath(file) } }, file, set);
  return { loaded: { config: checked, folder: process.cwd(), file }, hasConfig: false };
}

/** What looking at all pictures of some sources found. */
export interface Inspected extends TableSplits {
  seen: ImageTable;
  clusters: DuplicateCluster[];
  findings: Finding[];
}

/** Looks at all pictures.
 *  @param config  whose parts they are; null where there are none
 *  @throws UserError (data) where a source has nothing that can be read, or nothing of a class */
export async function inspectAll(
  context: Context,
  { sources, classes, preprocessing }: OpenedData,
  config: Config | null,
): Promise<Inspected> {
  const seen = await tabulateImages(sources, { classes, preprocessing, onProgress: readProgress(context) });
  refuseEmpty(seen);
  const clusters = findDuplicates(seen.perceptualHashes);
  const parts = config === null ? noParts : await splitsOfTable(seen, clusters, config);
  return { seen, clusters, ...parts, findings: findAll(seen, clusters, parts.splitOf) };
}

const noParts: TableSplits = { splitOf: () => null, differences: [], notes: [] };

function refuseEmpty({ sources, sourceOf, labels, count, classes, unreadable }: ImageTable): void {
  for (const [s, { source }] of sources.entries()) {
    const failures = unreadable.flatMap((one) =>
      one.source === s ? [{ name: source.name(one.index), reason: one.reason }] : [],
    );
    const own = labels.subarray(0, count).filter((_, i) => sourceOf[i] === s);
    refuseWithoutClasses(classCounts(own), classes, source.title, failures);
  }
}
