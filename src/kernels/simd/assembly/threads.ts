import { backwardAndStepScratch } from './backward-and-step';
import { ALL_DONE, CALL_BYTES, KernelCall, NO_PROGRESS, THREAD_DIED } from './generated/calls';
import { runPiece } from './generated/dispatch';
import { gramScratch } from './gram-u8';
import { logisticScratch } from './logistic';
import { logisticPassScratch } from './logistic-pass';
import { shrinkScratch } from './shrink-images';
import { smaller } from './tiles';
import { transformScratch } from './transform-images';
import { winogradScratch } from './winograd-tiles';

export { splitBytes } from './logistic';

/** Lets this thread see the memory that another one has added; each thread is given it where it begins (thread-pool.ts beside this folder). */
declare function seeAllMemory(): void;

/**
 * Calls are cut into pieces, and whichever thread is free takes the next; every number of the result is the same whoever
 * makes it. The control block has a cache line for each of its words, and calls behind them:
 *
 *   GENERATION  counts calls; threads that have nothing to do wait for it to change
 *   PAGES       how large the memory is, as the host sees it
 *   CLAIM       the call's generation in the upper 20 bits, the next piece in the lower 12: a thread that wakes up late finds
 *               another generation and takes nothing
 *   DONE        pieces that are done, and DEAD where a thread has ended with one in its hands; the host waits for it
 *   CALL         what the host writes
 *   SHARED      copies of it for calls of even and of odd generation: a thread that still asks whether the last call has
 *               another piece must not read the next one, and by the one after that its claim has failed
 */
const GENERATION: usize = 0;
const PAGES: usize = 4;
const CLAIM: usize = 64;
const DONE: usize = 128;
const CALL: usize = 192;
const SHARED: usize = CALL + CALL_BYTES;

/** Each thread has room of its own: a line whose first word is 1 while it may hold a piece, so that one that vanishes (where not even its own
 *  `catch` runs) is missed if it did; and behind it scratch. */
const AT_WORK: usize = 0;
const LINE: usize = 64;

const PIECE_BITS: i32 = 12;
/** Looks before a thread lies down: some fifty microseconds, since the next call is often close, and waking up takes as long. */
const SPINS: i32 = 100_000;
/** Nanoseconds that the host waits for another piece before it asks whether anybody still works. */
const PATIENCE: i64 = 250_000_000;
/** Added to DONE, which counts less than this, by a thread that has died. */
const DEAD: i32 = 1 << 30;

export function controlBytes(): usize {
  return SHARED + 2 * CALL_BYTES;
}

/** Where the host writes the call. */
export function callOffset(): usize {
  return CALL;
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
  const products = max<usize>(backwardAndStepScratch(), gramScratch());
  const logistic = max<usize>(logisticScratch(), logisticPassScratch());
  const images = max<usize>(winogradScratch(), max<usize>(transformScratch(), shrinkScratch()));
  return LINE + max<usize>(max<usize>(products, logistic), images);
}

/** The host: makes the call alone, piece by piece: between two calls of a function V8 can go over to its better code. */
export function run(control: usize, room: usize): void {
  const call = changetype<KernelCall>(control + CALL);
  for (let first = 0; first < call.end; first += call.step)
    runChain(call, first, smaller(call.end, first + call.step), room + LINE);
}

/** Makes a piece of a call, and of those that are chained to it. */
function runChain(call: KernelCall, first: i32, end: i32, scratch: usize): void {
  for (let link = call; ; link = changetype<KernelCall>(link.next)) {
    runPiece(link, first * link.each, end * link.each, scratch);
    if (link.next === 0) return;
  }
}

/** The host: shares the call with whoever else is there, and takes its own part. */
export function share(control: usize, room: usize): void {
  const generation = atomic.load<i32>(control, GENERATION) + 1;
  memory.copy(sharedCall(control, generation), control + CALL, CALL_BYTES);
  atomic.store<i32>(control, memory.size(), PAGES);
  atomic.store<i32>(control, 0, DONE);
  atomic.store<i32>(control, generation << PIECE_BITS, CLAIM);
  atomic.store<i32>(control, generation, GENERATION);
  atomic.notify(control + GENERATION, -1);
  takePieces(control, generation, room);
}

/** The host: waits until the shared call is done. @returns ALL_DONE, THREAD_DIED, or NO_PROGRESS where no piece came for a while */
export function wait(control: usize): i32 {
  const call = changetype<KernelCall>(control + CALL);
  const pieces = (call.end + call.step - 1) / call.step;
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

function sharedCall(control: usize, generation: i32): usize {
  return control + SHARED + <usize>(generation & 1) * CALL_BYTES;
}

function takePieces(control: usize, generation: i32, room: usize): void {
  atomic.store<i32>(room, 1, AT_WORK);
  const call = changetype<KernelCall>(sharedCall(control, generation));
  for (;;) {
    const claim = atomic.load<i32>(control, CLAIM);
    if (claim >>> PIECE_BITS !== (generation << PIECE_BITS) >>> PIECE_BITS) break;
    const first = (claim & ((1 << PIECE_BITS) - 1)) * call.step;
    const end = smaller(call.end, first + call.step);
    if (first >= call.end) break;
    if (atomic.cmpxchg<i32>(control, claim, claim + 1, CLAIM) !== claim) continue;
    runChain(call, first, end, room + LINE);
    atomic.add<i32>(control, 1, DONE);
    atomic.notify(control + DONE, 1);
  }
  atomic.store<i32>(room, 0, AT_WORK);
}
