import { stopDecoding } from '../data/decode-turns.ts';
import { systemReason, UserError } from '../errors.ts';

export interface Interruption {
  signal: AbortSignal;
  /** takes the listeners away, so that the process can end */
  stop(): void;
  /** waits until all is on its way to stdout. @throws UserError (done, data) where it could not be written */
  written(): Promise<void>;
}

/** Shows the cursor and wraps lines again: what a progress bar takes away. */
const plainTerminal = '\x1b[?25h\x1b[?7h\n';
const closedPipe = () => new UserError('done', '');
const kinds = { SIGINT: 'interrupted', SIGTERM: 'terminated', SIGHUP: 'hungUp' } as const;

/** The first Ctrl-C, SIGTERM or closing of the terminal asks commands to finish their step; the second ends the process at once. A closed
 *  stdout (`nn predict … | head -1`) asks them to stop too, and is no error; one that can't be written is. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      stop();
      if (process.stderr.isTTY) process.stderr.write(plainTerminal);
      process.kill(process.pid, signal);
      return;
    }
    controller.abort(new UserError(kinds[signal as keyof typeof kinds], 'interrupted'));
    stopDecoding.abort();
  };
  let failure: UserError | undefined;
  const onStdoutError = (error: NodeJS.ErrnoException) => {
    failure ??= error.code === 'EPIPE' ? closedPipe() : new UserError('data', `standard output: ${systemReason(error)}`);
    controller.abort(failure);
  };
  const stop = () => {
    for (const signal of Object.keys(kinds)) process.off(signal, onSignal);
  };
  for (const signal of Object.keys(kinds)) process.on(signal, onSignal);
  process.stdout.on('error', onStdoutError);
  process.stderr.on('error', () => {}); // nobody reads it: that is no reason to stop working
  const written = async () => {
    await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
    if (failure) throw failure;
  };
  return { signal: controller.signal, stop, written };
}
