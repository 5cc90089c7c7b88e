import { fewPictures, isStored } from '../data/pixels.ts';
import { inScope, type Kernels } from '../kernels/kernels.ts';
import { referenceKernels } from '../kernels/reference.ts';
import { backward, lossGradient, type Targets } from '../model/backward.ts';
import { createWorkspace, forward, type Pass } from '../model/forward.ts';
import { checkGradient, type GradientCheck } from '../model/gradient-check.ts';
import { addL2Gradient } from '../model/l2.ts';
import { type Parameters, parametersOver } from '../model/network.ts';
import { namedRandom } from '../random.ts';
import type { FitOptions } from './fit.ts';

/** A right gradient in float64 differs from central differences by less than this. */
export const rightBelow = 1e-7;

/** Whether a layer's gradient is right, as far as differences of costs can tell. */
export function isRight({ difference, withinRounding }: GradientCheck): boolean {
  return difference < rightBelow || withinRounding;
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

/** Before every training: this many parameters a layer, on so many examples. */
const quick: CheckSize = { perLayer: 4, examples: 8 };
/** How far the kernels in use may be off, as ‖g − ĝ‖ / (‖g‖ + ‖ĝ‖). float32 has 24 bits, and sums of thousands lose some. */
const tolerances = { float32: 1e-3, float64: 1e-9 } as const;

/** The quick form: the gradient of the kernels in use against that of the reference in float64, and that against central
 *  differences.
 *  @throws Error naming the layer: a fault of the program, since nothing that it learns would be right */
export function refuseWrongGradient(options: FitOptions): void {
  const reference = referenceKernels('float64');
  const problem = problemOf(options, quick.examples, reference);
  const indices = chooseParameters(problem.pass.parameters, options.seed, quick.perLayer);
  const checks = checkGradient(problem.pass, problem.targets, problem.lambda, indices);
  report(
    checks.find((check) => !isRight(check)),
    'the reference',
  );
  if (nearKink(problem.pass)) return; // rounding alone may put a unit on the other side: nothing to compare
  const expected = gradientOf(problem);
  const found = inScope(options.kernels, (kernels) => gradientOf(problemOf(options, quick.examples, kernels)));
  if (indices.some((i) => Number.isFinite(expected[i]!) && !Number.isFinite(found[i]!))) return; // beyond float32: the first step says so
  const compared = options.network.layers.map((_, layer) => {
    const mine = indices.filter((index) => layerAt(problem.pass.parameters, index) === layer);
    return {
      layer,
      difference: relativeDifference(
        mine.map((i) => found[i]!),
        mine.map((i) => expected[i]!),
      ),
    };
  });
  report(
    compared.find(({ difference }) => difference > tolerances[options.kernels.precision]),
    'the kernels in use',
  );
}

function report(wrong: { layer: number; difference: number } | undefined, whose: string): void {
  if (!wrong) return;
  throw new Error(
    `gradient check: in layer ${wrong.layer + 1} the gradient of ${whose} is off by ${wrong.difference.toExponential(1)}. ` +
      'Nothing was trained: what it learns would be wrong. nn gradient-check looks closer.',
  );
}

interface Problem {
  pass: Pass;
  targets: Targets;
  /** λ/m */
  lambda: number;
}

/** The first step of a training, on a few of its pictures, with its dropout masks drawn. */
function problemOf(options: FitOptions, examples: number, kernels: Kernels): Problem {
  const { network, train, seed, map, loss, classWeights, l2 } = options;
  const m = train.labels.length;
  const indices = namedRandom(seed, 'gradient check').permutation(m).slice(0, Math.min(examples, m)).sort();
  const count = indices.length;
  const parameters = parametersOver(network, kernels.floats(options.parameters.values.length));
  parameters.values.set(options.parameters.values);
  const few = isStored(train.pixels)
    ? { bytes: fewPictures(train.pixels, indices, network.inputs), indices: null }
    : { bytes: train.pixels, indices };
  const input = { kind: 'bytes', ...few, count, features: network.inputs, map } as const;
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
  return { pass: { ...pass, mode: { kind: 'training', masks: null } }, targets: { loss, labels, classWeights }, lambda: l2 / m };
}

function gradientOf({ pass, targets, lambda }: Problem): Float64Array {
  const gradient = parametersOver(pass.network, pass.kernels.floats(pass.parameters.values.length));
  forward(pass);
  lossGradient(pass, targets);
  backward(pass, gradient);
  addL2Gradient(pass.parameters, lambda, gradient, pass.kernels);
  return Float64Array.from(gradient.values);
}

/** Some trained parameters of every layer, by the seed; of every tensor one at least. */
function chooseParameters({ segments }: Parameters, seed: number, perLayer: number): number[] {
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

/** How near to a kink, as a share of the layer's largest |z|, rounding to float32 may carry a unit across. */
const kinkMargin = 1e-5;

function nearKink({ network, workspace, input }: Pass): boolean {
  return network.layers.slice(0, -1).some(({ units }, l) => {
    const z = workspace.layers[l]!.z.subarray(0, input.count * units);
    let largest = 0;
    for (const value of z) largest = Math.max(largest, Math.abs(value));
    return z.some((value) => value !== 0 && Math.abs(value) < kinkMargin * largest);
  });
}

function relativeDifference(found: readonly number[], expected: readonly number[]): number {
  const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  const size = norm(found) + norm(expected);
  if (!Number.isFinite(size)) return Number.POSITIVE_INFINITY;
  return size === 0 ? 0 : norm(found.map((value, i) => value - expected[i]!)) / size;
}

function layerAt({ segments }: Parameters, index: number): number {
  return segments.find(({ offset, length }) => index >= offset && index < offset + length)!.layer;
}

/** The tensors of a layer, for people: W1, b1. */
export function tensorsOf({ segments }: Parameters, layer: number): string {
  return segments
    .filter((segment) => segment.trained && segment.layer === layer)
    .map(({ name }) => name)
    .join(', ');
}
