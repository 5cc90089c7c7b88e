import type { Kernels } from '../kernels/kernels.ts';
import type { Parameters } from '../model/network.ts';
import { move, optimizers, type Step, stepBy } from '../optimize/optimizers.ts';
import type { Training } from './fit-run.ts';
import { weightsNorm } from './problem.ts';

/** Turns the gradient into a step and takes it, each layer at its rate. */
export function update(run: Training, norms: boolean): void {
  const { options, trainable: problem, rule, gradient, state, rates, steps: t } = run;
  const stretches = run.fused ? run.parameterGroups.fused : run.parameterGroups.whole;
  const { kernels, parameters } = problem;
  const { name } = options.optimizer;
  for (const { start, end, layer, featureRates: byColumn } of stretches) {
    const learningRate = rates[layer]!;
    const step: Step = { gradient: gradient.values, state, start, end, t };
    if (byColumn === null) stepBy(kernels, name, step, { ...rule, values: parameters.values, learningRate });
    else {
      optimizers[name].direct(step, rule);
      run.updateNorms[layer] = Math.sqrt(move(parameters.values, step.gradient, { start, end, learningRate, byColumn }));
    }
  }
  if (norms) measureUpdates(run);
}

/** ‖ΔW‖ of each layer, from the directions that the optimizer left in the gradient. */
function measureUpdates({ options, trainable: problem, gradient, rates, gradientNorms, updateNorms, fused }: Training): void {
  const { slots } = optimizers[options.optimizer.name];
  for (const { decayed, layer, offset, length } of gradient.specs) {
    if (!decayed || (layer === 0 && (fused || options.featureLearningRates !== null))) continue; // these are known already
    const direction = gradient.values.subarray(offset, offset + length);
    // in dual form the step in W1 is that of its coefficients times V, and no rate differs by feature
    const norm = () => (layer === 0 ? weightsNorm(problem, gradient, 0) : Math.sqrt(problem.kernels.squaredNorm(direction)));
    updateNorms[layer] = rates[layer]! * (slots === 0 ? gradientNorms[layer]! : norm()); // nothing remembered: along dW itself
  }
}

/** Shrinks a gradient that is longer than the bound to the bound. */
export function clip({ values, specs: segments }: Parameters, bound: number | null, kernels: Kernels): void {
  if (bound === null) return;
  let squares = 0;
  for (const { trained, offset, length } of segments) {
    if (trained) squares += kernels.squaredNorm(values.subarray(offset, offset + length));
  }
  const factor = bound / Math.sqrt(squares);
  if (factor < 1) for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor;
}
