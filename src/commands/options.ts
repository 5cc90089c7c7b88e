import { mostThreads } from '../kernels/select.ts';
import type { Option } from './command.ts';
import { numberOption } from './parse.ts';

/** Options that mean the same wherever they stand. */

export const configOption: Option = { flags: '-c, --config <file>', summary: 'the JSON config', required: true };

export const setOption: Option = {
  flags: '--set <path=value>',
  summary: 'override a field of the config, such as training.learningRate=0.01',
  repeatable: true,
};

export const modelOption: Option = {
  flags: '-m, --model <path>',
  summary: 'a model file or a run folder (default: NN_MODEL, else the newest run)',
};

export const thresholdOption: Option = {
  flags: '--threshold <p>',
  summary: "P above this is the positive class (default: the model's)",
  parse: numberOption('--threshold', { low: 0, high: 1 }),
};

/** To be given to `useThreads`. */
export const threadsOption: Option = {
  flags: '--threads <n>',
  summary: 'threads that compute (default: NN_THREADS, else the cores there are); the results do not depend on it',
  parse: numberOption('--threads', { low: 1, high: mostThreads, whole: true }),
};
