import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { DataError, systemReason, UserError } from '../errors.ts';
import { addressHint, requireDecoding } from '../machine-memory.ts';
import { ownFile } from '../own-files.ts';
import { NeedsExclusiveDecoding, stopDecoding } from './decode-turns.ts';
import type { DecodeReply, DecodeRequest } from './decoding-worker.ts';
import type { Operations } from './image.ts';
import { DamagedFile } from './image-errors.ts';
import { formatOf } from './image-formats.ts';

/** Processes that decode what may take for ever: src/data/decoding-worker.ts. Each decodes one image at a time. */

/** Seconds that an SVG may take. It can be made to take years: by style sheets, by shapes that use each other. */
export const drawingSeconds = 10;
/** Another file may take as many, and as many again for each MiB of it: some 5 times what a photograph takes on a slow machine. */
const secondsFor = (bytes: number) => Math.min(600, Math.ceil(10 + (10 * bytes) / 2 ** 20));

interface Slot {
  worker?: ChildProcess | undefined;
}
/** One for each core; not too many, since each may hold hundreds of megabytes. */
const free: Slot[] = Array.from({ length: Math.min(8, availableParallelism()) }, () => ({}));
const waiting: ((slot: Slot) => void)[] = [];
const interrupted: Outcome = { reason: 'interrupted', isDamaged: false };

/** Decodes a file in another process; where that takes too long, or the process dies of it, it is refused.
 *  @throws UserError (data) with the reason; (usage) where the machine has too little to decode with
 *  @throws NeedsExclusiveDecoding for what is to be asked again with `isAlone` */
export async function decodeApart<Use extends keyof Operations>(
  use: Use,
  file: Uint8Array,
  how: Parameters<Operations[Use]>[1],
  isAlone: boolean,
): Promise<Awaited<ReturnType<Operations[Use]>>> {
  const slot = free.pop() ?? (await new Promise<Slot>((resolve) => waiting.push(resolve)));
  try {
    return (await decodeIn(slot, { use, file, how, isAlone } as DecodeRequest)) as Awaited<ReturnType<Operations[Use]>>;
  } finally {
    const next = waiting.shift();
    if (next === undefined) free.push(slot);
    else next(slot);
  }
}

async function decodeIn(slot: Slot, request: DecodeRequest): Promise<unknown> {
  const isNew = slot.worker === undefined;
  const answer = stopDecoding.signal.aborted ? interrupted : await ask(slot, (slot.worker ??= start(slot)), request);
  if ('made' in answer) return answer.made;
  if ('isLarge' in answer) throw new NeedsExclusiveDecoding();
  if ('lacking' in answer) throw new UserError('usage', `a process that decodes: ${answer.lacking}`, { hint: addressHint });
  if ('reason' in answer) throw answer.isDamaged ? new DamagedFile(answer.reason) : new DataError(answer.reason);
  // something else may have ended it while nothing was asked of it: a new one tells whether the file does
  if (!isNew) return decodeIn(slot, request);
  throw new DataError(answer.ended);
}

function start(slot: Slot): ChildProcess {
  requireDecoding();
  const child = fork(fileURLToPath(ownFile('dist/bundle/decoding-worker.js')), [String(process.pid)], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  const forget = () => forgetWorker(slot, child);
  child.on('exit', forget).on('error', forget);
  child.unref(); // it ends with this process
  child.channel?.unref(); // there is none where no process could be made: `error` says why
  return child;
}

function forgetWorker(slot: Slot, child: ChildProcess): void {
  if (slot.worker === child) slot.worker = undefined;
}

type Outcome = DecodeReply | { ended: string };

/** @returns its reply, or what ended it before there was one. One that takes too long is ended, and that is its reply */
function ask(slot: Slot, child: ChildProcess, request: DecodeRequest): Promise<Outcome> {
  return new Promise((resolve) => {
    const settle = (answer: Outcome) => {
      clearTimeout(late); // what keeps this process waiting, too
      stopDecoding.signal.removeEventListener('abort', stop);
      child.off('message', settle).off('exit', onExit).off('error', onError);
      resolve(answer);
    };
    const end = (answer: Outcome) => {
      forgetWorker(slot, child);
      if (child.pid !== undefined) child.kill('SIGKILL'); // one that never began has number 0: this very process and its group
      settle(answer);
    };
    const stop = () => end(interrupted);
    stopDecoding.signal.addEventListener('abort', stop);
    const { seconds, reason } = patienceFor(request.file);
    const late = setTimeout(() => end({ reason, isDamaged: false }), seconds * 1000);
    const onExit = (code: number | null, signal: string | null) =>
      end({ ended: `decoding it ended with ${signal ?? `exit code ${code}`}` });
    const onError = (error: Error) => end({ ended: `no process can decode it: ${systemReason(error)}` });
    child.on('message', settle).on('exit', onExit).on('error', onError);
    // one without a channel never began, has ended, or is about to: `error` or `exit` says so
    if (child.connected) child.send(request, () => {});
  });
}

function patienceFor(file: Uint8Array): { seconds: number; reason: string } {
  const known = formatOf(file)?.name;
  if (known === undefined || known === 'svg')
    return { seconds: drawingSeconds, reason: `an SVG that takes more than ${drawingSeconds} seconds to draw` };
  const seconds = secondsFor(file.length);
  return { seconds, reason: `it takes more than ${seconds} seconds to decode` };
}
