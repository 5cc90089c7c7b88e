// The other end of child.mjs: a competitor in JavaScript. It says what it is, then answers every line of JSON on stdin with one.
import { createInterface } from 'node:readline';

/**
 * @param is  name and version
 * @param prepare  (job, folder) to a competitor: `run(count)` is timed, `check(result)` makes of what it gave the numbers that
 *   are compared; `note` is for people; the time is that of one of `count`, or of the whole run where `whole` says so
 */
export async function answerLines(is, prepare) {
  const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
  console.log = console.error; // libraries may print
  say({ is });
  let competitor;
  for await (const line of createInterface({ input: process.stdin })) {
    const { job, folder, count } = JSON.parse(line);
    if (job) {
      competitor = await prepare(job, folder);
      say({ note: competitor.note ?? '' });
      continue;
    }
    const started = performance.now();
    const result = await competitor.run(count);
    const ms = (performance.now() - started) / (competitor.whole ? 1 : count);
    say({ ms, check: competitor.check(result) });
  }
}

/** The numbers that stand for the answers of an inference. */
export function summaryOf(p) {
  const mean = p.reduce((sum, value) => sum + value, 0) / p.length;
  const square = p.reduce((sum, value) => sum + value * value, 0) / p.length;
  return [mean, square, p[0], p[p.length - 1]];
}

/** The costs that a whole training is judged by. */
export const everyHundredth = (costs) => costs.filter((_, k) => k % 100 === 0);
