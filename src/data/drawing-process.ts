import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemReason, UserError } from '../errors.ts';
import { ownFile } from '../own-files.ts';
import type { Drawing, Reply } from './drawing-worker.ts';

/** Seconds that an SVG may take. It can be made to take years: by style sheets, by shapes that use each other. */
export const drawingSeconds = 10;

let worker: ChildProcess | undefined;
let last: Promise<unknown> = Promise.resolve();

/** Draws a file in another process, one at a time; where that takes too long, or the process dies of it, it is refused.
 *  @throws UserError (data) with the reason */
export function drawElsewhere<Call extends keyof Drawing>(
  call: Call,
  file: Uint8Array,
  how: Parameters<Drawing[Call]>[1],
): Promise<Awaited<ReturnType<Drawing[Call]>>> {
  const drawn = last.then(() => draw({ call, file, how }));
  last = drawn.catch(() => {});
  return drawn as Promise<Awaited<ReturnType<Drawing[Call]>>>;
}

async function draw(request: object): Promise<unknown> {
  const isNew = worker === undefined;
  const answer = await ask((worker ??= start()), request);
  if ('drawn' in answer) return answer.drawn;
  if ('reason' in answer) throw new UserError('data', answer.reason);
  // something else may have ended it while nothing was asked of it: a new one tells whether the file does
  if (!isNew) return draw(request);
  throw new UserError('data', answer.ended);
}

function start(): ChildProcess {
  const child = fork(fileURLToPath(ownFile('dist/bundle/drawing-worker.js')), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  const forget = () => forgetWorker(child);
  child.on('exit', forget).on('error', forget);
  child.unref(); // it ends with this process
  child.channel?.unref(); // there is none where no process could be made: `error` says why
  return child;
}

function forgetWorker(child: ChildProcess): void {
  if (worker === child) worker = undefined;
}

/** @returns its reply, or what ended it before there was one. One that takes too long is ended, and that is its reply */
function ask(child: ChildProcess, request: object): Promise<Reply | { ended: string }> {
  return new Promise((resolve) => {
    const settle = (answer: Reply | { ended: string }) => {
      clearTimeout(late); // what keeps this process waiting, too
      child.off('message', settle).off('exit', onExit).off('error', onError);
      resolve(answer);
    };
    const end = (answer: Reply | { ended: string }) => {
      forgetWorker(child);
      if (child.pid !== undefined) child.kill('SIGKILL'); // one that never began has number 0: this very process and its group
      settle(answer);
    };
    const tooLong = `an SVG that takes more than ${drawingSeconds} seconds to draw`;
    const late = setTimeout(() => end({ reason: tooLong }), drawingSeconds * 1000);
    const onExit = (code: number | null, signal: string | null) =>
      end({ ended: `drawing it ended with ${signal ?? `exit code ${code}`}` });
    const onError = (error: Error) => end({ ended: `no process can draw it: ${systemReason(error)}` });
    child.on('message', settle).on('exit', onExit).on('error', onError);
    // one without a channel never began, has ended, or is about to: `error` or `exit` says so
    if (child.connected) child.send(request, () => {});
  });
}
