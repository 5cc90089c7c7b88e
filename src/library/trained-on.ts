import { type Classifier, metricsOfLogits } from '../classifier/classifier.ts';
import { ascending } from '../data/batches.ts';
import type { ContentSet } from '../data/content-hash.ts';
import { type ExampleSet, stringBlocks } from '../data/examples.ts';
import { findDatasetDuplicates, maximumCompared } from '../datasets/dataset-duplicates.ts';
import { UserError } from '../errors.ts';
import type { Unseen } from '../results/evaluation.ts';
import { readTrained } from '../run/split-file.ts';
import type { Host } from './host.ts';

/** Where pictures come from that are judged together, whatever part they stood in. */
export interface Origin {
  /** what the run was trained on; null where nobody knows */
  trained: ContentSet | null;
  /** from the run's own data, in which copies stand in one part */
  isOwn: boolean;
  /** each was made on its own: however alike two are, neither is a copy */
  isIndependent: boolean;
}

/** Pictures that were judged, and the answers for them. */
interface Evaluated extends Origin {
  examples: ExampleSet;
  logits: Float64Array;
  threshold: number;
}

/** Tells pictures that a model was trained on from others, and measures the answers for the others alone. */
export async function measureUnseen(classifier: Classifier, judged: Evaluated): Promise<Unseen> {
  const { examples, logits, threshold, trained, isOwn } = judged;
  if (trained === null) return { trainedOn: null, nearCopies: null, unseen: null };
  const { labels } = examples;
  const familiar = await flagsOf(examples, trained);
  const trainedOn = sum(familiar);
  const looksForCopies = !isOwn && labels.length <= maximumCompared;
  if (looksForCopies && trainedOn > 0 && trainedOn < labels.length) await addCopies(familiar, classifier, judged);
  const others = ascending(labels.length).filter((i) => familiar[i] === 0);
  const answers = Float64Array.from(others, (i) => logits[i]!);
  const truth = Uint8Array.from(others, (i) => labels[i]!);
  return {
    trainedOn,
    nearCopies: looksForCopies ? sum(familiar) - trainedOn : null,
    unseen: others.length === 0 ? null : metricsOfLogits(classifier, answers, truth, threshold),
  };
}

/** What the run that a model lies in was trained on. A damaged split.csv keeps nobody from judging other pictures.
 *  @param run  the folder, whether it is a run or not */
export async function trainedContents(host: Host, run: string, { classes }: Classifier): Promise<ContentSet | null> {
  try {
    return await readTrained(run, classes);
  } catch (error) {
    if (!(error instanceof UserError) || error.kind !== 'model') throw error;
    host.warn(`${error.message}. So nothing tells which of these pictures the model was trained on`);
    return null;
  }
}

/** @returns (m)  1 for those that are in the set */
async function flagsOf({ hashes }: ExampleSet, trained: ContentSet): Promise<Uint8Array> {
  const flags = new Uint8Array(hashes.length);
  let i = 0;
  for await (const some of stringBlocks(hashes)) for (const hash of some) flags[i++] = trained.has(hash) ? 1 : 0;
  return flags;
}

/** Adds those that are copies of one that is there. @param familiar  (m)  1 for those that are there */
async function addCopies(
  familiar: Uint8Array,
  { preprocessing }: Classifier,
  { examples, isIndependent }: Evaluated,
): Promise<void> {
  const { clusters } = await findDatasetDuplicates([{ examples, isIndependent }], preprocessing.imageSize);
  for (const { members } of clusters) {
    if (members.some((i) => familiar[i] === 1)) for (const i of members) familiar[i] = 1;
  }
}

function sum(flags: Uint8Array): number {
  return flags.reduce((all, flag) => all + flag, 0);
}
