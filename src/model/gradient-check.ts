import { activations } from './activations.ts';
import { backward, lossGradient, type Targets } from './backward.ts';
import { forward, type Pass } from './forward.ts';
import { addL2Gradient, l2Cost } from './l2.ts';
import { type Parameters, parametersOver } from './network.ts';

export interface GradientCheck {
  /** 0 for the first */
  layer: number;
  /** ‖g − ĝ‖ / (‖g‖ + ‖ĝ‖) over the parameters that were looked at; 0 where both are 0 */
  difference: number;
  /** ‖g − ĝ‖ is no more than the rounding of the costs explains: a saturated network has gradients too small for any
   *  difference of costs to show */
  withinRounding: boolean;
  /** how many parameters were compared */
  checked: number;
  /** how many were left out because the step crosses a kink of ReLU, where no derivative is */
  skipped: number;
}

/** Differences are taken at θ ± h and θ ± 2h, which leaves an error of about h⁴ · J⁗′/30 + 2⁻⁵² · J/h. */
const stepSize = 1e-4;
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
  const gradient = parametersOver(network, kernels.floats(parameters.values.length));
  forward(pass);
  const cost = lossGradient(pass, targets) + l2Cost(parameters, lambda, pass.kernels);
  backward(pass, gradient);
  addL2Gradient(parameters, lambda, gradient, pass.kernels);
  const analytic = gradient.values.slice();
  // from the last layer to the first: what lies below a layer is then still as the first pass left it
  const order = [...indices].sort((a, b) => b - a);
  const compared = order.map((index) => ({ index, numeric: centralDifference(pass, targets, lambda, index) }));
  return network.layers.map((_, layer) => {
    const mine = compared.filter(({ index }) => layerOf(parameters, index) === layer);
    const usable = mine.filter(({ numeric }) => numeric !== null);
    let [difference, left, right] = [0, 0, 0];
    for (const { index, numeric } of usable) {
      const g = analytic[index]!;
      difference += (g - numeric!) * (g - numeric!);
      left += g * g;
      right += numeric! * numeric!;
    }
    const size = Math.sqrt(left) + Math.sqrt(right);
    const rounding = (Math.sqrt(usable.length) * costRounding * Math.max(1, cost)) / stepSize;
    return {
      layer,
      difference: size === 0 ? 0 : Math.sqrt(difference) / size,
      withinRounding: Math.sqrt(difference) <= rounding,
      checked: usable.length,
      skipped: mine.length - usable.length,
    };
  });
}

/** The workspace holds the layers below that of the parameter; null where a unit changes sides of a kink between θ − 2h and θ + 2h. */
function centralDifference(pass: Pass, targets: Targets, lambda: number, index: number): number | null {
  const { values } = pass.parameters;
  const kept = values[index]!;
  const layer = layerOf(pass.parameters, index);
  const at = (steps: number) => {
    values[index] = kept + steps * stepSize;
    forward(pass, layer);
    const cost = lossGradient(pass, targets) + l2Cost(pass.parameters, lambda, pass.kernels);
    return { cost, sides: sidesOfKinks(pass) };
  };
  const [farBelow, below, above, farAbove] = [at(-2), at(-1), at(1), at(2)];
  values[index] = kept;
  if ([farBelow, below, above].some(({ sides }) => sides !== farAbove.sides)) return null;
  return (8 * (above.cost - below.cost) - (farAbove.cost - farBelow.cost)) / (12 * stepSize);
}

/** On which side of its kink every unit stands, as text to compare. */
function sidesOfKinks({ network, workspace, input }: Pass): string {
  const sides: string[] = [];
  for (const [l, { units, activation }] of network.layers.slice(0, -1).entries()) {
    if (!activations[activation].kink) continue;
    const { z } = workspace.layers[l]!;
    for (let i = 0; i < input.count * units; i++) sides.push(z[i]! > 0 ? '1' : '0');
  }
  return sides.join('');
}

function layerOf({ segments }: Parameters, index: number): number {
  return segments.find(({ offset, length }) => index >= offset && index < offset + length)!.layer;
}
