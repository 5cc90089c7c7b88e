import { dequantizeTile } from './dequantize';
import { BackwardAndStepCall, EXAMPLES, STEP_BLOCK, STEP_STATISTICS } from './generated/calls';
import { layerScratch, sumBytes, sumTile } from './linear';
import { listsBytes, UNITS } from './sparse';
import { smaller } from './tiles';
import { addScaledRange, COEFFICIENTS, squaresOf, stepRange, writeCoefficients, zeroIfFinite } from './vectors';

/**
 * The backward product of a first layer with the optimizer's step behind it: some columns of dW are made, and applied while they are
 * still in the cache. The whole of dW never is in memory.
 */

const STRIDE: usize = <usize>STEP_BLOCK * sizeof<real>();

/** Bytes from one dequantized row of a block to the next; the odd cache line keeps rows out of each other's cache sets. */
const TILE_STRIDE: usize = STRIDE + 64;

/** Bytes of the statistics of a block. */
const STATISTICS: usize = STEP_STATISTICS * 8;

export function backwardAndStepScratch(): usize {
  return layerScratch() + <usize>UNITS * STRIDE + COEFFICIENTS + <usize>EXAMPLES * TILE_STRIDE + listsBytes();
}

/** W ← W − rate · direction(dW + decay · W) for columns first … end − 1, x made of bytes. For each block of columns, at `statistics`:
 *  Σ dW², Σ direction² and Σ W² before the step, where `wantsNorms` asks for them; else 0, or not a number where dW is not finite. */
export function backwardAndStep(call: BackwardAndStepCall, first: i32, end: i32, scratch: usize): void {
  const sums = scratch + layerScratch();
  const coefficients = sums + <usize>UNITS * STRIDE;
  const tile = coefficients + COEFFICIENTS;
  const lists = tile + <usize>EXAMPLES * TILE_STRIDE;
  // few examples are dequantized once for all units, else anew for each UNITS of them
  const isOneTile = call.count <= EXAMPLES && call.units > UNITS;
  writeCoefficients(call, coefficients);
  for (; first < end; first += STEP_BLOCK) {
    const columns = smaller(STEP_BLOCK, end - first);
    const statistics = call.statistics + <usize>(first / STEP_BLOCK) * STATISTICS;
    memory.fill(statistics, 0, STATISTICS);
    if (isOneTile) dequantizeTile(call, 0, call.count, first, columns, tile, TILE_STRIDE);
    for (let unit = 0; unit < call.units; unit += UNITS) {
      const units = smaller(UNITS, call.units - unit);
      if (isOneTile) sumTile(call, tile, TILE_STRIDE, columns, unit, units, sums, STRIDE, lists);
      else sumBytes(call, first, first + columns, unit, units, sums, STRIDE, scratch, false);
      for (let u = 0; u < units; u++) {
        stepRow(call, coefficients, sums + <usize>u * STRIDE, (unit + u) * call.features + first, columns, statistics);
      }
    }
  }
}

/** @param first  where the `count` numbers begin in W */
function stepRow(
  call: BackwardAndStepCall,
  coefficients: usize,
  gradient: usize,
  first: i32,
  count: i32,
  statistics: usize,
): void {
  const weights = call.values + <usize>first * sizeof<real>();
  const wantsNorms = call.wantsNorms !== 0;
  if (wantsNorms) addStatistic(statistics, 16, squaresOf(weights, count));
  if (call.decay !== 0) addScaledRange(weights, <real>call.decay, gradient, count);
  addStatistic(statistics, 0, wantsNorms ? squaresOf(gradient, count) : zeroIfFinite(gradient, count));
  stepRange(call, coefficients, gradient, first, count);
  if (wantsNorms) addStatistic(statistics, 8, squaresOf(gradient, count));
}

function addStatistic(statistics: usize, at: usize, value: f64): void {
  store<f64>(statistics + at, load<f64>(statistics + at) + value);
}
