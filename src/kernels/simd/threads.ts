import { Worker } from 'node:worker_threads';

/** Threads that wait for jobs; the calling thread works too. */
export interface Threads {
  /** @throws Error where one of them has died */
  check(): void;
}

/** All that a thread does: it works for ever, in the compiled kernels. Text, so that it needs no file of its own. */
const program = `
  const { module, imports, control, scratch } = require('node:worker_threads').workerData;
  new WebAssembly.Instance(module, imports).exports.work(control, scratch);
`;

/** Starts a thread for each scratch; they start while others already work, and never keep the process alive. */
export function startThreads(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  control: number,
  scratches: readonly number[],
): Threads {
  let failure: unknown;
  for (const scratch of scratches) {
    const worker = new Worker(program, { eval: true, workerData: { module, imports, control, scratch } });
    worker.unref();
    worker.on('error', (error) => (failure = error));
    worker.on('exit', (code) => (failure ??= new Error(`it ended with exit code ${code}`)));
  }
  return {
    check() {
      if (failure !== undefined) throw new Error('a thread of the kernels has died', { cause: failure });
    },
  };
}
