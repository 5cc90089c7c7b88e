import type { ParameterSpec } from '../model/network.ts';
import { brokenLayer, brokenSegment, DivergedError, segmentNorm } from './divergence.ts';
import type { Training } from './fit-run.ts';
import { smallerRates } from './learning-rate.ts';

/** The last good weights are put back; the bad step is named. Where no tensor is to blame, that of the largest gradient is.
 *  @param options.moved  whether any step has been taken */
export function diverged(
  run: Training,
  epoch: number,
  what: string,
  { blamed, moved }: { blamed?: ParameterSpec | undefined; moved: boolean },
): DivergedError {
  const { options, trainable: problem, gradient, lastGood: good, steps, lastIndices } = run;
  const { values, specs: segments } = problem.parameters;
  if (!blamed) completeGradient(run);
  values.set(good);
  const size = (segment: ParameterSpec) => {
    const norm = segmentNorm(gradient, segment);
    return Number.isNaN(norm) ? Number.POSITIVE_INFINITY : norm;
  };
  const { layer, name } = blamed ?? segments.reduce((a, b) => (size(b) > size(a) ? b : a));
  return new DivergedError({
    epoch,
    step: steps,
    layer: layer + 1,
    tensor: name,
    learningRate: options.learningRates[layer]!,
    proposedRate: moved ? smallerRates(options, 'breaks') : null,
    what,
    examples: [...lastIndices],
  });
}

/** @throws DivergedError before the weights are touched */
export function refuseBrokenCost(run: Training, cost: number, epoch: number): void {
  if (Number.isFinite(cost)) return;
  const { trainable: problem, workspace, lastCount } = run;
  const layer = brokenLayer(workspace, problem.network, lastCount);
  const weights = problem.parameters.specs.find((segment) => segment.decayed && segment.layer === layer);
  throw diverged(run, epoch, `the cost is ${cost}`, { blamed: weights, moved: run.steps > 1 });
}

/** @param firstIsFinite  what a step that was made in one with its gradient says of it
 *  @throws DivergedError */
export function refuseBrokenGradient(run: Training, firstIsFinite: boolean, epoch: number): void {
  const { trainable: problem, gradient, fused } = run;
  const seen = fused ? gradient.values.subarray(problem.parameters.specs[0]!.length) : gradient.values;
  // one pass says that all is well; only where it is not does it matter where
  if (firstIsFinite && Number.isFinite(problem.kernels.squaredNorm(seen))) return;
  completeGradient(run);
  const broken = brokenSegment(gradient) ?? (firstIsFinite ? undefined : gradient.specs[0]);
  if (broken) throw diverged(run, epoch, 'its gradient is not finite', { blamed: broken, moved: run.steps > 1 });
}

/** The first layer's gradient of the last step, where nobody has seen it yet (without L2's share). */
function completeGradient({ trainable: problem, workspace, gradient, fused, lastInput }: Training): void {
  if (!fused || lastInput === null) return;
  const { units } = problem.network.layers[0]!;
  const { dZ } = workspace.layers[0]!;
  problem.kernels.linearGradWeights({ input: lastInput, dZ, units, out: gradient.layers[0]!.weights });
}
