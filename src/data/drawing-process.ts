import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.ts';
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
  const drawn = last.then(() => ask({ call, file, how }));
  last = drawn.catch(() => {});
  return drawn as Promise<Awaited<ReturnType<Drawing[Call]>>>;
}

function start(): ChildProcess {
  const child = fork(fileURLToPath(ownFile('dist/bundle/drawing-worker.js')), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  child.unref(); // it ends with this process
  child.channel!.unref();
  return child;
}

function ask(request: object): Promise<unknown> {
  const child = (worker ??= start());
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(late); // what keeps this process waiting, too
      child.off('message', onReply);
      child.off('exit', onExit);
      act();
    };
    const refuse = (reason: string) => {
      worker = undefined;
      child.kill('SIGKILL');
      settle(() => reject(new UserError('data', reason)));
    };
    const late = setTimeout(() => refuse(`an SVG that takes more than ${drawingSeconds} seconds to draw`), drawingSeconds * 1000);
    const onExit = (code: number | null, signal: string | null) =>
      refuse(`drawing it ended with ${signal ?? `exit code ${code}`}`);
    const onReply = (reply: Reply) =>
      settle(() => ('drawn' in reply ? resolve(reply.drawn) : reject(new UserError('data', reply.reason))));
    child.on('message', onReply);
    child.on('exit', onExit);
    child.send(request);
  });
}
