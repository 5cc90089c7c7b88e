// One job: every competitor shows that it computes the same, then all run in turns.
import { setTimeout as pause } from 'node:timers/promises';
import { startChild } from './child.mjs';
import { competitors } from './competitors.mjs';
import { writeData } from './data.mjs';
import { allowed, disagreement, spreadOf } from './figures.mjs';
import { processesOf } from './processes.mjs';

/** Milliseconds between two turns. Peers' threads go on spinning when their work is done and keep a core from whoever comes next: those of OpenBLAS and
 *  of OpenMP for 50 to 100 ms, onnxruntime's for 20 to 50 (time on a processor in stretches of 20 ms after a turn). */
const settling = 150;

/** @returns the job's rows: label, peer, is, note; `median`, `least` and `most` in ms, or the `reason` why there are none */
export async function measure(job, folder, environment) {
  const known = await writeData(job, folder);
  const { missing, note } = known;
  if (missing) return { note: missing, rows: [] };
  const full = { ...job, ...known, steps: known.m ?? job.steps };
  const rows = [];
  try {
    for (const row of await rowsOf(full, folder, environment)) rows.push(await begin(row, full, folder));
    if (job.kind !== 'whole') await compare(rows, full);
    for (let round = 0; round < most(rows, full); round++) await runRound(rows, full, folder, round);
  } finally {
    for (const { competitor } of rows) await competitor?.end();
  }
  return { note, rows: rows.map(({ times, ...row }) => ({ ...row, ...(row.reason ? {} : spreadOf(times)) })) };
}

async function rowsOf(job, folder, environment) {
  const children = competitors
    .filter(({ in: names }) => names.includes(job.name))
    .map((row) => ({ ...row, begin: () => startChild(row.command, environment) }));
  return [...children, ...(await processesOf(job, folder, environment))];
}

const most = (rows, job) => Math.max(...rows.map(({ rounds }) => rounds ?? job.rounds));

/** Starts a competitor. What does not start, or can't do the job, stays in the table with its reason. */
async function begin(row, job, folder) {
  const begun = { ...row, times: [], reason: row.missing };
  if (begun.reason) return begun;
  return attempt(begun, 'missing: ', async () => {
    begun.competitor = await row.begin();
    begun.is = begun.competitor.is;
    const { note } = await begun.competitor.ask({ job, folder });
    begun.note = note;
  });
}

/** Notes in a row why something failed, and lets the others go on. */
async function attempt(row, before, work) {
  try {
    await work();
  } catch (error) {
    row.reason = `${before}${error.message}`;
  }
  return row;
}

/** Two runs of each, which also warm up, must give the same numbers. */
async function compare(rows, job) {
  for (const count of [1, job.steps]) {
    for (const row of running(rows)) {
      await attempt(row, 'stopped: ', async () => {
        row.check = (await row.competitor.ask({ count })).check;
      });
    }
    for (const row of running(rows)) refuse(row, rows, job);
  }
}

const running = (rows) => rows.filter(({ reason }) => reason === undefined);

/** A row that differs does not count. */
function refuse(row, rows, job) {
  const reference = row.wanted ?? job.reference ?? (running(rows).find(({ exact }) => exact) ?? running(rows)[0]).check;
  row.reason = disagreement(row.check, reference, allowed(job, row)) ?? undefined;
}

async function runRound(rows, job, folder, round) {
  for (const row of running(rows)) {
    if (round >= (row.rounds ?? job.rounds)) continue;
    await pause(settling);
    await attempt(row, `stopped in round ${round + 1}: `, async () => {
      if (row.fresh && round > 0) await startAnew(row, job, folder);
      const { ms, check } = await row.competitor.ask({ count: job.steps });
      row.check = check;
      row.times.push(ms);
    });
    if (job.kind === 'whole' && row.reason === undefined) refuse(row, rows, job);
  }
}

async function startAnew(row, job, folder) {
  await row.competitor.end();
  row.competitor = await row.begin();
  await row.competitor.ask({ job, folder });
}
