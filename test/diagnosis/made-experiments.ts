import { checkConfig } from '../../src/config/load.ts';
import type { Examples } from '../../src/data/examples.ts';
import type { PreparedData } from '../../src/datasets/prepare.ts';
import { conclude } from '../../src/diagnosis/conclude.ts';
import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { experimentsOn } from '../../src/diagnosis/experiments.ts';
import { setupOf } from '../../src/diagnosis/setup.ts';
import { type TimePlan, unlimited } from '../../src/diagnosis/time-plan.ts';
import { sigmoid } from '../../src/elementary.ts';
import { namedRandom } from '../../src/random.ts';
import type { Experiment, ExperimentResult, MeasuredDiagnosis } from '../../src/results/experiments.ts';
import { packAnswers, packBits } from '../../src/training/answers.ts';

/** A diagnosis whose trainings are drawn, not done: what each change does is known. */

export interface World {
  /** pictures of train, dev and test */
  sizes?: { train: number; dev: number; test: number };
  /** the logit of being right that some changes add */
  effect?(set: readonly string[]): number;
  trainError?: number;
  /** whether the label of a row of train or dev is wrong, which every network says with confidence */
  isFlipped?(row: number): boolean;
  /** of a training as it is; those of others by `seconds` */
  seconds?(set: readonly string[], share: number): number;
  config?: object;
}

export interface Making {
  seeds?: number | null;
  jobs?: number;
  isRaced?: boolean;
  known?: readonly ExperimentResult[];
  time?: TimePlan;
  /** told of each training that is begun */
  began?(job: Experiment): void;
  /** ends the session, as a kill does, before so many trainings have ended */
  killAfter?: number;
}

const side = 16;
const features = side * side * 3;
const killed = new Error('killed');

export const alternating = (m: number) => Uint8Array.from({ length: m }, (_, i) => i % 2);

function examplesOf(m: number, part: string): Examples {
  const names = Array.from({ length: m }, (_, i) => `${part}-${i}`);
  return { features, pixels: new Uint8Array(m * features), labels: alternating(m), names, hashes: names };
}

export function madeData({ train, dev }: { train: number; dev: number }): PreparedData {
  return {
    splits: { train: examplesOf(train, 'train'), ...(dev > 0 && { dev: examplesOf(dev, 'dev') }) },
    folds: null,
    groups: { clusters: null, strata: null },
    classes: { positive: 'cat', negative: 'thing' },
    others: ['thing'],
    preprocessing: { imageSize: side, fit: 'cover' },
    failures: [],
    notes: [],
  };
}

export const ordinary = {
  data: { source: { type: 'drawn', count: 10 }, imageSize: side },
  model: { layers: [{ units: 8 }] },
  training: { epochs: 20, batchSize: 32, optimizer: { name: 'adam' } },
};

/** Seeding a stream takes longer than drawing from it. */
const difficulties = new Map<string, number>();
function difficultyOf(of: string, i: number): number {
  const key = `${of} ${i}`;
  const known = difficulties.get(key) ?? 1.5 * namedRandom(7, `difficulty ${of}`, i).normal();
  difficulties.set(key, known);
  return known;
}

/** What a training would have come to: each picture has its difficulty, each seed its luck, and the rest is drawn. */
function resultOf(job: Experiment, rows: Int32Array, labels: Uint8Array, world: World): ExperimentResult {
  const text = JSON.stringify(job.set);
  const skill = 1 + (world.effect?.(job.set) ?? 0) + 0.05 * namedRandom(job.seed, `luck ${text}`, job.division).normal();
  const draw = (of: string, count: number, truth: ArrayLike<number>, number: (i: number) => number) => {
    const random = namedRandom(job.seed, `rest ${of} ${text} ${job.share}`, job.division);
    const right = Uint8Array.from({ length: count }, (_, i) => {
      return Number(random.uniform() < sigmoid(skill + Math.log2(job.share) / 4 - difficultyOf(of, number(i))));
    });
    if (of === 'judged') for (const i of right.keys()) if (world.isFlipped?.(number(i))) right[i] = 0;
    const sureOf = (i: number) => (world.isFlipped === undefined ? 0.7 : right[i] || world.isFlipped(number(i)) ? 0.97 : 0.6);
    const p = Float64Array.from(right, (one, i) => (one === truth[i] ? sureOf(i) : 1 - sureOf(i)));
    return { p, right };
  };
  const { sizes = ordinarySizes } = world;
  const ofTest = alternating(sizes.test);
  const evaluationLabels = Uint8Array.from(rows, (row) => labels[row]!);
  return {
    ...job,
    judged: packAnswers(draw('judged', rows.length, evaluationLabels, (i) => rows[i]!)),
    test: job.readsTest ? { ...packAnswers(draw('test', sizes.test, ofTest, (i) => i)), labels: packBits(ofTest) } : null,
    trainError: world.trainError ?? 0.01,
    epochs: 20,
    bestEpoch: 20,
    error: null,
    seconds: world.seconds?.(job.set, job.share) ?? 1,
    sharedSeconds: 0,
  };
}

export const ordinarySizes = { train: 240, dev: 200, test: 200 };

/** @returns what was found, and every result in the order in which it came */
export async function diagnosed(
  world: World,
  { seeds = 3, jobs = 1, isRaced = true, known = [], time = unlimited, began, killAfter }: Making = {},
): Promise<{ found: MeasuredDiagnosis | null; results: ExperimentResult[] }> {
  const config = checkConfig(world.config ?? ordinary, 'made');
  const data = madeData(world.sizes ?? ordinarySizes);
  const setup = setupOf({ config, folder: '/', file: 'made' }, data, {
    seeds,
    isTimed: time.isLimited,
    isRaced,
    hasTest: true,
  });
  const results = [...known];
  const run = async (job: Experiment) => {
    began?.(job);
    const result = resultOf(job, setup.evaluationRows(job.division), setup.labels, world);
    if (killAfter !== undefined && results.length >= killAfter) throw killed;
    return result;
  };
  const record = async (result: ExperimentResult) => void results.push(result);
  const experiments = experimentsOn({ runner: { jobs, run }, known, record, began: () => {}, ended: () => {} });
  try {
    const findings = await diagnose({ setup, experiments, time, begins: () => {}, refusal: () => null });
    const session = { output: 'o', config: 'c', seconds: 0, trainings: 0, earlier: 0, minutes: null, proposalFile: 'p' };
    return { found: await conclude({ setup, experiments, findings, data }, session), results };
  } catch (error) {
    if (error !== killed) throw error;
    return { found: null, results };
  }
}
