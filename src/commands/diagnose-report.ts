import { basename, resolve } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import { fewImages } from '../data/pixels.ts';
import { splitNames } from '../data/split.ts';
import type { PreparedData } from '../datasets/prepare.ts';
import { linkOf, rootsOf } from '../library/image-paths.ts';
import { machineFacts } from '../library/run-report.ts';
import { diagnosisReportHtml, type SuspectImage } from '../report/diagnosis-report.ts';
import { pngUrl } from '../report/png.ts';
import { count } from '../report/table.ts';
import type { MeasuredDiagnosis } from '../results/experiments.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { networkName } from '../run/read-run.ts';
import type { Context } from './command.ts';

/** Suspect pictures that a page shows. */
const mostShown = 48;

/** Writes the page of --report. */
export async function writeDiagnosisReport(
  context: Context,
  file: string,
  { loaded, data, found }: { loaded: LoadedConfig; data: PreparedData; found: MeasuredDiagnosis },
): Promise<void> {
  const { train, dev } = data.splits;
  const roots = rootsOf(loaded);
  const side = Math.round(Math.sqrt(train.features / 3));
  const imageOf = async ({ row, name }: NonNullable<MeasuredDiagnosis['suspects']>['list'][number]): Promise<SuspectImage> => {
    const [part, at] = row < train.labels.length ? [train, row] : [dev!, row - train.labels.length];
    const pixels = fewImages(part.pixels, Int32Array.of(at), part.features);
    return { source: pngUrl(pixels, side), href: await linkOf(name, roots, file) };
  };
  const shown = (found.suspects?.list ?? []).slice(0, mostShown);
  const page = diagnosisReportHtml({
    title: basename(resolve(found.output)),
    found,
    images: await Promise.all(shown.map(imageOf)),
    facts: [
      ['config', found.config],
      ['network', networkName(loaded.config)],
      ['pictures', partsText(data.splits)],
      ['seed', String(loaded.config.seed)],
      ...machineFacts(),
    ],
  });
  await writeFileAtomically(file, page);
  context.note(`report: ${file}`);
}

/** 600 train, 200 dev, 200 test */
const partsText = (splits: PreparedData['splits']) =>
  splitNames.flatMap((part) => (splits[part] ? [`${count(splits[part].labels.length)} ${part}`] : [])).join(', ');
