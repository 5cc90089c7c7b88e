import type { Floats } from '../kernels/kernels.ts';
import { referenceKernels } from '../kernels/reference.ts';
import { batchNormMomentum } from '../model/batch-norm.ts';
import type { LayerWorkspace } from '../model/forward.ts';
import { losses } from '../model/losses.ts';
import { layerInputs, type ParameterSpec } from '../model/network.ts';
import { optimizers } from '../optimize/optimizers.ts';
import {
  activated,
  directions,
  distance,
  type Expected,
  expectedOf,
  gradientBelow,
  type Inputs,
  inputsOf,
  largestOf,
  norm,
  normalized,
  products,
  type Rounding,
  roundingOf,
  shifted,
  sums,
  throughNorm,
  weightGradient,
} from './expected.ts';
import { type FitOptions, kernelsOf, startTraining, type Training, trainableOf } from './fit-run.ts';
import { type Probe, probeOf } from './probe.ts';
import { type EpochTotals, trainStep } from './step.ts';
import { noTotals } from './training-state.ts';

/** A number of a step that is not what it should be. */
export interface WrongNumber {
  /** 0 for the first */
  layer: number;
  /** such as Z, dZ, or the update of W1 */
  what: string;
  found: number;
  expected: number;
  /** how far rounding may carry the one from the other */
  bound: number;
}

/**
 * Takes two steps of a probe of a training (probe.ts), by the code that is to train: its form, kernels, optimizer and batch. Then each operation is done
 * again by the reference in float64, **from what the step itself had before it**: Z from the A below, dZ from the dZ above, an update from its gradient.
 * So no rounding is carried from layer to layer, a unit stands on the same side of a kink in both, and what is compared differs by the rounding of one
 * operation alone, however deep the network (expected.ts).
 * @param most  examples of the batch at most
 * @returns the first number that is wrong, or null
 */
export function checkStep(options: FitOptions, most?: number): WrongNumber | null {
  const probe = probeOf(options, most);
  const kernels = kernelsOf(probe.options).scope();
  try {
    const run: Training = { ...startTraining(probe.options, trainableOf(probe.options, kernels)), masks: probe.masks };
    // in dual form what the optimizer remembers of W1 lies in the span of images: what it should be is kept here instead, from the first step on
    const { slots } = optimizers[options.optimizer.name];
    const { weights } = probe.options.parameters.layers[0]!;
    const remembered = options.form === 'dual' ? Array.from({ length: slots }, () => new Float64Array(weights.length)) : null;
    const start = weights.slice();
    const first = remembered === null ? void takeProbeStep(run, probe) : auditedStep(run, probe, remembered);
    if (first) return first;
    makeVisible(run, probe.options, { moved: distance(weights, start), clips: options.clipNorm !== null });
    return auditedStep(run, probe, remembered);
  } finally {
    kernels.release();
  }
}

/** Before every training: the very step that is to train, number by number.
 *  @throws Error naming the layer: a fault of the program or of the machine, since nothing that it learns would be right */
export function refuseWrongStep(options: FitOptions): void {
  const wrong = checkStep(options);
  if (wrong === null) return;
  const { layer, what, found, expected } = wrong;
  throw new Error(
    `step check: in layer ${layer + 1} ${what} came to ${found}, where it should be ${expected}. Nothing was trained: what it learns would be wrong.`,
  );
}

/** Brings a rate, L2 and the bound of clipping to sizes at which the next step shows them: a step as long as the weights, half of a gradient from L2,
 *  half of it clipped.
 *  @param moved  ‖ΔW1‖ of the first step */
function makeVisible(
  { gradientNorms, rates }: Training,
  options: Probe['options'],
  { moved, clips }: { moved: number; clips: boolean },
): void {
  const weights = norm(options.parameters.layers[0]!.weights);
  const direction = moved / rates[0]!;
  const [gradient, whole] = [gradientNorms[0] || direction, norm(gradientNorms)];
  const rate = (weights || 1) / (direction || 1);
  options.learningRates.fill(rate * Math.max(1, whole) < 1e30 ? rate : 1);
  if (options.l2 > 0 && weights * gradient > 0) options.l2 = ((gradient / weights) * options.train.labels.length) / 2;
  if (clips && whole > 0) options.clipNorm = whole / 2;
}

/** Norms of the first layer, which the journal tells, cost more than the step itself in dual form. */
const hasNorms = ({ options }: Training) => options.form === 'direct';

function takeProbeStep(run: Training, { indices }: Probe): EpochTotals {
  const sums = { ...noTotals };
  trainStep(run, indices, { epoch: 1, norms: hasNorms(run) }, sums);
  run.trainable.write();
  return sums;
}

/** The run before a step. */
interface Before {
  /** of the form, but with W1 itself */
  tensor(segment: ParameterSpec): Floats;
  /** what the optimizer remembers of a tensor, float64 */
  state(segment: ParameterSpec, start: number, length: number): Float64Array[];
}

/** Collects what is found of a step, and keeps the first number that is wrong. */
interface Audit {
  run: Training;
  probe: Probe;
  rounding: Rounding;
  /** how often each of the distinct examples comes */
  times: Float64Array;
  compare(layer: number, what: string, found: ArrayLike<number>, expected: Expected): void;
}

function auditedStep(run: Training, probe: Probe, remembered: Float64Array[] | null): WrongNumber | null {
  const { distinct, indices } = probe;
  run.trainable.write();
  const before = stateOf(run, remembered);
  const totals = takeProbeStep(run, probe);
  let wrong: WrongNumber | null = null;
  const audit: Audit = {
    run,
    probe,
    rounding: roundingOfRun(run),
    times: Float64Array.from({ length: distinct }, (_, d) => Math.ceil((indices.length - d) / distinct)),
    compare(layer, what, found, expected) {
      wrong ??= firstWrong({ layer, what }, found, expected);
    },
  };
  const inputs = auditForward(audit, before);
  auditCosts(audit, before, totals);
  const gradients = auditBackward(audit, before, inputs);
  auditAverages(audit, before);
  auditUpdates(audit, before, gradients, remembered);
  for (const [l, layer] of run.workspace.layers.entries()) wrong ??= firstUnequal(audit, l, layer);
  return wrong;
}

/** The dual form computes in float64, but makes the weights in the training's precision, from products of which some all but cancel. */
function roundingOfRun({ options }: Training): Rounding {
  if (options.kernels.precision === 'float32') return roundingOf(2 ** -24, 1e-37);
  return roundingOf(options.form === 'dual' ? 1e-11 : 2 ** -53, 1e-300);
}

function stateOf({ options, trainable: problem, state }: Training, remembered: Float64Array[] | null): Before {
  const values = problem.parameters.values.slice();
  const slots = state.map((slot) => slot.slice());
  const first = options.parameters.layers[0]!.weights.slice();
  return {
    tensor: (segment) => (isFirst(segment) ? first : ownPart(problem.parameters.specs, segment, values)),
    state: (segment, start, length) =>
      remembered !== null && isFirst(segment)
        ? remembered.map((slot) => slot.slice(start, start + length))
        : slots.map((slot) =>
            Float64Array.from(ownPart(problem.parameters.specs, segment, slot).subarray(start, start + length)),
          ),
  };
}

const isFirst = ({ layer, decayed }: ParameterSpec) => decayed && layer === 0;

/** A tensor in a buffer that is laid out otherwise. */
function ownPart(segments: readonly ParameterSpec[], { name }: ParameterSpec, buffer: Floats): Floats {
  const { offset, length } = segments.find((segment) => segment.name === name)!;
  return buffer.subarray(offset, offset + length);
}

/** W1, b1, gamma1 … of a layer, or null where it has none. */
function tensorOf({ run }: Audit, { tensor }: Before, layer: number, prefix: string): Floats | null {
  const segment = run.options.parameters.specs.find(({ name }) => name === `${prefix}${layer + 1}`);
  return segment ? tensor(segment) : null;
}

function auditForward(audit: Audit, before: Before): Inputs[] {
  const { run, probe, rounding, compare } = audit;
  const { layers } = run.options.network;
  const count = probe.distinct;
  const inputs: Inputs[] = [imagesOf(run, probe)];
  for (const [l, layer] of layers.entries()) {
    const { units } = layer;
    const { z, a, mask, statistics } = run.workspace.layers[l]!;
    const own = (prefix: string) => tensorOf(audit, before, l, prefix)!;
    const made = products(inputs[l]!, own('W'), own('b'), units, rounding);
    if (statistics === null) compare(l, 'Z', z, made);
    else {
      const { mean, variance, normalized: norms } = normalized(made, probe.indices.length, units, rounding);
      compare(l, 'the mean of Z', statistics.mean, mean);
      compare(l, 'the variance of Z', statistics.variance, variance);
      compare(l, 'the normalized Z', statistics.normalized, norms);
      compare(l, 'Z', z, shifted(statistics.normalized, own('gamma'), own('beta'), count, rounding));
    }
    if (l === layers.length - 1) break;
    compare(l, 'A', a, activated(layer, z, mask, count * units, rounding));
    inputs.push(inputsOf(a, a, count, units));
  }
  return inputs;
}

/** The distinct images as the first layer has them. What one number is made of, x = scale · byte + shift, may be far larger than the number. */
function imagesOf({ options, lastInput }: Training, { indices, distinct }: Probe): Inputs {
  const { scale, shift } = options.scaling;
  const n = scale.length;
  const source = lastInput?.kind === 'bytes' ? lastInput : { bytes: options.train.pixels as Uint8Array, indices };
  const [values, parts] = [new Float64Array(distinct * n), new Float64Array(distinct * n)];
  for (let d = 0; d < distinct; d++) {
    const from = (source.indices === null ? d : source.indices[d]!) * n;
    for (let k = 0; k < n; k++) {
      const scaled = scale[k]! * source.bytes[from + k]!;
      values[d * n + k] = scaled + shift[k]!;
      parts[d * n + k] = Math.abs(scaled) + Math.abs(shift[k]!);
    }
  }
  return inputsOf(values, parts, distinct, n);
}

/** The loss of the batch, and dZ of the output layer. */
function auditCosts(
  { run, probe, rounding, times, compare }: Audit,
  { tensor }: Before,
  totals: { cost: number; l2Cost: number },
): void {
  const { network, loss, classWeights, l2, train, parameters } = run.options;
  const [last, batch] = [network.layers.length - 1, probe.indices.length];
  const { z, dZ } = run.workspace.layers[last]!;
  const dLoss = expectedOf(probe.distinct);
  const labels = Uint8Array.from(times, (_, d) => train.labels[probe.indices[d]!]!);
  referenceKernels('float64').lossGradient({
    rule: losses[loss],
    z,
    labels,
    weights: classWeights,
    count: times.length,
    m: batch,
    dZ: dLoss.values,
  });
  for (const [d, label] of labels.entries())
    dLoss.bounds[d] = (64 * rounding.unit * classWeights[label]!) / batch + rounding.floor;
  compare(last, 'dZ', dZ, dLoss);
  const cost = labels.reduce((sum, label, d) => sum + times[d]! * classWeights[label]! * losses[loss].value(z[d]!, label), 0);
  const squares = parameters.specs.reduce((sum, segment) => sum + (segment.decayed ? norm(tensor(segment)) ** 2 : 0), 0);
  const share = rounding.sum(batch) + 64 * rounding.unit + roundedSum(batch + parameters.values.length);
  const expected = { values: Float64Array.of(cost, (l2 / train.labels.length / 2) * squares), bounds: expectedOf(2).bounds };
  for (const [i, value] of expected.values.entries()) expected.bounds[i] = share * Math.max(1, value);
  compare(last, 'the cost', [totals.cost, totals.l2Cost], expected);
}

/** A tensor's gradient, without L2's share, in as many pieces as memory asks for. */
interface Gradient {
  segment: ParameterSpec;
  pieces(): Iterable<Expected & { start: number }>;
}

function auditBackward(audit: Audit, before: Before, inputs: readonly Inputs[]): Gradient[] {
  const { run, probe, rounding, times, compare } = audit;
  const { network, parameters } = run.options;
  const gradients: Gradient[] = [];
  const add = (layer: number, prefix: string, pieces: Gradient['pieces']) => {
    const segment = parameters.specs.find(({ name }) => name === `${prefix}${layer + 1}`);
    if (segment) gradients.push({ segment, pieces });
  };
  const whole = (expected: Expected) => () => [{ start: 0, ...expected }];
  for (let l = network.layers.length - 1; l >= 0; l--) {
    const { units } = network.layers[l]!;
    const { dZ } = run.workspace.layers[l]!;
    add(l, 'b', whole(sums(dZ, times, units, rounding)));
    add(l, 'W', () => weightGradient(inputs[l]!, dZ, times, units, rounding));
    if (l === 0) break;
    const layer = network.layers[l - 1]!;
    const { statistics, dZ: found, ...outputs } = run.workspace.layers[l - 1]!;
    const above = { dZ, units, weights: tensorOf(audit, before, l, 'W')! };
    const after = gradientBelow(above, { layer, ...outputs }, probe.distinct, rounding);
    if (statistics === null) compare(l - 1, 'dZ', found, after);
    else {
      const gamma = tensorOf(audit, before, l - 1, 'gamma')!;
      const through = throughNorm(after, statistics, gamma, probe.indices.length, rounding);
      compare(l - 1, 'dZ', found, through.dZ);
      add(l - 1, 'gamma', whole(through.gamma));
      add(l - 1, 'beta', whole(through.beta));
    }
  }
  return gradients;
}

/** Moving averages; a batch of one example moves none. */
function auditAverages({ run, probe, rounding, compare }: Audit, { tensor }: Before): void {
  const { specs: segments, values } = run.trainable.parameters;
  for (const segment of run.options.parameters.specs.filter(({ trained }) => !trained)) {
    const { mean, variance } = run.workspace.layers[segment.layer]!.statistics!;
    const batchOwn = segment.name.startsWith('movingMean') ? mean : variance;
    const keep = probe.indices.length === 1 ? 1 : batchNormMomentum;
    const expected = expectedOf(segment.length);
    for (const [u, old] of tensor(segment).entries()) {
      expected.values[u] = keep * old + (1 - keep) * batchOwn[u]!;
      expected.bounds[u] = 16 * rounding.unit * (Math.abs(old) + Math.abs(batchOwn[u]!)) + rounding.floor;
    }
    compare(segment.layer, segment.name, ownPart(segments, segment, values), expected);
  }
}

/** L2's share, clipping, the optimizer's memory and step, and the norms that the journal tells. */
function auditUpdates(audit: Audit, before: Before, gradients: readonly Gradient[], remembered: Float64Array[] | null): void {
  const { run, rounding } = audit;
  const { clipNorm, parameters } = run.options;
  let clip: Clip = { factor: 1, error: 0 };
  if (clipNorm !== null) {
    const whole = Math.sqrt(gradients.reduce((sum, gradient) => sum + squaresOf(withL2(audit, before, gradient)), 0));
    if (clipNorm < whole) clip = { factor: clipNorm / whole, error: rounding.sum(1) + roundedSum(parameters.values.length) };
  }
  for (const gradient of gradients) auditUpdate(audit, before, { ...gradient, clip, remembered });
}

/** What a gradient is multiplied by, and how far off that may be. */
interface Clip {
  factor: number;
  error: number;
}

function auditUpdate(audit: Audit, before: Before, options: Gradient & { clip: Clip; remembered: Float64Array[] | null }): void {
  const { run, rounding, compare } = audit;
  const { segment, clip } = options;
  const { layer, name } = segment;
  const { trainable: problem, options: training, rates } = run;
  const remembered = isFirst(segment) ? options.remembered : null;
  const byColumn = isFirst(segment) ? training.featureLearningRates : null;
  const old = before.tensor(segment);
  // in dual form a weight is a sum over all images, which may be far larger than what it comes to
  const least = remembered === null ? 0 : largestOf(old);
  const now = isFirst(segment)
    ? training.parameters.layers[0]!.weights
    : ownPart(problem.parameters.specs, segment, problem.parameters.values);
  const rule = { name: training.optimizer.name, rule: run.rule, t: run.steps };
  const squares = { g: 0, gOff: 0, moved: 0, movedOff: 0 };
  for (const { start, ...gradient } of withL2(audit, before, options)) {
    clipInPlace(gradient, clip);
    const { length } = gradient.values;
    const { direction, state } = directions(rule, gradient, before.state(segment, start, length), rounding);
    for (const [s, slot] of state.entries()) {
      if (remembered !== null) remembered[s]!.set(slot.values, start);
      else
        compare(
          layer,
          `the optimizer's memory of ${name}`,
          ownPart(problem.parameters.specs, segment, run.state[s]!).subarray(start),
          slot,
        );
    }
    const updated = expectedOf(length);
    for (let i = 0; i < length; i++) {
      const own = rates[layer]! * (byColumn === null ? 1 : byColumn[(start + i) % byColumn.length]!);
      const [step, off, weight] = [own * direction.values[i]!, own * direction.bounds[i]!, old[start + i]!];
      updated.values[i] = weight - step;
      updated.bounds[i] = off + 16 * rounding.unit * (Math.max(least, Math.abs(weight)) + Math.abs(step)) + rounding.floor;
      squares.moved += step * step;
      squares.movedOff += off * off;
      squares.g += gradient.values[i]! * gradient.values[i]!;
      squares.gOff += gradient.bounds[i]! * gradient.bounds[i]!;
    }
    compare(layer, `the update of ${name}`, now.subarray(start), updated);
  }
  if (!segment.decayed || !hasNorms(run)) return;
  const norms = {
    values: Float64Array.of(squares.g, squares.moved).map(Math.sqrt),
    bounds: Float64Array.of(squares.gOff, squares.movedOff).map(Math.sqrt),
  };
  const share = 64 * rounding.sum(1) + roundedSum(segment.length);
  for (const [i, value] of norms.values.entries()) norms.bounds[i] = 2 * norms.bounds[i]! + share * value + rounding.floor;
  compare(layer, `‖d${name}‖ and ‖Δ${name}‖`, [run.gradientNorms[layer]!, run.updateNorms[layer]!], norms);
}

function clipInPlace({ values, bounds }: Expected, { factor, error }: Clip): void {
  if (factor === 1) return;
  for (let i = 0; i < values.length; i++) {
    values[i]! *= factor;
    bounds[i] = factor * bounds[i]! + error * Math.abs(values[i]!);
  }
}

/** dW + (λ/m) W */
function* withL2(
  { run, rounding }: Audit,
  { tensor }: Before,
  { segment, pieces }: Gradient,
): Generator<Expected & { start: number }> {
  const lambda = segment.decayed ? run.options.l2 / run.options.train.labels.length : 0;
  const old = tensor(segment);
  for (const piece of pieces()) {
    const { start, values, bounds } = piece;
    for (let i = 0; lambda > 0 && i < values.length; i++) {
      const share = lambda * old[start + i]!;
      values[i]! += share;
      bounds[i]! += 16 * rounding.unit * (Math.abs(share) + Math.abs(values[i]!));
    }
    yield piece;
  }
}

/** How far off a sum of n squares may be that is made in float64, one after another. */
const roundedSum = (n: number) => n * 2 ** -52;

function squaresOf(pieces: Iterable<Expected>): number {
  let squares = 0;
  for (const { values } of pieces) squares += norm(values) ** 2;
  return squares;
}

function firstWrong(
  place: Pick<WrongNumber, 'layer' | 'what'>,
  found: ArrayLike<number>,
  { values, bounds }: Expected,
): WrongNumber | null {
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(found[i]! - values[i]!) <= bounds[i]! || Object.is(found[i], values[i])) continue;
    return { ...place, found: found[i]!, expected: values[i]!, bound: bounds[i]! };
  }
  return null;
}

/** Equal examples must come to equal numbers, to the bit where the arithmetic is strict. */
function firstUnequal({ run, probe, rounding }: Audit, layer: number, { z, a, dZ }: LayerWorkspace): WrongNumber | null {
  const { units } = run.options.network.layers[layer]!;
  const last = layer === run.options.network.layers.length - 1;
  const share = run.options.kernels.arithmetic === 'strict' ? 0 : rounding.sum(layerInputs(run.options.network, layer));
  for (const [what, rows] of Object.entries(last ? { Z: z, dZ } : { Z: z, A: a, dZ })) {
    const cycle = probe.distinct * units;
    const bound = share * largestOf(rows.subarray(0, cycle));
    for (let i = cycle; i < probe.indices.length * units; i++) {
      const [found, expected] = [rows[i]!, rows[i % cycle]!];
      if (!(Math.abs(found - expected) <= bound))
        return { layer, what: `${what} of example ${Math.floor(i / units) + 1}`, found, expected, bound };
    }
  }
  return null;
}
