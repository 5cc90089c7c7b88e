import type { Context, Progress } from '../commands/command.ts';
import { UserError } from '../errors.ts';
import { grouped } from '../text.ts';
import { drawBar, silence, writeLines } from './progress.ts';
import { stderrManners, writerTo } from './writer.ts';

/** The options that every command has. */
export interface GlobalValues {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  color: boolean;
}

/** The streams and manners of this process. */
export function createContext(values: GlobalValues, signal: AbortSignal): Context {
  const { json = false, quiet = false, verbose = false } = values;
  const { stdout, stderr, env } = process;
  const isDumb = env['TERM'] === 'dumb';
  const styled = (stream: NodeJS.WriteStream) => stream.isTTY === true && values.color && !env['NO_COLOR'] && !isDumb;
  const out = writerTo(stdout, { styled: styled(stdout), wrapped: !json });
  const err = writerTo(stderr, { ...stderrManners, styled: styled(stderr) });
  let bar: Progress | undefined;
  const aside = (text: string) => {
    bar?.stop();
    err.lines(text);
  };
  return {
    environment: env,
    json,
    verbose,
    isTerminal: stdout.isTTY === true,
    signal,
    print: out.lines,
    printRow: out.row,
    printExact: out.exact,
    note: (text) => quiet || aside(text),
    warn: (text) => quiet || aside(`${err.style('yellow', 'warning:')} ${text}`),
    complain: aside,
    style: out.style,
    progress: (title, total, begun = 0, effort) => {
      const work = { title, total, begun, effort };
      bar = quiet ? silence : stderr.isTTY && !isDumb ? drawBar(work, stderr) : writeLines(work, err.lines);
      return bar;
    },
    readStdin: (maximumBytes) => readStdin(signal, maximumBytes),
  };
}

/** @throws the signal's reason when it is aborted: whoever waits for a person to type must be able to leave */
async function readStdin(signal: AbortSignal, maximumBytes: number): Promise<Uint8Array> {
  const leave = () => void process.stdin.destroy(signal.reason);
  signal.addEventListener('abort', leave);
  try {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > maximumBytes)
        throw new UserError('data', `standard input: expected at most ${grouped(maximumBytes)} bytes, found more`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
