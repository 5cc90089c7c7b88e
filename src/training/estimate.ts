import { inScope } from '../kernels/kernels.ts';
import { backward, lossGradient } from '../model/backward.ts';
import { createWorkspace, forward, type Pass } from '../model/forward.ts';
import { parametersOver } from '../model/network.ts';
import type { FitOptions } from './fit.ts';

/** Pictures that are passed through to see how fast this machine is. */
const sample = 64;

/** How long a training will take: one pass over a few pictures is timed, after one to warm up. */
export function estimateSeconds(options: FitOptions): number {
  return inScope(options.kernels, (kernels) => estimateInScope({ ...options, kernels }));
}

function estimateInScope({ network, parameters, kernels, map, train, dev, loss, epochs, evaluateEvery }: FitOptions): number {
  const m = train.labels.length;
  const count = Math.min(sample, m);
  const input = { kind: 'bytes', bytes: train.pixels, indices: null, count, features: network.inputs, map } as const;
  const pass: Pass = {
    network,
    parameters,
    kernels,
    input,
    workspace: createWorkspace(network, kernels, count),
    mode: { kind: 'training', masks: null },
  };
  const gradient = parametersOver(network, kernels.floats(parameters.values.length));
  const seconds = (work: () => void) => {
    work();
    const started = performance.now();
    work();
    return (performance.now() - started) / 1000;
  };
  const step = seconds(() => {
    forward(pass);
    lossGradient(pass, { loss, labels: train.labels, classWeights: [1, 1] });
    backward(pass, gradient);
  });
  const look = dev === null ? 0 : seconds(() => void forward(pass)) * (dev.labels.length / count / evaluateEvery);
  return epochs * (step * (m / count) + look);
}
