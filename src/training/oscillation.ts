/** A cost that turns this often, as a share of the epochs, goes up and down rather than down. */
const turningShare = 0.25;
/** Fewer turns than this tell nothing. */
const leastTurns = 10;

/** Says when the cost of full batches zigzags to the end, as it does where the learning rate is nearly too large; null
 *  where it does not, or no more: the course's own logistic regression zigzags for 300 epochs of 2,000. */
export function costOscillates(costs: readonly number[], learningRate: number): string | null {
  const turns = turnsOf(costs);
  const half = costs.slice(Math.floor(costs.length / 2));
  if (turns < leastTurns || turns < turningShare * costs.length || turnsOf(half) < turningShare * half.length) return null;
  return (
    `the cost oscillates: it rose and fell again ${turns} times in ${costs.length} epochs. ` +
    `The learning rate ${learningRate} overshoots at times; a smaller one falls smoothly, though it may need more epochs: ` +
    `--set training.learningRate=${Number((learningRate / 2).toPrecision(2))}.`
  );
}

/** How often the cost rises and then falls. */
function turnsOf(costs: readonly number[]): number {
  let turns = 0;
  for (let i = 2; i < costs.length; i++) {
    const [before, middle, after] = [costs[i - 2]!, costs[i - 1]!, costs[i]!];
    if (middle > before && middle > after) turns++;
  }
  return turns;
}
