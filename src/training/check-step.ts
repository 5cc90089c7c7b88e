import type { Floats } from '../kernels/kernels.ts';
import { opsOf, weightedLayers } from '../nn/build.ts';
import { lossRule } from '../nn/losses.ts';
import { type ParameterSpec, partnerIn } from '../nn/network.ts';
import { type AuditCall, type ExpectedGradient, featuresOf, type Tensors } from '../nn/op.ts';
import { type DirectionStep, directions, type OptimizerState, optimizers } from '../nn/optimizers.ts';
import { tensorIn } from '../nn/regularization.ts';
import {
  distance,
  type Expected,
  expectedOf,
  type Inputs,
  inputsOf,
  largestOf,
  norm,
  type Rounding,
  reference,
  roundingOf,
} from '../nn/rounding.ts';
import { type Probe, probeOf } from './probe.ts';
import { scalingOf } from './stages.ts';
import { type EpochTotals, type FitOptions, kernelsOf, newTotals, startTraining, type Training } from './state.ts';
import { trainStep } from './step.ts';
import { trainableOf } from './trainable.ts';

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
 * operation alone, however deep the network (nn/rounding.ts).
 * @param most  examples of the batch at most
 * @returns the first number that is wrong, or null
 */
export function checkStep(options: FitOptions, most?: number): WrongNumber | null {
  const probe = probeOf(options, most);
  const kernels = kernelsOf(probe.options).scope();
  try {
    const training: Training = {
      ...startTraining(probe.options, trainableOf(probe.options, kernels)),
      masks: probe.masks,
      mixing: probe.mixing,
    };
    const { tensors } = probe.options.parameters;
    const { name } = training.trainable.form.firstWeights;
    const weights = tensors[name]!;
    // in dual form what the optimizer remembers of W1 lies in the span of images: what it should be is kept here instead, from the first step on
    const { moments } = optimizers[options.optimizer.name];
    const remembered = options.form === 'dual' ? moments.map(() => new Float64Array(weights.length)) : null;
    const start = weights.slice();
    const first = remembered === null ? void takeProbeStep(training, probe) : auditedStep(training, probe, remembered);
    if (first) return first;
    makeVisible(training, probe.options, { weights, moved: distance(weights, start), clips: options.clipNorm !== null });
    return auditedStep(training, probe, remembered);
  } finally {
    kernels.release();
  }
}

/** Before every training: the very step that is to train, number by number.
 *  @throws Error naming the layer: a fault of the program or of the machine, since nothing that it learns would be right */
export function refuseWrongStep(options: FitOptions): void {
  const ofStages = options.stages.map((stage) => {
    const { network, side } = stage;
    return { ...options, network, imageSize: side, scaling: scalingOf(stage, options.scaling) };
  });
  const wrong = [options, ...ofStages].reduce<WrongNumber | null>((found, one) => found ?? checkStep(one), null);
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
  { gradientNorms, rates, trainable }: Training,
  options: Probe['options'],
  { weights: first, moved, clips }: { weights: Floats; moved: number; clips: boolean },
): void {
  const { layer } = trainable.form.firstWeights;
  const weights = norm(first);
  const direction = moved / rates[layer]!;
  const [gradient, whole] = [gradientNorms[layer] || direction, norm(gradientNorms)];
  const rate = (weights || 1) / (direction || 1);
  options.learningRates.fill(rate * Math.max(1, whole) < 1e30 ? rate : 1);
  if (options.l2 > 0 && weights * gradient > 0) options.l2 = ((gradient / weights) * options.train.labels.length) / 2;
  if (clips && whole > 0) options.clipNorm = whole / 2;
}

/** Norms of the first layer, which the journal tells, cost more than the step itself in dual form. */
const hasNorms = ({ options }: Training) => options.form === 'direct';

function takeProbeStep(training: Training, { indices }: Probe): EpochTotals {
  const totals = newTotals();
  trainStep(training, indices, { epoch: 1, norms: hasNorms(training) }, totals);
  training.trainable.form.write();
  return totals;
}

/** Collects what is found of a step, and keeps the first number that is wrong. */
interface Audit extends Pick<AuditCall, 'rounding' | 'distinct' | 'batch' | 'times'> {
  training: Training;
  probe: Probe;
  /** the parameters before the step, W1 itself in any form */
  before: Tensors;
  /** what the optimizer remembered of a tensor before the step, float64 */
  moments(spec: ParameterSpec, start: number, length: number): Float64Array[];
  compare(layer: number, what: string, found: ArrayLike<number>, expected: Expected): void;
}

function auditedStep(training: Training, probe: Probe, remembered: Float64Array[] | null): WrongNumber | null {
  const { distinct, indices } = probe;
  const { form } = training.trainable;
  form.write();
  const { tensors } = probe.options.parameters;
  const before = Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, values.slice()]));
  const moments = training.optimizer.moments.map((buffer) => buffer.slice());
  const average = training.average?.values.slice() ?? null;
  const totals = takeProbeStep(training, probe);
  let wrong: WrongNumber | null = null;
  const audit: Audit = {
    training,
    probe,
    before,
    rounding: roundingOfTraining(training),
    distinct,
    batch: indices.length,
    times: Float64Array.from({ length: distinct }, (_, d) => Math.ceil((indices.length - d) / distinct)),
    moments: (spec, start, length) =>
      spec === form.firstWeights && remembered !== null
        ? remembered.map((moment) => moment.slice(start, start + length))
        : moments.map((buffer) => Float64Array.from(tensorIn(buffer, spec).subarray(start, start + length))),
    compare(layer, what, found, expected) {
      wrong ??= firstWrong({ layer, what }, found, expected);
    },
  };
  const inputs = auditForward(audit);
  auditCosts(audit, totals);
  const gradients = auditBackward(audit, inputs);
  for (const [k, op] of opsOf(probe.options.network).entries()) op.auditAfterStep?.({ ...callOf(audit, k), before, tensors });
  auditUpdates(audit, gradients, remembered);
  if (average !== null) auditAverage(audit, average);
  return wrong ?? firstUnequal(audit);
}

/** The dual form computes in float64, but makes the weights in the training's precision, from products of which some all but cancel. */
function roundingOfTraining({ options }: Training): Rounding {
  if (options.kernels.precision === 'float32') return roundingOf(2 ** -24, 1e-37);
  return roundingOf(options.form === 'dual' ? 1e-11 : 2 ** -53, 1e-300);
}

/** A call of op k, as the op audits it. */
function callOf({ training, before, compare, rounding, distinct, batch, times }: Audit, k: number): AuditCall {
  const { slots } = training.workspace;
  const { layer } = opsOf(training.options.network)[k]!;
  return {
    rounding,
    distinct,
    batch,
    times,
    tensors: before,
    slot: slots[k]!,
    below: slots[k - 1] ?? null,
    partner: partnerIn(slots, opsOf(training.options.network), k),
    compare: (what, found, expected) => compare(layer, what, found, expected),
  };
}

/** @returns what came into each op */
function auditForward(audit: Audit): Inputs[] {
  const { training, distinct } = audit;
  const { slots } = training.workspace;
  const ops = opsOf(training.options.network);
  const inputs = ops.map((op, k) => {
    if (k === 0) return imagesOf(training, audit.probe);
    const { value } = slots[k - 1]!;
    return inputsOf(value, value, distinct, featuresOf(op.input));
  });
  let expected: Expected | null = null;
  for (const [k, op] of ops.entries()) {
    const isHidden = ops[k + 1]?.inPlace ?? false;
    const made: Expected = op.auditForward({ ...callOf(audit, k), inputs: inputs[k]!, expected, isHidden });
    expected = isHidden ? made : null;
  }
  return inputs;
}

/** The distinct images as the first op has them. What one number is made of, x = scale · byte + shift, may be far larger than the number. */
function imagesOf({ options, last }: Training, { indices, distinct }: Probe): Inputs {
  const { scale, shift } = options.scaling;
  const n = scale.length;
  const source = last.input?.kind === 'bytes' ? last.input : { bytes: options.train.pixels as Uint8Array, indices };
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
  { training, probe, before, rounding, times, batch, distinct, compare }: Audit,
  totals: { cost: number; l2Cost: number },
): void {
  const { network, loss, l2, train, parameters } = training.options;
  const last = weightedLayers(network).length - 1;
  const { value: z, grad: dZ } = training.workspace.slots.at(-1)!;
  const dLoss = expectedOf(distinct);
  const { targets, weights } = answersOf(training, probe);
  const rule = lossRule(loss, targets);
  const labels = Uint8Array.from(targets.keys());
  reference.lossGradient({ rule, z, labels, weights, count: distinct, m: batch, dZ: dLoss.values });
  for (const d of labels) dLoss.bounds[d] = (64 * rounding.unit * weights[d]!) / batch + rounding.floor;
  compare(last, 'dZ', dZ, dLoss);
  const cost = labels.reduce((sum, d) => sum + times[d]! * weights[d]! * rule.value(z[d]!, d), 0);
  const squares = parameters.specs.reduce((sum, { decayed, name }) => sum + (decayed ? norm(before[name]!) ** 2 : 0), 0);
  const share = rounding.sum(batch) + 64 * rounding.unit + roundedSum(batch + parameters.values.length);
  const expected = { values: Float64Array.of(cost, (l2 / train.labels.length / 2) * squares), bounds: new Float64Array(2) };
  for (const [i, value] of expected.values.entries()) expected.bounds[i] = share * Math.max(1, value);
  compare(last, 'the cost', [totals.cost, totals.l2Cost], expected);
}

/** What the network is to answer for each distinct example, and what that counts: from the labels, smoothed and mixed as the training does. */
function answersOf({ options, mixed }: Training, { indices, distinct, mixing }: Probe) {
  const { classWeights, softTargets, train } = options;
  const { lambda, partners } = mixed ? mixing(0, distinct) : { lambda: 1, partners: new Int32Array(distinct) };
  const shares = ([negative, positive]: readonly [number, number]) => {
    const of = (i: number) => (train.labels[indices[i]!] === 1 ? positive : negative);
    return Array.from(partners, (partner, d) => lambda * of(d) + (1 - lambda) * of(partner));
  };
  return { targets: shares(softTargets ?? [0, 1]), weights: shares(classWeights) as [number, number, ...number[]] };
}

/** @returns the gradients of all tensors that are trained, without L2's share */
function auditBackward(audit: Audit, inputs: readonly Inputs[]): (ExpectedGradient & { spec: ParameterSpec })[] {
  const { training, compare } = audit;
  const { network, parameters } = training.options;
  const { slots } = training.workspace;
  const ops = opsOf(network);
  const all: ExpectedGradient[] = [];
  let after: Expected | null = null;
  for (let k = ops.length - 1; k >= 0; k--) {
    const { grad, gradients } = ops[k]!.auditBackward({ ...callOf(audit, k), inputs: inputs[k]!, after });
    all.push(...gradients);
    // the op below works in place: what comes in is overwritten by what it gives
    const isHidden = slots[k - 1]?.grad === slots[k - 2]?.grad;
    const below = ops[k - 1];
    if (grad && below && !isHidden) compare(below.layer, `d${below.letter}`, slots[k - 1]!.grad, grad);
    after = isHidden ? grad : null;
  }
  return all.map((gradient) => ({ ...gradient, spec: parameters.specs.find(({ name }) => name === gradient.name)! }));
}

type Gradient = ReturnType<typeof auditBackward>[number];

/** L2's share, clipping, the optimizer's memory and step, and the norms that the journal tells. */
function auditUpdates(audit: Audit, gradients: readonly Gradient[], remembered: Float64Array[] | null): void {
  const { training, rounding } = audit;
  const { clipNorm, parameters } = training.options;
  let clip: Clip = { factor: 1, error: 0 };
  if (clipNorm !== null) {
    const whole = Math.sqrt(gradients.reduce((sum, gradient) => sum + squaresOf(withL2(audit, gradient)), 0));
    if (clipNorm < whole) clip = { factor: clipNorm / whole, error: rounding.sum(1) + roundedSum(parameters.values.length) };
  }
  for (const gradient of gradients) auditUpdate(audit, { ...gradient, clip, remembered });
}

/** What a gradient is multiplied by, and how far off that may be. */
interface Clip {
  factor: number;
  error: number;
}

function auditUpdate(audit: Audit, options: Gradient & { clip: Clip; remembered: Float64Array[] | null }): void {
  const { training, rounding, before, compare } = audit;
  const { spec, clip } = options;
  const { layer, name } = spec;
  const { trainable, optimizer, rates } = training;
  const { form } = trainable;
  const isFirst = name === form.firstWeights.name;
  const remembered = isFirst ? options.remembered : null;
  const featureRates = isFirst ? training.options.featureLearningRates : null;
  const weightDecay = spec.decayed ? optimizer.options.weightDecay : 0;
  const old = before[name]!;
  // in dual form a weight is a sum over all images, which may be far larger than what it comes to
  const least = remembered === null ? 0 : largestOf(old);
  const now = training.options.parameters.tensors[name]!;
  const own = form.parameters.specs.find((each) => each.name === name)!;
  const squares = { g: 0, gOff: 0, moved: 0, movedOff: 0 };
  for (const { start, ...gradient } of withL2(audit, options)) {
    clipInPlace(gradient, clip);
    const { length } = gradient.values;
    const { direction, moments } = expectedDirections(optimizer, gradient, audit.moments(own, start, length), rounding);
    for (const [s, moment] of moments.entries()) {
      if (remembered !== null) remembered[s]!.set(moment.values, start);
      else compare(layer, `the optimizer's memory of ${name}`, tensorIn(optimizer.moments[s]!, own).subarray(start), moment);
    }
    const updated = expectedOf(length);
    for (let i = 0; i < length; i++) {
      const rate = rates[layer]! * (featureRates === null ? 1 : featureRates[(start + i) % featureRates.length]!);
      const weight = old[start + i]!;
      const decay = weightDecay * weight;
      const [step, off] = [rate * (direction.values[i]! + decay), rate * direction.bounds[i]!];
      updated.values[i] = weight - step;
      updated.bounds[i] = off + 16 * rounding.unit * (Math.max(least, Math.abs(weight)) + Math.abs(step)) + rounding.floor;
      squares.moved += step * step;
      squares.movedOff += off * off;
      squares.g += gradient.values[i]! * gradient.values[i]!;
      squares.gOff += gradient.bounds[i]! * gradient.bounds[i]!;
    }
    compare(layer, `the update of ${name}`, now.subarray(start), updated);
  }
  if (!spec.decayed || !hasNorms(training)) return;
  const norms = {
    values: Float64Array.of(squares.g, squares.moved).map(Math.sqrt),
    bounds: Float64Array.of(squares.gOff, squares.movedOff).map(Math.sqrt),
  };
  const share = 64 * rounding.sum(1) + roundedSum(spec.length);
  for (const [i, value] of norms.values.entries()) norms.bounds[i] = 2 * norms.bounds[i]! + share * value + rounding.floor;
  compare(layer, `‖d${name}‖ and ‖Δ${name}‖`, [training.gradientNorms[layer]!, training.updateNorms[layer]!], norms);
}

/** d·a + (1 − d)·W, from the weights that the step left. @param before  a */
function auditAverage({ training, rounding: { unit, floor }, compare }: Audit, before: Floats): void {
  const { decay, values } = training.average!;
  const { parameters } = training.trainable.form;
  for (const spec of parameters.specs) {
    const [old, now] = [tensorIn(before, spec), tensorIn(parameters.values, spec)];
    const expected = expectedOf(spec.length);
    for (let i = 0; i < spec.length; i++) {
      const [kept, added] = [decay * old[i]!, (1 - decay) * now[i]!];
      expected.values[i] = kept + added;
      expected.bounds[i] = 16 * unit * (Math.abs(kept) + Math.abs(added)) + floor;
    }
    compare(spec.layer, `the average of ${spec.name}`, tensorIn(values, spec), expected);
  }
}

function clipInPlace({ values, bounds }: Expected, { factor, error }: Clip): void {
  if (factor === 1) return;
  for (let i = 0; i < values.length; i++) {
    values[i]! *= factor;
    bounds[i] = factor * bounds[i]! + error * Math.abs(values[i]!);
  }
}

/** dW + (λ/m) W */
function* withL2({ training, before, rounding }: Audit, { spec, pieces }: Gradient): Generator<Expected & { start: number }> {
  const lambda = spec.decayed ? training.options.l2 / training.options.train.labels.length : 0;
  const old = before[spec.name]!;
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

/** What an optimizer makes of a gradient: the direction of its step, and what it then remembers. An update rule need not be smooth (Adam's first step is
 *  but a sign), so it is tried at both ends of what the gradient may be. */
function expectedDirections(
  optimizer: Omit<OptimizerState, 'moments'>,
  { values, bounds }: Expected,
  moments: readonly Float64Array[],
  { unit, floor }: Rounding,
): { direction: Expected; moments: Expected[] } {
  const names = optimizers[optimizer.name].moments;
  const [middle, low, high] = [0, -1, 1].map((side) => {
    const own = moments.map((moment) => moment.slice());
    const step: DirectionStep = {
      gradient: values.map((value, i) => (side === 0 ? value : value + side * bounds[i]!)),
      firstMoment: own[names.indexOf('firstMoment')] ?? null,
      secondMoment: own[names.indexOf('secondMoment')] ?? null,
    };
    directions(optimizer, step);
    return { gradient: step.gradient as Float64Array, moments: own };
  }) as [Ends, Ends, Ends];
  // the square of a smaller gradient has lost its digits, and with them its root
  const least = moments.length > 0 ? 100 * Math.sqrt(floor) : 0;
  const direction = between(middle.gradient, low.gradient, high.gradient, floor);
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i]!) < least) direction.bounds[i] = Number.POSITIVE_INFINITY;
    else direction.bounds[i]! += 16 * unit * Math.abs(direction.values[i]!);
  }
  const expected = middle.moments.map((moment, s) => {
    const own = between(moment, low.moments[s]!, high.moments[s]!, floor);
    for (let i = 0; i < values.length; i++) own.bounds[i]! += 16 * unit * (Math.abs(moment[i]!) + Math.abs(moments[s]![i]!));
    return own;
  });
  return { direction, moments: expected };
}

interface Ends {
  gradient: Float64Array;
  moments: Float64Array[];
}

function between(values: Float64Array, low: Float64Array, high: Float64Array, floor: number): Expected {
  const bounds = values.map((value, i) => 1.1 * Math.max(Math.abs(low[i]! - value), Math.abs(high[i]! - value)) + floor);
  return { values, bounds };
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
function firstUnequal({ training, distinct, batch, rounding }: Audit): WrongNumber | null {
  const { kernels, network } = training.options;
  for (const [k, { layer, input, output, letter }] of opsOf(network).entries()) {
    const share = kernels.arithmetic === 'strict' ? 0 : rounding.sum(featuresOf(input));
    const { value, grad } = training.workspace.slots[k]!;
    const units = featuresOf(output);
    const cycle = distinct * units;
    for (const [what, rows] of Object.entries({ [letter]: value, [`d${letter}`]: grad })) {
      const bound = share * largestOf(rows.subarray(0, cycle));
      for (let i = cycle; i < batch * units; i++) {
        const [found, expected] = [rows[i]!, rows[i % cycle]!];
        if (!(Math.abs(found - expected) <= bound))
          return { layer, what: `${what} of example ${Math.floor(i / units) + 1}`, found, expected, bound };
      }
    }
  }
  return null;
}
