import { fewImages, isStored } from '../data/pixels.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { referenceKernels } from '../kernels/reference.ts';
import { checkGradient, type GradientCheck } from '../nn/gradient-check.ts';
import { createWorkspace, forward, type Parameters, type Pass, parametersOver, type Targets } from '../nn/network.ts';
import { namedRandom } from '../random.ts';
import type { FitOptions } from './fit.ts';

/** A right gradient in float64 differs from central differences by less than this. */
export const rightBelow = 1e-7;

/** Whether a layer's gradient is right, as far as differences of costs can tell. */
export function isRight({ difference, withinError }: GradientCheck): boolean {
  return difference < rightBelow || withinError;
}

export interface CheckSize {
  /** seeded parameters a layer; Infinity for every one */
  perLayer: number;
  /** examples at most */
  examples: number;
}

/**
 * Holds the whole model of a training against central differences in float64 on its own pictures: losses, L2, class
 * weights, batch norm, dropout with a frozen mask, every activation.
 * @param kernels  what computes the analytic gradient; a test may pass faulty ones
 */
export function checkModel(
  options: FitOptions,
  size: CheckSize,
  kernels: Kernels = referenceKernels('float64'),
): GradientCheck[] {
  const { pass, targets, lambda } = problemOf(options, size.examples, kernels);
  return checkGradient(pass, targets, lambda, chooseParameters(pass.parameters, options.seed, size.perLayer));
}

interface Problem {
  pass: Pass;
  targets: Targets;
  /** λ/m */
  lambda: number;
}

/** The first step of a training, on a few of its pictures, with its dropout masks drawn. */
function problemOf(options: FitOptions, examples: number, kernels: Kernels): Problem {
  const { network, train, seed, scaling, loss, classWeights, softTargets, l2 } = options;
  const m = train.labels.length;
  const indices = namedRandom(seed, 'gradient check').permutation(m).slice(0, Math.min(examples, m)).sort();
  const count = indices.length;
  const parameters = parametersOver(network, kernels.allocate(options.parameters.values.length));
  parameters.values.set(options.parameters.values);
  const few = isStored(train.pixels)
    ? { bytes: fewImages(train.pixels, indices, network.inputs), indices: null }
    : { bytes: train.pixels, indices };
  const input = { kind: 'bytes', ...few, count, features: network.inputs, scaling } as const;
  const workspace = createWorkspace(network, kernels, count);
  const pass: Pass = {
    network,
    parameters,
    kernels,
    workspace,
    input,
    mode: { kind: 'training', masks: namedRandom(seed, 'dropout', 1) },
  };
  forward(pass); // draws the masks; from here on they are frozen
  const labels = Uint8Array.from(indices, (i) => train.labels[i]!);
  const targets = { loss, labels, classWeights, softTargets };
  return { pass: { ...pass, mode: { kind: 'training', masks: null } }, targets, lambda: l2 / m };
}

/** Some trained parameters of every layer, by the seed; of every tensor one at least. */
function chooseParameters({ specs: segments }: Parameters, seed: number, perLayer: number): number[] {
  const layers = Math.max(...segments.map(({ layer }) => layer)) + 1;
  return Array.from({ length: layers }, (_, layer) => {
    const own = segments.filter((segment) => segment.trained && segment.layer === layer);
    const all = own.flatMap(({ offset, length }) =>
      perLayer === Number.POSITIVE_INFINITY ? Array.from({ length }, (_, i) => offset + i) : [],
    );
    if (all.length > 0) return all;
    const random = namedRandom(seed, 'gradient check', layer);
    const total = own.reduce((sum, { length }) => sum + length, 0);
    const chosen = new Set(own.map(({ offset, length }) => offset + random.integer(length - 1)));
    while (chosen.size < Math.min(perLayer, total)) {
      let at = random.integer(total - 1);
      const segment = own.find(({ length }) => {
        if (at < length) return true;
        at -= length;
        return false;
      })!;
      chosen.add(segment.offset + at);
    }
    return [...chosen];
  }).flat();
}

/** The tensors of a layer, for people: W1, b1. */
export function tensorsOf({ specs: segments }: Parameters, layer: number): string {
  return segments
    .filter((segment) => segment.trained && segment.layer === layer)
    .map(({ name }) => name)
    .join(', ');
}
