import type { Scratch } from '../data/scratch.ts';
import type { TrainingListener } from '../training/trainer.ts';

/** Who has something done: the command line, or a program that uses the library. What is done for it says all it has to say here. */
export interface Host extends TrainingListener {
  /** NN_RUNS, NN_MODEL, NN_CACHE, NN_CACHE_SIZE and NN_THREADS are read from it */
  environment: NodeJS.ProcessEnv;
  /** whether every picture that could not be read is named */
  verbose: boolean;
  /** where pixels are put that are more than memory should hold, for whom they are closed; else they are kept as long as the process lives */
  scratch?: Scratch;
}
