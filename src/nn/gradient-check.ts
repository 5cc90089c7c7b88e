import { opsOf, weightedLayers } from './build.ts';
import { backward, forward, lossGradient, type Parameters, type Pass, parametersOver, type Targets } from './network.ts';
import { addL2Gradient, l2Cost, tensorIn } from './regularization.ts';

export interface GradientCheck {
  /** 0 for the first */
  layer: number;
  /** ‖g − ĝ‖ / (‖g‖ + ‖ĝ‖) over the parameters that were looked at; 0 where both are 0 */
  difference: number;
  /** ‖g − ĝ‖ is no more than what is known of ĝ: in a saturated network gradients are too small for any difference of costs to show, in a deep one
   *  with batch norm the cost bends too much */
  withinError: boolean;
  /** how many parameters were compared */
  checked: number;
  /** how many were left out because the step crosses a kink of ReLU, where no derivative is */
  skipped: number;
}

/** Differences are taken at θ ± h and θ ± 2h, which leaves an error of about h⁴ · J⁗′/30 + 2⁻⁵² · J/h: with the first of these h in almost every network.
 *  Where the cost bends much, or kinks lie close, a smaller one sees more. */
const stepSizes = [1e-4, 1e-5, 1e-6, 1e-7];
/** A difference that is known this well, as a share of itself, is good enough. */
const goodError = 1e-7;
/** A cost is a sum of rounded numbers: this share of it, or of 1, means nothing. */
const costRounding = 2 ** -50;

/**
 * Holds the analytic gradient against central differences of five points,
 * (8 (J(θ + h) − J(θ − h)) − (J(θ + 2h) − J(θ − 2h))) / 12h, in float64.
 * @param pass     in training mode with frozen dropout masks: the workspace's, drawn by an earlier pass
 * @param lambda   λ/m of L2
 * @param indices  which entries of the parameter buffer to look at
 */
export function checkGradient(pass: Pass, targets: Targets, lambda: number, indices: readonly number[]): GradientCheck[] {
  const { parameters, network, kernels } = pass;
  const gradient = parametersOver(network, kernels.allocate(parameters.values.length));
  forward(pass);
  lossGradient(pass, targets);
  backward(pass, gradient);
  addL2Gradient(parameters, lambda, gradient, pass.kernels);
  const analytic = gradient.values.slice();
  // from the last layer to the first: what lies below a layer is then still as the first pass left it
  const order = [...indices].sort((a, b) => b - a);
  const compared = order.map((index) => ({ index, numeric: centralDifference(pass, targets, lambda, index) }));
  return weightedLayers(network).map((_, layer) => {
    const mine = compared.filter(({ index }) => layerOf(parameters, index) === layer);
    const usable = mine.filter(({ numeric }) => numeric !== null);
    let [difference, left, right, errors] = [0, 0, 0, 0];
    for (const { index, numeric } of usable) {
      const g = analytic[index]!;
      const { value, error } = numeric!;
      difference += (g - value) * (g - value);
      left += g * g;
      right += value * value;
      errors += error * error;
    }
    const size = Math.sqrt(left) + Math.sqrt(right);
    return {
      layer,
      difference: size === 0 ? 0 : Math.sqrt(difference) / size,
      withinError: Math.sqrt(difference) <= Math.sqrt(errors),
      checked: usable.length,
      skipped: mine.length - usable.length,
    };
  });
}

/** A derivative by differences, and how far off it may be: by the rounding of the costs, and by what a difference of three points is away from that of
 *  five. That is far more than what is left of the bend, but where a deep network makes noise of rounding it is a quarter of what five points see of
 *  that, or less. */
interface Numeric {
  value: number;
  error: number;
}

/** The workspace holds the layers below that of the parameter; null where a unit changes sides of a kink between θ − 2h and θ + 2h for every h. */
function centralDifference(pass: Pass, targets: Targets, lambda: number, index: number): Numeric | null {
  let best: Numeric | null = null;
  for (const h of stepSizes) {
    const found = differenceOver(h, pass, targets, lambda, index);
    if (found !== null && (best === null || found.error < best.error)) best = found;
    if (best !== null && best.error <= goodError * Math.abs(best.value)) return best;
    if (found?.byRounding) return best; // a smaller h would see less
  }
  return best;
}

function differenceOver(
  h: number,
  pass: Pass,
  targets: Targets,
  lambda: number,
  index: number,
): (Numeric & { byRounding: boolean }) | null {
  const { values } = pass.parameters;
  const kept = values[index]!;
  const layer = layerOf(pass.parameters, index);
  const from = opsOf(pass.network).findIndex((op) => op.layer === layer);
  const at = (steps: number) => {
    values[index] = kept + steps * h;
    forward(pass, from);
    const cost =
      lossGradient(pass, targets) +
      l2Cost(pass.parameters, lambda, (spec) => pass.kernels.squaredNorm(tensorIn(pass.parameters.values, spec)));
    return { cost, sides: activationSides(pass) };
  };
  const [farBelow, below, above, farAbove] = [at(-2), at(-1), at(1), at(2)];
  values[index] = kept;
  if ([farBelow, below, above].some(({ sides }) => sides !== farAbove.sides)) return null;
  const three = (above.cost - below.cost) / (2 * h);
  const value = (8 * (above.cost - below.cost) - (farAbove.cost - farBelow.cost)) / (12 * h);
  const rounding = (costRounding * Math.max(1, Math.abs(above.cost))) / h;
  const bend = Math.abs(value - three);
  return { value, error: rounding + 10 * bend, byRounding: rounding >= bend };
}

/** On which side of a point without a derivative every number stands, as text to compare. */
function activationSides({ network, workspace, input }: Pass): string {
  const sides = opsOf(network).map((op, k) => op.sides?.(workspace.slots[k - 1]!, input.count).join('') ?? '');
  return sides.join('');
}

function layerOf({ specs }: Parameters, index: number): number {
  return specs.find(({ offset, length }) => index >= offset && index < offset + length)!.layer;
}
