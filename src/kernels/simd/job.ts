/** What can be done, in the order of runPiece in assembly/threads.ts. */
export const jobKinds = [
  'forwardBytes',
  'forwardFloats',
  'weightsBytes',
  'weightsFloats',
  'inputGradient',
  'byteProducts',
] as const;

/** What is to be done: the fields of assembly/job.ts, which says what they mean, in their order. */
export interface Job {
  kind: (typeof jobKinds)[number];
  scale?: number;
  input?: number;
  indices?: number;
  features: number;
  count?: number;
  multiply?: number;
  add?: number;
  weights?: number;
  bias?: number;
  units: number;
  gradient?: number;
  out: number;
  accumulate?: boolean;
  first?: number;
  end: number;
  /** pieces of the range begin at multiples of this */
  grain: number;
  /** multiplications, which say whether sharing pays */
  work: number;
}

/** Writes a job into the kernels' memory.
 *  @param words  the job's words but for its scale
 *  @param step   how much of the range a thread takes at once */
export function writeJob(job: Job, scale: Float64Array, words: Int32Array, step: number): void {
  scale[0] = job.scale ?? 1;
  words[0] = jobKinds.indexOf(job.kind);
  words[1] = job.input ?? 0;
  words[2] = job.indices ?? 0;
  words[3] = job.features;
  words[4] = job.count ?? 0;
  words[5] = job.multiply ?? 0;
  words[6] = job.add ?? 0;
  words[7] = job.weights ?? 0;
  words[8] = job.bias ?? 0;
  words[9] = job.units;
  words[10] = job.gradient ?? 0;
  words[11] = job.out;
  words[12] = Number(job.accumulate ?? false);
  words[13] = job.first ?? 0;
  words[14] = job.end;
  words[15] = step;
}
