/** What can be done, in the order of runPiece in assembly/threads.ts. */
export const jobKinds = [
  'forwardBytes',
  'forwardFloats',
  'weightsBytes',
  'weightsFloats',
  'inputGradient',
  'byteProducts',
  'moveParameters',
  'addScaled',
  'squaredNorms',
  'splitNumbers',
  'forwardOneUnit',
  'weightsOneUnit',
  'stepWeightsBytes',
  'activate',
  'activationGradient',
  'lossGradient',
  'sumExamples',
  'normalizeBatch',
  'normalizeWith',
  'normalizeGradient',
  'passParts',
  'sumParts',
] as const;

const kindNumbers = Object.fromEntries(jobKinds.map((kind, i) => [kind, i])) as Record<(typeof jobKinds)[number], number>;

/** What is to be done: the fields of assembly/job.ts, which says what they mean, in their order. */
export interface Job {
  kind: (typeof jobKinds)[number];
  scale?: number;
  learningRate?: number;
  decay?: number;
  beta1?: number;
  beta2?: number;
  biasCorrection1?: number;
  biasCorrection2?: number;
  epsilonInsideRoot?: number;
  epsilon?: number;
  input?: number;
  indices?: number;
  features?: number;
  count?: number;
  multiply?: number;
  add?: number;
  weights?: number;
  bias?: number;
  units?: number;
  gradient?: number;
  out: number;
  accumulate?: boolean;
  velocity?: number;
  squares?: number;
  facts?: number;
  rule?: number;
  first?: number;
  end: number;
  /** pieces of the range begin at multiples of this */
  grain: number;
  /** whether each of these is a piece by itself: where they are few and long */
  apart?: boolean;
  /** how many pieces a thread may have, where it matters: each piece begins with work of its own */
  ways?: readonly number[];
  /** multiplications, which say whether sharing pays */
  work: number;
}

/** Words of 32 bits behind the numbers of 64 bits. */
export const jobNumbers = 9;
export const jobWords = 20;

/** Writes a job into the kernels' memory.
 *  @param numbers  its numbers of 64 bits
 *  @param words    its words of 32 bits
 *  @param step     how much of the range a thread takes at once */
export function writeJob(job: Job, numbers: Float64Array, words: Int32Array, step: number): void {
  numbers[0] = job.scale ?? 1;
  numbers[1] = job.learningRate ?? 0;
  numbers[2] = job.decay ?? 0;
  numbers[3] = job.beta1 ?? 0;
  numbers[4] = job.beta2 ?? 0;
  numbers[5] = job.biasCorrection1 ?? 0;
  numbers[6] = job.biasCorrection2 ?? 0;
  numbers[7] = job.epsilonInsideRoot ?? 0;
  numbers[8] = job.epsilon ?? 0;
  words[0] = kindNumbers[job.kind];
  words[1] = job.input ?? 0;
  words[2] = job.indices ?? 0;
  words[3] = job.features ?? 0;
  words[4] = job.count ?? 0;
  words[5] = job.multiply ?? 0;
  words[6] = job.add ?? 0;
  words[7] = job.weights ?? 0;
  words[8] = job.bias ?? 0;
  words[9] = job.units ?? 0;
  words[10] = job.gradient ?? 0;
  words[11] = job.out;
  words[12] = Number(job.accumulate ?? false);
  words[13] = job.first ?? 0;
  words[14] = job.end;
  words[15] = step;
  words[16] = job.velocity ?? 0;
  words[17] = job.squares ?? 0;
  words[18] = job.facts ?? 0;
  words[19] = job.rule ?? 0;
}
