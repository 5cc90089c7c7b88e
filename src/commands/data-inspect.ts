import { inspectImage } from '../data/decode.ts';
import type { DuplicateCluster } from '../data/duplicates.ts';
import { encodeThumbnail } from '../data/image.ts';
import type { FlaggedImage } from '../data/inspection/findings.ts';
import { type ImageTable, summarize } from '../data/inspection/image-table.ts';
import { attempt, decodesAtOnce, mapInOrder } from '../data/source.ts';
import { openData } from '../datasets/open.ts';
import type { ExitKind } from '../errors.ts';
import { useThreads } from '../kernels/select.ts';
import { type Inspection, inspectionJson, inspectionText } from '../report/inspection.ts';
import { inspectionHtml } from '../report/inspection-html.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { scoreShortcuts, studyShortcuts } from '../training/shortcuts.ts';
import type { Command, Context } from './command.ts';
import { askModel } from './data-inspect-model.ts';
import { configToLookAt, type LookingValues, lookAtAll, lookingArgument, lookingOptions } from './looking.ts';
import { threadsOption } from './options.ts';
import { numberOption } from './parse.ts';
import { readProgress } from './reading.ts';

interface Values extends LookingValues {
  model?: string;
  html?: string;
  examples: number;
  all?: boolean;
  threads?: number;
}

export const command: Command<Values> = {
  arguments: [lookingArgument],
  options: [
    ...lookingOptions,
    {
      flags: '-m, --model <path>',
      summary: 'hold shortcuts against this model file or run folder, on pictures that it was not trained on',
    },
    { flags: '--html <file>', summary: 'write a page with the pictures in question' },
    {
      flags: '--examples <n>',
      summary: 'of each finding, at most',
      default: 10,
      parse: numberOption('--examples', { low: 0, high: 1e9, whole: true }),
    },
    { flags: '--all', summary: 'every example' },
    { flags: '--json', summary: 'print it all as JSON' },
    threadsOption,
  ],
  examples: [
    'nn data inspect photos/',
    'nn data inspect photos/ --html findings.html --all',
    'nn data inspect photos/ --model runs/latest',
    'nn data inspect --config configs/quickstart.json',
  ],
  run: inspect,
};

async function inspect(context: Context, values: Values, [path]: string[]): Promise<ExitKind | undefined> {
  useThreads(values.threads, context.environment);
  const started = performance.now();
  const { loaded, hasConfig } = await configToLookAt(values, path);
  const opened = await openData(loaded, !hasConfig, readProgress(context));
  const { seen, clusters, splitOf, findings, differences, notes } = await lookAtAll(
    context,
    opened,
    hasConfig ? loaded.config : null,
  );
  const study = await studyShortcuts(seen, distinctPictures(clusters, seen.count), loaded.config.seed);
  const asked = values.model !== undefined && study !== null ? await askModel(context, values.model, seen, study) : null;
  const shortcuts = study === null ? null : scoreShortcuts(study, asked?.right ?? null);
  const found: Inspection = {
    source: loaded.file,
    ...summarize(seen, splitOf),
    findings,
    differences,
    shortcuts,
    model: asked === null ? null : asked.score,
    warnings: [
      ...opened.sources.flatMap(({ source }) => source.notes),
      ...notes,
      ...(shortcuts ?? []).flatMap(({ warning }) => warning ?? []),
    ],
    seconds: (performance.now() - started) / 1000,
  };
  const most = values.all ? Number.POSITIVE_INFINITY : values.examples;
  if (values.html !== undefined) {
    const shown = findings.flatMap(({ groups }) => groups.slice(0, most).flatMap(({ pictures }) => pictures));
    await writeFileAtomically(values.html, inspectionHtml(found, await thumbnails(seen, shown), most));
    context.note(`${values.html} has the pictures in question`);
  }
  context.print(context.json ? JSON.stringify(inspectionJson(found)) : inspectionText(found, { most, style: context.style }));
  return undefined;
}

/** One picture of each cluster, and all that are in none. */
function distinctPictures(clusters: readonly DuplicateCluster[], count: number): number[] {
  const copies = new Set(clusters.flatMap(({ members }) => members.slice(1)));
  return Array.from(Array(count).keys()).filter((i) => !copies.has(i));
}

/** The longer side of a picture on the page. */
const thumbnailSide = 128;

/** Small JPEG files of pictures, where they can be read. */
async function thumbnails({ sources }: ImageTable, pictures: readonly FlaggedImage[]): Promise<Map<FlaggedImage, Uint8Array>> {
  const files = mapInOrder(pictures, decodesAtOnce(), async (picture) => {
    const made = await attempt(
      (async () =>
        encodeThumbnail(
          (await inspectImage(await sources[picture.source]!.source.original(picture.index), thumbnailSide)).small,
        ))(),
    );
    return { picture, made };
  });
  const out = new Map<FlaggedImage, Uint8Array>();
  for await (const { picture, made } of files) if ('value' in made) out.set(picture, made.value);
  return out;
}
