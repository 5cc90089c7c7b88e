import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Compiled } from './compiled.ts';

/** Threads that wait for jobs; the calling thread works too. */
export interface Threads {
  /** What the one said that died at work; null where none has. */
  deathNote(): string | null;
}

/** All that a thread does: it works for ever, in the compiled kernels. Text, so that it needs no file of its own. One that dies at work may have
 *  left a piece half done: it says why, and marks that for the host, which lies waiting for the piece and hears nothing else. */
const program = `
  const { module, imports, control, scratch, done, mark, note } = require('node:worker_threads').workerData;
  const { memory } = imports.env;
  const growth = { seeAllMemory: () => memory.grow(0) };
  const { exports } = new WebAssembly.Instance(module, { ...imports, growth });
  try {
    exports.work(control, scratch);
  } catch (error) {
    note.postMessage(error.stack);
    const word = new Int32Array(memory.buffer, control + done, 1);
    Atomics.add(word, 0, mark);
    Atomics.notify(word, 0);
  }
`;

/** Starts a thread for each scratch; they start while others already work, and never keep the process alive. One that can't start is
 *  missing, no more: whoever is there takes the pieces, and the bits are the same. */
export function startThreads(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  { doneOffset, deadMark }: Pick<Compiled, 'doneOffset' | 'deadMark'>,
  control: number,
  scratches: readonly number[],
): Threads {
  const notes = scratches.map((scratch) => {
    const { port1, port2: note } = new MessageChannel();
    const workerData = { module, imports, control, scratch, done: doneOffset(), mark: deadMark(), note };
    const worker = new Worker(program, { eval: true, workerData, transferList: [note] });
    worker.unref();
    worker.on('error', ({ message }) => {
      process.emitWarning(`a thread of the kernels can't start (${message}): the others do its work`);
    });
    port1.unref();
    return port1;
  });
  return {
    deathNote() {
      for (const note of notes) {
        const found = receiveMessageOnPort(note);
        if (found) return found.message;
      }
      return null;
    },
  };
}
