import { styleText } from 'node:util';
import type { SingleBar } from 'cli-progress';
import type { Context, Progress } from '../commands/command.ts';
import { readable, UserError } from '../errors.ts';
import { grouped } from '../grouped.ts';

/** The options that every command has. */
export interface GlobalValues {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  color: boolean;
}

/** Between plain lines of progress off a terminal. */
const lineSeconds = 10;
/** Work that ends sooner shows no progress at all. */
const silentSeconds = 1;

/** The streams and manners of this process. */
export function createContext(values: GlobalValues, signal: AbortSignal): Context {
  const { json = false, quiet = false, verbose = false } = values;
  const colour = (stream: NodeJS.WriteStream) =>
    stream.isTTY === true && values.color && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  const toStderr = (text: string) => void process.stderr.write(`${text}\n`);
  const styled = (stream: NodeJS.WriteStream, style: Parameters<typeof styleText>[0], text: string) =>
    colour(stream) ? styleText(style, text, { validateStream: false }) : text;
  let bar: Progress | undefined;
  const aside = (text: string) => {
    bar?.stop();
    toStderr(text);
  };
  return {
    environment: process.env,
    json,
    verbose,
    signal,
    print: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => quiet || aside(readable(text)),
    warn: (text) => quiet || aside(`${styled(process.stderr, 'yellow', 'warning:')} ${readable(text)}`),
    complain: (text) => aside(readable(text)),
    style: (style, text) => styled(process.stdout, style, text),
    progress: (title, total, begun = 0) => {
      bar = quiet
        ? silence
        : process.stderr.isTTY && process.env['TERM'] !== 'dumb'
          ? drawBar(title, total, begun)
          : writeLines(title, total, { begun, write: toStderr });
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

const silence: Progress = { update: () => {}, stop: () => {} };

/** The library is loaded for work that is long enough to be shown; the bar appears with the first update after that. */
function drawBar(title: string, total: number, begun: number): Progress {
  const started = performance.now();
  let loading = false;
  let bar: SingleBar | undefined;
  let shown = false;
  async function load(): Promise<void> {
    const { Presets, SingleBar } = await import('cli-progress');
    const format = `${title} {bar} {value}/{total}{detail}{left}`;
    const manners = { stream: process.stderr, hideCursor: true, clearOnComplete: true, stopOnComplete: true };
    bar = new SingleBar({ format, ...manners }, Presets.shades_classic);
  }
  return {
    update: (done, detail) => {
      if (!shown && performance.now() - started < silentSeconds * 1000) return;
      if (!loading) void load();
      loading = true;
      if (bar === undefined) return;
      const payload = {
        detail: detail === undefined ? '' : ` · ${detail}`,
        left: timeLeft(started, done - begun, total - begun),
      };
      if (!shown) bar.start(total, done, payload);
      else bar.update(done, payload);
      shown = true;
    },
    stop: () => {
      if (shown) bar?.stop();
      shown = false;
    },
  };
}

function writeLines(title: string, total: number, { begun, write }: { begun: number; write: (text: string) => void }): Progress {
  const started = performance.now();
  let next = started + silentSeconds * 1000;
  return {
    update: (done, detail) => {
      const now = performance.now();
      if (now < next) return;
      next = now + lineSeconds * 1000;
      write(
        `${title} ${done}/${total}${detail === undefined ? '' : ` · ${detail}`}${timeLeft(started, done - begun, total - begun)}`,
      );
    },
    stop: () => {},
  };
}

/** Before this long, or a twentieth of the work, there is no pace to speak of. */
const paceSeconds = 5;

/** " · 12s left", from the pace since the start; nothing before there is one. */
function timeLeft(started: number, done: number, total: number): string {
  // the first steps are the slowest, and say little of the rest
  if (done <= 0 || (performance.now() - started < paceSeconds * 1000 && done < total / 20)) return '';
  return ` · ${duration((((performance.now() - started) / done) * (total - done)) / 1000)} left`;
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60
    ? `${whole}s`
    : whole < 3600
      ? `${Math.floor(whole / 60)}m${whole % 60}s`
      : `${Math.floor(whole / 3600)}h${Math.floor((whole % 3600) / 60)}m`;
}
