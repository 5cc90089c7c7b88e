import type { SingleBar } from 'cli-progress';
import type { Progress } from '../commands/command.ts';
import { oneLine } from '../text.ts';

/** Between plain lines of progress off a terminal. */
const lineSeconds = 10;
/** Work that ends sooner shows no progress at all. */
const silentSeconds = 1;

export interface Work {
  title: string;
  total: number;
  /** what was done before, and so says nothing of the pace */
  begun: number;
  /** what so much of it takes, where units of the work differ: the time left goes by that */
  effort?: ((done: number) => number) | undefined;
}

export const silence: Progress = { update: () => {}, stop: () => {} };

/** A bar on a terminal. The library is loaded for work that is long enough to be shown; the bar appears with the first update after that. */
export function drawBar(work: Work, stream: NodeJS.WriteStream): Progress {
  const started = performance.now();
  const state = stateOf(work);
  let loading = false;
  let bar: SingleBar | undefined;
  let shown = false;
  const load = async () => {
    const { SingleBar } = await import('cli-progress');
    const manners = { stream, hideCursor: true, clearOnComplete: true, stopOnComplete: true };
    bar = new SingleBar({ format: (_, { maxWidth }) => barText(state.read(), maxWidth - 1), ...manners });
  };
  return {
    update(done, detail) {
      state.update(done, detail);
      if (!shown && performance.now() - started < silentSeconds * 1000) return;
      if (!loading) void load().catch(() => {}); // where not even that can be loaded, the work goes on without a bar
      loading = true;
      if (bar === undefined) return;
      if (shown) bar.update(done);
      else bar.start(work.total, done);
      shown = true;
    },
    stop() {
      if (shown) bar?.stop();
      shown = false;
    },
  };
}

/** Plain lines now and then. */
export function writeLines(work: Work, write: (line: string) => void): Progress {
  const state = stateOf(work);
  let next = performance.now() + silentSeconds * 1000;
  return {
    update(done, detail) {
      state.update(done, detail);
      const now = performance.now();
      if (now < next) return;
      next = now + lineSeconds * 1000;
      const { title, facts } = state.read();
      write(`${title} ${facts.join(separator)}`);
    },
    stop: () => {},
  };
}

/** How far some work is. */
export interface State {
  title: string;
  /** from 0 to 1 */
  share: number;
  /** how many of how many, what was last said of it, and the time left; the first matters most */
  facts: string[];
}

function stateOf({ title, total, begun, effort }: Work) {
  const leftAfter = pace(total, begun, effort);
  let [done, detail, left] = [begun, '', ''];
  return {
    /** @param said  what was said before stands, where it is undefined: an epoch that is under way has no cost yet */
    update(now: number, said: string | undefined): void {
      [done, detail, left] = [now, said ?? detail, leftAfter(now)];
    },
    read: (): State => ({
      title: oneLine(title),
      share: total > 0 ? Math.min(1, done / total) : 0,
      facts: [`${Math.floor(done)}/${total}`, oneLine(detail), left].filter((text) => text !== ''),
    }),
  };
}

const separator = ' · ';
const [leastBar, mostBar] = [5, 40];

/** A line of at most so many columns: the bar shrinks, then goes, then the time left goes, before the cost does. */
export function barText({ title, share, facts }: State, columns: number): string {
  for (let count = facts.length; count > 0; count--) {
    const text = facts.slice(0, count).join(separator);
    const room = columns - title.length - text.length - 2;
    if (room >= leastBar) return `${title} ${drawnBar(share, Math.min(room, mostBar))} ${text}`;
    const bare = `${title} ${text}`;
    if (bare.length <= columns || count <= 2) return bare.slice(0, columns);
  }
  return title.slice(0, columns);
}

function drawnBar(share: number, length: number): string {
  const full = Math.round(share * length);
  return '█'.repeat(full) + '░'.repeat(length - full);
}

/** So long after the first unit of the work, or after a twentieth of it, there is a pace to speak of. */
const paceSeconds = 5;
/** The first unit itself may be slow, since all begins with it: it tells of the rest where it takes longer than that. */
const firstUnitSeconds = 30;

/** "12s left", from the pace since the first unit was done (an epoch, a picture): what is prepared before says nothing of the rest. Nothing
 *  before there is a pace. */
function pace(total: number, begun: number, effort = (done: number) => done): (done: number) => string {
  let from: { at: number; done: number; inFirst: boolean } | undefined;
  return (done) => {
    const at = performance.now();
    const inFirst = done < begun + 1;
    if (from === undefined || (from.inFirst && !inFirst)) from = { at, done, inFirst };
    const [seconds, units] = [(at - from.at) / 1000, done - from.done];
    const perSecond = (effort(done) - effort(from.done)) / seconds;
    const isKnown = inFirst ? seconds >= firstUnitSeconds : seconds >= paceSeconds || units >= (total - begun) / 20;
    return isKnown && units > 0 ? `${duration((effort(total) - effort(done)) / perSecond)} left` : '';
  };
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60
    ? `${whole}s`
    : whole < 3600
      ? `${Math.floor(whole / 60)}m${whole % 60}s`
      : `${Math.floor(whole / 3600)}h${Math.floor((whole % 3600) / 60)}m`;
}
