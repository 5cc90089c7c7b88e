import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ExitKind } from '../../src/errors.ts';
import { bounds } from './bounds.ts';

/** What became of one input. */
export type Outcome =
  | { answer: Record<string, unknown> }
  | { refused: { kind: ExitKind; message: string } }
  /** what no input may cause, in words */
  | { fault: string };

export type Watched = Outcome & { seconds: number; bytes: number };

export interface Request {
  reader: string;
  path: string;
  extra?: object;
}

type Reply = Outcome & { elsewhere: string[]; peakBytes: number };

const project = fileURLToPath(new URL('../..', import.meta.url));

/** A process that reads what it is given (readers.mjs); another takes its place where it ends, hangs or grows.
 *  @param folders.work  that it may write in; folders.made  what tests have made for it */
export function readerProcess(folders: { work: string; made: string; temporary: string }) {
  let child: ChildProcess | undefined;
  let before: number | null = null;
  let asked = 0;
  const close = () => {
    child?.kill('SIGKILL');
    child = undefined;
  };
  const start = () => {
    asked = 0;
    before = null;
    const { work, made, temporary } = folders;
    return fork(fileURLToPath(new URL('readers.mjs', import.meta.url)), [work, made, project], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { ...process.env, TMPDIR: temporary, NN_CACHE: `${work}/cache` },
    });
  };
  return {
    close,
    /** @param isSound  a file that is as it should be: what comes after it is measured from there */
    async ask(request: Request, isSound = false): Promise<Watched> {
      if (asked >= askedOfOne && isSound) close(); // what files left open stay open
      child ??= start();
      asked++;
      const started = performance.now();
      const reply = await answerOf(child, request, before);
      const seconds = (performance.now() - started) / 1000;
      const peak = 'peakBytes' in reply ? reply.peakBytes : 0;
      if (isSound) before ??= peak;
      const bytes = Math.max(0, peak - (before ?? peak));
      if (!('elsewhere' in reply) || bytes > bounds.bytes) close();
      return { ...judged(reply, bytes), seconds, bytes };
    },
  };
}

const askedOfOne = 400;

function judged(reply: Reply | { fault: string }, bytes: number): Outcome {
  if (!('elsewhere' in reply)) return reply;
  const { elsewhere, peakBytes: _, ...outcome } = reply;
  if (elsewhere.length > 0) return { fault: `it opened ${elsewhere.join(', ')}` };
  if (bytes > bounds.bytes) return { fault: `${Math.round(bytes / 2 ** 20)} MB more than a sound file takes` };
  if ('refused' in outcome && outcome.refused.message.length > bounds.messageCharacters)
    return { fault: `a message of ${outcome.refused.message.length} characters` };
  return outcome;
}

/** @param before  the most memory that the process had after a sound file */
function answerOf(child: ChildProcess, request: Request, before: number | null): Promise<Reply | { fault: string }> {
  return new Promise((done) => {
    const settle = (outcome: Reply | { fault: string }) => {
      clearTimeout(late);
      clearInterval(growth);
      child.off('message', settle);
      child.off('exit', onExit);
      done(outcome);
    };
    const onExit = (code: number | null, signal: string | null) =>
      settle({ fault: `the process ended: ${signal ?? `exit ${code}`}` });
    const late = setTimeout(() => settle({ fault: `no answer within ${bounds.seconds} seconds` }), bounds.seconds * 1000);
    const growth = setInterval(() => {
      const bytes = residentBytes(child.pid!);
      if (before !== null && bytes - before > 2 * bounds.bytes)
        settle({ fault: `${Math.round(bytes / 2 ** 20)} MB, and it grows` });
    }, 100);
    child.once('message', settle);
    child.once('exit', onExit);
    child.send(request);
  });
}

/** 0 where the system does not say: then the peak that the process itself reports is all that is known. */
function residentBytes(pid: number): number {
  try {
    return 4096 * Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  } catch {
    return 0;
  }
}
