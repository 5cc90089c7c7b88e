import { augmentBatch, augments } from '../data/augment.ts';
import { type Batch, inScope, type Kernels } from '../kernels/kernels.ts';
import { backward, createWorkspace, examplesTogether, forward, lossGradient, type Pass, parametersOver } from '../nn/network.ts';
import { workUntil } from './stages.ts';
import { type FitOptions, kernelsOf } from './state.ts';
import { trainableOf } from './trainable.ts';

/** Pictures that are passed through to see how fast this machine is, at most. */
const sample = 64;

/** How long a training will take: its preparation, one pass over a few pictures and their augmentation are timed, each after one to warm
 *  up. */
export function estimateSeconds(options: FitOptions): number {
  const { loss, epochs, evaluateEvery } = options;
  return inScope(kernelsOf(options), (kernels) => {
    const started = performance.now();
    const { form, train, dev } = trainableOf(options, kernels);
    const preparation = (performance.now() - started) / 1000;
    const { network, parameters } = form;
    const m = train.labels.length;
    const count = examplesTogether(network, kernels, Math.min(sample, m));
    const pass: Pass = {
      network,
      parameters,
      kernels,
      input: train.first(count),
      workspace: createWorkspace(network, kernels, count),
      mode: { kind: 'training', masks: null },
    };
    const augment = augmentation(options, pass.input, kernels);
    const gradient = parametersOver(network, kernels.allocate(parameters.values.length));
    const step = seconds(() => {
      augment();
      forward(pass);
      lossGradient(pass, { loss, labels: train.labels, classWeights: [1, 1] });
      backward(pass, gradient);
    });
    const look = dev === null ? 0 : seconds(() => void forward(pass)) * (dev.labels.length / count / evaluateEvery);
    const whole = workUntil(options.stages, network, epochs);
    return preparation + whole * step * (m / count) + epochs * look;
  });
}

/** What makes new pictures of a few, as a step does. */
function augmentation({ augmentation, imageSize: side, seed }: FitOptions, input: Batch, kernels: Kernels): () => void {
  if (!augments(augmentation) || input.kind !== 'bytes') return () => {};
  const { bytes, indices, features, count } = input;
  const examples = Int32Array.from({ length: count }, (_, i) => i);
  const out = kernels.pin(new Uint8Array(count * features));
  const { transformImages: transform } = kernels;
  return () => augmentBatch(bytes, examples, out, { augmentation, side, seed, epoch: 0, places: indices ?? examples, transform });
}

function seconds(work: () => void): number {
  work();
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}
