import { normalizeBatch, normalizeGradient, normalizeWith } from './batch-norm';
import { byteProducts, byteProductsScratch } from './bytes';
import { activate, activationGradient, lossGradient, sumExamples } from './elementwise';
import { seeAllMemory } from './growth';
import { Job } from './job';
import { forwardBytes, forwardFloats, inputGradient, weightsBytes, weightsFloats } from './layer';
import { forwardOneUnit, oneUnitScratch, splitNumbers, weightsOneUnit } from './one-unit';
import { passParts, passScratch, sumParts } from './one-unit-pass';
import { stepScratch, stepWeightsBytes } from './step';
import { smaller } from './tiles';

export { splitBytes } from './one-unit';

import { addScaled, moveParameters, squaredNorms } from './vectors';

/**
 * Jobs are cut into pieces, and whichever thread is free takes the next; every number of the result is the same whoever
 * makes it. The control block has a cache line for each of its words, and jobs behind them:
 *
 *   GENERATION  counts jobs; threads that have nothing to do wait for it to change
 *   PAGES       how large the memory is, as the host sees it
 *   CLAIM       the job's generation in the upper 20 bits, the next piece in the lower 12: a thread that wakes up late finds
 *               another generation and takes nothing
 *   DONE        pieces that are done, and DEAD where a thread has ended with one in its hands; the host waits for it
 *   JOB         what the host writes
 *   SHARED      copies of it for jobs of even and of odd generation: a thread that still asks whether the last job has
 *               another piece must not read the next one, and by the one after that its claim has failed
 */
const GENERATION: usize = 0;
const PAGES: usize = 4;
const CLAIM: usize = 64;
const DONE: usize = 128;
const JOB: usize = 192;
const JOB_BYTES: usize = 192;
const SHARED: usize = JOB + JOB_BYTES;

/** Each thread has room of its own: a line whose first word is 1 while it may hold a piece, so that one that vanishes (where not even its own
 *  `catch` runs) is missed if it did; and behind it scratch. */
const AT_WORK: usize = 0;
const LINE: usize = 64;

const PIECE_BITS: i32 = 12;
/** Looks before a thread lies down: some fifty microseconds, since the next job is often close, and waking up takes as long. */
const SPINS: i32 = 100_000;
/** Nanoseconds that the host waits for another piece before it asks whether anybody still works. */
const PATIENCE: i64 = 250_000_000;
/** Added to DONE, which counts less than this, by a thread that has died. */
const DEAD: i32 = 1 << 30;

/** What becomes of a shared job, as `wait` tells the host. */
const ALL_DONE: i32 = 0;
const THREAD_DIED: i32 = 1;
const NO_PROGRESS: i32 = 2;

export function controlBytes(): usize {
  return SHARED + 2 * JOB_BYTES;
}

/** Where the host writes the job. */
export function jobOffset(): usize {
  return JOB;
}

/** The word to which a dead thread adds `deadMark()`, and that it then wakes the host by. */
export function doneOffset(): usize {
  return DONE;
}

export function deadMark(): i32 {
  return DEAD;
}

/** Room that each thread needs, zeros at first. */
export function roomBytes(): usize {
  return LINE + max<usize>(max<usize>(stepScratch(), byteProductsScratch()), max<usize>(oneUnitScratch(), passScratch()));
}

/** The host: does the job alone, piece by piece: between two calls of a function V8 can go over to its better code. */
export function run(control: usize, room: usize): void {
  const job = changetype<Job>(control + JOB);
  for (let first = job.first; first < job.end; first += job.step)
    runPiece(job, first, smaller(job.end, first + job.step), room + LINE);
}

/** The host: shares the job with whoever else is there, and takes its own part. */
export function share(control: usize, room: usize): void {
  if (offsetof<Job>() > JOB_BYTES) unreachable();
  const generation = atomic.load<i32>(control, GENERATION) + 1;
  memory.copy(sharedJob(control, generation), control + JOB, JOB_BYTES);
  atomic.store<i32>(control, memory.size(), PAGES);
  atomic.store<i32>(control, 0, DONE);
  atomic.store<i32>(control, generation << PIECE_BITS, CLAIM);
  atomic.store<i32>(control, generation, GENERATION);
  atomic.notify(control + GENERATION, -1);
  takePieces(control, generation, room);
}

/** The host: waits until the shared job is done. @returns ALL_DONE, THREAD_DIED, or NO_PROGRESS where no piece came for a while */
export function wait(control: usize): i32 {
  const job = changetype<Job>(control + JOB);
  const pieces = (job.end - job.first + job.step - 1) / job.step;
  let done = awaitChange(control + DONE, pieces, true);
  while (done !== pieces) {
    if (done >= DEAD) return THREAD_DIED;
    const silent = atomic.wait<i32>(control + DONE, done, PATIENCE) === AtomicWaitResult.TIMED_OUT;
    if (silent && atomic.load<i32>(control, DONE) === done) return NO_PROGRESS;
    done = awaitChange(control + DONE, pieces, true);
  }
  return ALL_DONE;
}

/** Another thread: works for ever. */
export function work(control: usize, room: usize): void {
  for (let seen = 0; ; ) {
    const generation = awaitChange(control + GENERATION, seen, false);
    if (generation === seen) {
      atomic.wait<i32>(control + GENERATION, seen, -1);
      continue;
    }
    seen = generation;
    if (seesAll(control)) takePieces(control, generation, room);
  }
}

/** Whether this thread may touch all that the host has. Where the host's memory grew while the thread began, the thread goes on seeing the old
 *  size, and what it fills beyond traps. */
function seesAll(control: usize): bool {
  const pages = atomic.load<i32>(control, PAGES);
  if (memory.size() < pages) seeAllMemory();
  return memory.size() >= pages;
}

/** Looks for a while until a word is `value` (or is another). @returns what it was at last */
function awaitChange(word: usize, value: i32, equal: bool): i32 {
  let found = atomic.load<i32>(word);
  for (let spins = 0; spins < SPINS && (found === value) !== equal; spins++) found = atomic.load<i32>(word);
  return found;
}

function sharedJob(control: usize, generation: i32): usize {
  return control + SHARED + <usize>(generation & 1) * JOB_BYTES;
}

function takePieces(control: usize, generation: i32, room: usize): void {
  atomic.store<i32>(room, 1, AT_WORK);
  const job = changetype<Job>(sharedJob(control, generation));
  for (;;) {
    const claim = atomic.load<i32>(control, CLAIM);
    if (claim >>> PIECE_BITS !== (generation << PIECE_BITS) >>> PIECE_BITS) break;
    const first = job.first + (claim & ((1 << PIECE_BITS) - 1)) * job.step;
    const end = smaller(job.end, first + job.step);
    if (first >= job.end) break;
    if (atomic.cmpxchg<i32>(control, claim, claim + 1, CLAIM) !== claim) continue;
    runPiece(job, first, end, room + LINE);
    atomic.add<i32>(control, 1, DONE);
    atomic.notify(control + DONE, 1);
  }
  atomic.store<i32>(room, 0, AT_WORK);
}

/** The kinds of jobs, in the order of the host's list (job.ts beside this folder). */
function runPiece(job: Job, first: i32, end: i32, scratch: usize): void {
  switch (job.kind) {
    case 0:
      forwardBytes(job, first, end, scratch);
      break;
    case 1:
      forwardFloats(job, first, end, scratch);
      break;
    case 2:
      weightsBytes(job, first, end, scratch);
      break;
    case 3:
      weightsFloats(job, first, end);
      break;
    case 4:
      inputGradient(job, first, end);
      break;
    case 5:
      byteProducts(job, first, end, scratch);
      break;
    case 6:
      moveParameters(job, first, end, scratch);
      break;
    case 7:
      addScaled(job, first, end);
      break;
    case 8:
      squaredNorms(job, first, end);
      break;
    case 9:
      splitNumbers(job);
      break;
    case 10:
      forwardOneUnit(job, first, end, scratch);
      break;
    case 11:
      weightsOneUnit(job, first, end, scratch);
      break;
    case 12:
      stepWeightsBytes(job, first, end, scratch);
      break;
    case 13:
      activate(job, first, end);
      break;
    case 14:
      activationGradient(job, first, end);
      break;
    case 15:
      lossGradient(job, first, end);
      break;
    case 16:
      sumExamples(job, first, end);
      break;
    case 17:
      normalizeBatch(job, first, end);
      break;
    case 18:
      normalizeWith(job, first, end);
      break;
    case 19:
      normalizeGradient(job, first, end);
      break;
    case 20:
      passParts(job, first, end, scratch);
      break;
    case 21:
      sumParts(job, first, end);
      break;
    default:
      unreachable();
  }
}
