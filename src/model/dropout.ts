import type { Floats } from '../kernels/kernels.ts';
import type { Random } from '../random.ts';

/** Inverted dropout: each unit of each example is kept with probability keepProb and then divided by it, so that
 *  the expected activation stays and nothing needs doing at test time.
 *  @param mask  the first `length` entries become 1/keepProb or 0
 *  @see Srivastava et al. 2014 */
export function drawMask(mask: Floats, length: number, keepProb: number, random: Random): void {
  for (let i = 0; i < length; i++) mask[i] = random.uniform() < keepProb ? 1 / keepProb : 0;
}
