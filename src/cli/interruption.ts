import { UserError } from '../errors.ts';

export interface Interruption {
  signal: AbortSignal;
  /** takes the listeners away, so that the process can end */
  stop(): void;
}

const kinds = { SIGINT: 'interrupted', SIGTERM: 'terminated' } as const;

/** The first Ctrl-C or SIGTERM asks commands to finish their step; the second ends the process at once. A closed
 *  stdout (`nn predict … | head -1`) asks them to stop too, and is no error. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      stop();
      process.kill(process.pid, signal);
      return;
    }
    controller.abort(new UserError(kinds[signal as keyof typeof kinds], 'interrupted'));
  };
  const onStdoutError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    controller.abort(new UserError('done', ''));
  };
  const stop = () => {
    for (const signal of Object.keys(kinds)) process.off(signal, onSignal);
  };
  for (const signal of Object.keys(kinds)) process.on(signal, onSignal);
  process.stdout.on('error', onStdoutError);
  return { signal: controller.signal, stop };
}
