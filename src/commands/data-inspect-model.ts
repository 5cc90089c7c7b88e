import { logits, probability } from '../classifier/classifier.ts';
import type { ImageTable } from '../data/inspection/image-table.ts';
import { attempt, decodesAtOnce, mapInOrder } from '../data/source.ts';

import { UserError } from '../errors.ts';
import { wilsonInterval } from '../evaluation/statistics.ts';
import { kernelsFor } from '../kernels/select.ts';
import type { Interval } from '../results/metrics.ts';
import { loadClassifier } from '../run/model-file.ts';
import { runFiles, runOfModel } from '../run/run-folder.ts';
import { readTrained } from '../run/split-file.ts';
import type { ShortcutStudy } from '../training/shortcuts.ts';
import type { Context } from './command.ts';

export interface AskedModel {
  /** for each picture of the study 1 where the model is right, else 0; null where it was trained on it */
  right: (0 | 1 | null)[];
  score: { path: string; accuracy: number; accuracyInterval: Interval; pictures: number };
}

/** Asks a model for the pictures that shortcuts were tried on, but for those that it was trained on.
 *  @throws UserError (data) where its classes are others, or it was trained on all of them */
export async function askModel(
  context: Context,
  path: string,
  table: ImageTable,
  { indices }: ShortcutStudy,
): Promise<AskedModel> {
  const { classifier, file } = await loadClassifier(path);
  const { positive, negative } = table.classes;
  const flipped = positive !== classifier.classes.positive;
  if (flipped && negative !== classifier.classes.positive) {
    const { classes } = classifier;
    throw new UserError(
      'data',
      `--model ${path}: expected the classes ${positive} and ${negative}, found ${classes.positive} and ${classes.negative}`,
    );
  }
  const run = runOfModel(file);
  const trained = await readTrained(run, classifier.classes);
  if (trained === null)
    context.warn(`${run}: no ${runFiles.split} there: the model may have been trained on some of these pictures`);
  const kernels = kernelsFor(classifier.precision);
  const answers = mapInOrder(indices, decodesAtOnce(), async (i): Promise<0 | 1 | null> => {
    if (trained?.has(table.hashes[i]!)) return null;
    const { source } = table.sources[table.sourceOf[i]!]!;
    const read = await attempt(source.read(table.indexOf[i]!, classifier.preprocessing));
    if ('reason' in read) return null;
    const isPositive = probability(logits(classifier, kernels, read.value.pixels)[0]!) > classifier.threshold;
    return isPositive === ((table.labels[i] === 1) !== flipped) ? 1 : 0;
  });
  const right: AskedModel['right'] = [];
  for await (const one of answers) right.push(one);
  const asked = right.filter((one) => one !== null);
  if (asked.length === 0)
    throw new UserError('data', `--model ${path}: expected pictures that it was not trained on, found none`, {
      hint: 'Hold it against other pictures, or leave --model out.',
    });
  const correct = asked.reduce<number>((sum, one) => sum + one, 0);
  const score = {
    path,
    accuracy: correct / asked.length,
    accuracyInterval: wilsonInterval(correct, asked.length),
    pictures: asked.length,
  };
  return { right, score };
}
