import type { ByteBatch } from '../../kernels/kernels.ts';
import { opsOf } from '../build.ts';
import { lossRule } from '../losses.ts';
import type { Parameters, Pass, Targets } from '../network.ts';

/** Whether the kernels take the network forward and back in one: logistic regression over bytes. */
export function isFusedLogistic({ network, kernels, input }: Pass): boolean {
  const [first, ...others] = opsOf(network);
  return (
    first!.kind === 'linear' && others.length === 0 && input.kind === 'bytes' && (kernels.logisticPass?.takes(input) ?? false)
  );
}

/** Forward, cost and gradient of logistic regression, in one pass over the bytes. */
export function logisticCostAndGradient(
  { network, kernels, parameters, workspace, input }: Pass,
  { loss, labels, classWeights, softTargets }: Targets,
  gradient: Parameters,
): number {
  const { value: z, grad: dZ } = workspace.slots[0]!;
  const [W, b] = opsOf(network)[0]!.tensors.map(({ name }) => name) as [string, string];
  const pass = {
    labels,
    classWeights,
    input: input as ByteBatch,
    rule: lossRule(loss, softTargets),
    m: input.count,
    z,
    dZ,
    weights: parameters.tensors[W]!,
    bias: parameters.tensors[b]!,
    dW: gradient.tensors[W]!,
    db: gradient.tensors[b]!,
  };
  return kernels.logisticPass!.run(pass) / input.count;
}
