import { Job } from './job';
import { layerScratch, sumBytes, sumTile, widenTile } from './layer';
import { listsBytes, UNITS } from './sparse';
import { EXAMPLES, smaller } from './tiles';
import { addStretch, moveStretch, NUMBERS, squaresOf, writeNumbers, zeroIfFinite } from './vectors';

/**
 * The backward product of a first layer with the optimizer's step behind it: some columns of dW are made, and applied while they are
 * still in the cache. The whole of dW never is in memory.
 */

/** Columns whose dW is made at once, and whose sums go together. The number of threads changes nothing: pieces begin at multiples of it. */
export const BLOCK: i32 = 768;
const STRIDE: usize = <usize>BLOCK * sizeof<real>();

/** Bytes from one widened row of a block to the next; the odd cache line keeps rows out of each other's cache sets. */
const TILE_STRIDE: usize = STRIDE + 64;

/** What each block tells of itself: three numbers of 64 bits. */
const FACTS: usize = 24;

export function stepScratch(): usize {
  return layerScratch() + <usize>UNITS * STRIDE + NUMBERS + <usize>EXAMPLES * TILE_STRIDE + listsBytes();
}

/** W ← W − rate · direction(dW + decay · W) for columns first … end − 1, x made of bytes. For each block of columns, at `facts`:
 *  Σ dW², Σ direction² and Σ W² before the step, where `accumulate` asks for them; else 0, or not a number where dW is not finite. */
export function stepWeightsBytes(job: Job, first: i32, end: i32, scratch: usize): void {
  const sums = scratch + layerScratch();
  const numbers = sums + <usize>UNITS * STRIDE;
  const tile = numbers + NUMBERS;
  const lists = tile + <usize>EXAMPLES * TILE_STRIDE;
  // few examples are widened once for all units, else anew for each UNITS of them
  const isOneTile = job.count <= EXAMPLES && job.units > UNITS;
  writeNumbers(job, numbers);
  for (; first < end; first += BLOCK) {
    const columns = smaller(BLOCK, end - first);
    const facts = job.facts + <usize>(first / BLOCK) * FACTS;
    memory.fill(facts, 0, FACTS);
    if (isOneTile) widenTile(job, 0, job.count, first, columns, tile, TILE_STRIDE);
    for (let unit = 0; unit < job.units; unit += UNITS) {
      const units = smaller(UNITS, job.units - unit);
      if (isOneTile) sumTile(job, tile, TILE_STRIDE, columns, unit, units, sums, STRIDE, lists);
      else sumBytes(job, first, first + columns, unit, units, sums, STRIDE, scratch, false);
      for (let u = 0; u < units; u++) {
        stepRow(job, numbers, sums + <usize>u * STRIDE, (unit + u) * job.features + first, columns, facts);
      }
    }
  }
}

/** @param first  where the stretch of `count` numbers begins in W */
function stepRow(job: Job, numbers: usize, gradient: usize, first: i32, count: i32, facts: usize): void {
  const weights = job.out + <usize>first * sizeof<real>();
  const wantsNorms = job.accumulate !== 0;
  if (wantsNorms) addFact(facts, 16, squaresOf(weights, count));
  if (job.decay !== 0) addStretch(weights, <real>job.decay, gradient, count);
  addFact(facts, 0, wantsNorms ? squaresOf(gradient, count) : zeroIfFinite(gradient, count));
  moveStretch(job, numbers, gradient, first, count);
  if (wantsNorms) addFact(facts, 8, squaresOf(gradient, count));
}

function addFact(facts: usize, at: usize, value: f64): void {
  store<f64>(facts + at, load<f64>(facts + at) + value);
}
