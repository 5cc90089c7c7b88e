// A competitor in a process of its own, which may be missing, die or hang without taking the run with it.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const seconds = 300;

/** @returns `is`, what it says of itself; `ask(request)`, its answer; `end()`
 *  @throws Error with the reason, in a few words, where it does not start, dies or does not answer */
export async function startChild([program, ...words], environment) {
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], env: environment });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let complaint = '';
  let failure;
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint = (complaint + text).slice(-4000);
  });
  child.on('error', (error) => (failure = error.message));
  child.stdin.on('error', () => {}); // what has ended says why below
  const ended = new Promise((resolve) => child.on('close', resolve));

  async function next() {
    const timer = setTimeout(() => {
      failure = `no answer in ${seconds} s`;
      child.kill('SIGKILL');
    }, seconds * 1000);
    const { value, done } = await lines.next();
    clearTimeout(timer);
    if (!done) return JSON.parse(value);
    await ended;
    throw new Error(failure ?? reasonIn(complaint));
  }
  const ask = (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return next();
  };
  const end = async () => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
  };
  const { is } = await next();
  return { is, ask, end };
}

/** The line of a traceback that says what happened. */
export function reasonIn(complaint) {
  const lines = complaint.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => /^\w*(Error|Exception)\b/.test(line)) ?? lines.at(-1) ?? 'it ended without a word').slice(
    0,
    200,
  );
}
