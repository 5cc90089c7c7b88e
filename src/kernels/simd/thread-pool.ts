import { existsSync } from 'node:fs';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { addressesLeft } from '../../machine-memory.ts';
import type { Compiled } from './compiled.ts';

/** Addresses that JavaScript's own memory may still want beside that of the kernels. */
export const spareAddresses = 0.5e9;

/** Threads that wait for calls; the calling thread works too. */
export interface ThreadPool {
  /** Whether one has vanished with a piece in its hands. Where the system does not say which threads there are: false. */
  isMissing(): boolean;
  /** What the one said that died at work; null where none has said anything. */
  deathNote(): string | null;
}

/** What a thread tells of itself: its number in /proc, null where there is none, and why it died. */
interface Note {
  id?: string | null;
  death?: string;
}

/** All that a thread does: it works for ever, in the compiled kernels. Text, so that it needs no file of its own. One that dies at work may have
 *  left a piece half done: it says why, and marks that for the host, which lies waiting for the piece and hears nothing else. */
const program = `
  const { existsSync, readlinkSync } = require('node:fs');
  const { module, imports, control, room, done, mark, notes } = require('node:worker_threads').workerData;
  const { memory } = imports.env;
  const threads = { seeAllMemory: () => memory.grow(0) };
  const { exports } = new WebAssembly.Instance(module, { ...imports, threads });
  notes.postMessage({ id: existsSync('/proc/thread-self') ? readlinkSync('/proc/thread-self').split('/').at(-1) : null });
  try {
    exports.work(control, room);
  } catch (error) {
    notes.postMessage({ death: error.stack });
    const word = new Int32Array(memory.buffer, control + done, 1);
    Atomics.add(word, 0, mark);
    Atomics.notify(word, 0);
  }
`;

/** Addresses that a thread takes: V8 reserves them for its code and its objects. */
const threadAddresses = 1e9;

/** Starts a thread for each room; they start while others already work, and never keep the process alive. One that can't start, or ends where it has
 *  nothing in its hands, is missing, no more: whoever is there takes the pieces, and the bits are the same. Where a limit on addresses holds, V8 would
 *  end the process that starts one too many. */
export function startThreads(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  { doneOffset, deadMark }: Pick<Compiled, 'doneOffset' | 'deadMark'>,
  control: number,
  rooms: readonly number[],
): ThreadPool {
  const { memory } = imports['env'] as { memory: WebAssembly.Memory };
  const affordable = Math.max(0, Math.floor((addressesLeft() - spareAddresses) / threadAddresses));
  const threads = rooms.slice(0, affordable).map((room) => {
    const { port1, port2: notes } = new MessageChannel();
    const workerData = { module, imports, control, room, done: doneOffset(), mark: deadMark(), notes };
    const worker = new Worker(program, { eval: true, workerData, transferList: [notes] });
    worker.unref();
    let reason: string | undefined;
    worker.on('error', ({ message }) => (reason = message));
    worker.on('exit', (code) => {
      process.emitWarning(`a thread of the kernels has ended (${reason ?? `exit code ${code}`}): the others do its work`);
    });
    port1.unref();
    return { port: port1, room, note: {} as Note };
  });
  const listen = () => {
    for (const { port, note } of threads) Object.assign(note, ...messagesOf(port));
  };
  return {
    isMissing() {
      listen();
      const isAtWork = (room: number) => Atomics.load(new Int32Array(memory.buffer, room, 1), 0) === 1;
      return threads.some(({ room, note: { id } }) => id && isAtWork(room) && !existsSync(`/proc/self/task/${id}`));
    },
    deathNote() {
      listen();
      return threads.find(({ note }) => note.death !== undefined)?.note.death ?? null;
    },
  };
}

function messagesOf(port: MessagePort): Note[] {
  const found = receiveMessageOnPort(port);
  return found === undefined ? [] : [found.message as Note, ...messagesOf(port)];
}
