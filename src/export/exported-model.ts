import { basename, dirname } from 'node:path';
import type { Classifier } from '../classifier/classifier.ts';
import { resizeKernel } from '../data/image.ts';
import { UserError } from '../errors.ts';
import { version } from '../own-files.ts';
import type { ModelQuality } from '../results/export.ts';
import { modelFileName } from '../run/model-file.ts';
import { readSummary } from '../run/read-run.ts';
import { drawTestPictures, type TestPictures } from './test-pictures.ts';

/** A classifier with all that an exported file carries beside it. */
export interface ExportedModel {
  classifier: Classifier;
  /** of nn */
  version: string;
  /** by which nn makes pictures smaller or larger */
  resizeKernel: string;
  /** how good it is on pictures that it was not trained on; null where that is not known */
  quality: ModelQuality | null;
  pictures: TestPictures;
}

/** Draws test pictures, has the classifier answer for them, and reads how good it is from the summary.json beside its file.
 *  @param file  of the classifier
 *  @param warn  told of a summary that can't be read: then nothing is known */
export async function gatherExport(classifier: Classifier, file: string, warn: (text: string) => void): Promise<ExportedModel> {
  const quality = await qualityBeside(file).catch((error) => {
    if (!(error instanceof UserError)) throw error;
    warn(error.lines[0]!);
    return null;
  });
  return { classifier, version, resizeKernel, quality, pictures: await drawTestPictures(classifier) };
}

/** Only a run's own model is what the summary in its folder tells of. @throws UserError (data) where that is damaged */
async function qualityBeside(file: string): Promise<ModelQuality | null> {
  if (basename(file) !== modelFileName) return null;
  const summary = await readSummary(dirname(file));
  const part = summary?.metrics.test ? 'test' : 'dev';
  const metrics = summary?.metrics[part];
  if (!summary || !metrics) return null;
  const { accuracy, accuracyInterval } = metrics;
  const { total: pictures } = summary.examples[part];
  return { part, pictures, accuracy, accuracyInterval, trainedOn: summary.examples.train };
}
