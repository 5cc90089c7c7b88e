import { describe, expect, test } from 'vitest';
import { logits } from '../../src/classifier/classifier.ts';
import type { Examples } from '../../src/data/examples.ts';
import { UserError } from '../../src/errors.ts';
import type { Kernels } from '../../src/kernels/kernels.ts';
import { referenceBackwardAndStep } from '../../src/kernels/reference.ts';
import { losses } from '../../src/nn/losses.ts';
import { DivergedError, evaluateTrained } from '../../src/training/divergence.ts';
import type { FitOptions } from '../../src/training/fit.ts';
import { costWatch, divergedEpochs, divergedFactor } from '../../src/training/watch.ts';
import { epochBatches } from '../data/epoch-batches.ts';
import { dense } from '../nn/networks.ts';
import { epochsOf, type HeldOptions, kernels, named, noisePictures, problem } from './problems.ts';

/** Every picture twice, once in each class: no weights can tell them apart. */
function contradictory(m: number): Examples {
  const { features, pixels } = noisePictures(m);
  const labels = Uint8Array.from({ length: 2 * m }, (_, i) => (i < m ? 0 : 1));
  return named({ features, pixels: Uint8Array.from([...pixels, ...pixels]), labels });
}

async function reportOf(options: FitOptions): Promise<DivergedError> {
  const error = await epochsOf(options).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(DivergedError);
  return error;
}

function costOf(options: HeldOptions): number {
  const z = logits(options, kernels, options.train.pixels);
  return z.reduce((sum, value, i) => sum + losses.crossEntropy.value(value, options.train.labels[i]!), 0) / z.length;
}

/** Kernels with something amiss. */
function amiss(change: Partial<Kernels>): Kernels {
  const faulty: Kernels = {
    ...kernels,
    ...change,
    backwardAndStep: (step) => referenceBackwardAndStep(faulty, step, kernels.allocate(step.weights.length)),
    scope: () => ({ ...faulty, release: () => {} }),
  };
  return faulty;
}

describe('a learning rate that is far too large', () => {
  test('is stopped; the error names step, epoch, layer, tensor and rate, and proposes one that can work', async () => {
    const error = await reportOf(problem({ train: contradictory(10), learningRates: [1e6], epochs: 100 }));
    const { report } = error;
    expect(report).toMatchObject({ layer: 1, tensor: 'W1', learningRate: 1e6, proposedRate: 0.05 });
    expect(report.epoch).toBe(report.step); // full batches: a step an epoch
    expect(report.epoch).toBeGreaterThanOrEqual(divergedEpochs);
    expect(error.message).toMatch(
      new RegExp(`step ${report.step} \\(epoch ${report.epoch}\\) in layer 1 \\(W1\\) with learning rate 1000000`),
    );
    expect(error.hint).toContain('--set training.learningRate=0.05;');
    expect(error.hint).toContain('--find-rate');
    expect(error.exitCode).toBe(5);
  });

  test('leaves the last good weights: finite, at a cost that is not far above the first', async () => {
    const options = problem({ train: contradictory(10), learningRates: [1e6], epochs: 100 });
    const first = costOf(options);
    await reportOf(options);
    expect(options.parameters.values.every(Number.isFinite)).toBe(true);
    expect(costOf(options)).toBeLessThanOrEqual(divergedFactor * Math.max(first, Math.LN2));
  });

  test('is stopped in the epoch where a number overflows, also in the last one', async () => {
    const scaling = { scale: new Float64Array(48).fill(1), shift: new Float64Array(48) }; // bytes: gradients far above 2
    const options = problem({ learningRates: [1e308], epochs: 1, scaling });
    const before = options.parameters.values.slice();
    const { report } = await reportOf(options);
    expect(report).toMatchObject({ epoch: 1, step: 1, layer: 1, tensor: 'W1', proposedRate: 0.05 });
    expect(options.parameters.values).toEqual(before);
  });

  test('is blamed on the layer whose numbers overflow first on the way forward', async () => {
    const hidden = [dense(4, { activation: 'linear' }), dense(3, { activation: 'linear' })];
    const options = problem({ hidden, learningRates: [1e120, 1e120, 1e120] });
    const { report } = await reportOf(options);
    // after a step all weights are about 1e120: z is 1e120, 1e240, and then too large
    expect(report).toMatchObject({ step: 2, layer: 3, tensor: 'W3' });
    expect(options.parameters.values.every(Number.isFinite)).toBe(true);
    expect(costOf(options)).toBeLessThan(10);
  });

  test('names the rate of the layer that diverged, and proposes a smaller one for each layer where they differ', async () => {
    const hidden = [dense(4, { activation: 'linear' })];
    const { report } = await reportOf(problem({ hidden, learningRates: [0.01, 1e200], scaling: bytesAsTheyAre }));
    // W2 leaps in the first step; the second overflows in the gradient that it hands down to W1, or in z
    expect(report.learningRate).toBe(report.layer === 1 ? 0.01 : 1e200);
    expect(report.proposedRate).toEqual([0.001, 0.05]);
  });
});

test('where the automatic rate itself is too large, a tenth of it is proposed', async () => {
  const options = { train: contradictory(10), learningRates: [1e6], autoRate: 1e6, epochs: 100 };
  expect((await reportOf(problem(options))).report.proposedRate).toBe(1e5);
});

test('in mini-batches a cost is held against that of the first batch, before any step, not of an epoch that is spoilt', async () => {
  const options = problem({ train: contradictory(20), learningRates: [1e6], batchSize: 4, epochs: 100 });
  const { report } = await reportOf(options);
  expect(report.epoch).toBe(divergedEpochs);
});

test('a last step that leaves finite weights without an answer has diverged, and the weights before it are left', async () => {
  // W2 · max(0, W1 x): both about 1e170 after the step, and their product beyond 1e308
  const options = problem({ hidden: [dense(4, { activation: 'linear' })], learningRates: [1e170, 1e170], epochs: 1 });
  const before = options.parameters.values.slice();
  const { report } = await reportOf(options);
  expect(report).toMatchObject({ epoch: 1, step: 1, what: 'its last step left weights that give no answer' });
  expect(options.parameters.values).toEqual(before);
});

test('what breaks before any step is not blamed on the learning rate', async () => {
  const scaling = { scale: new Float64Array(48).fill(1e308), shift: new Float64Array(48) };
  const error = await reportOf(problem({ hidden: [dense(4, { activation: 'linear' })], scaling, learningRates: [0.01, 0.01] }));
  expect(error.report).toMatchObject({ step: 1, proposedRate: null });
  expect(error.hint).not.toContain('learningRate');
  expect(error.hint).toMatch(/No step was taken.*--set model\.init=auto --set data\.normalize=standardizeChannels/);
});

test('weights that were just trained and give no finite answer have diverged; what else goes wrong stays what it is', async () => {
  const rates = { learningRates: [1e30, 1e30], autoRate: 0.01 };
  const judged = (cost: number) =>
    evaluateTrained(
      rates,
      async () => ({ cost }),
      (found) => [found.cost],
    );
  expect(await judged(0.5)).toEqual({ cost: 0.5 });
  const failing = (error: Error) =>
    evaluateTrained(
      rates,
      () => Promise.reject(error),
      () => [],
    );
  const diverged = { kind: 'diverged', exitCode: 5, hint: expect.stringContaining('--set training.learningRate=0.01;') };
  await expect(judged(Number.POSITIVE_INFINITY)).rejects.toMatchObject(diverged);
  await expect(judged(Number.NaN)).rejects.toMatchObject(diverged);
  await expect(failing(new UserError('model', 'no number'))).rejects.toMatchObject(diverged);
  await expect(failing(new UserError('data', 'no file'))).rejects.toMatchObject({ kind: 'data' });
  await expect(failing(new RangeError('too long'))).rejects.toBeInstanceOf(RangeError);
});

const bytesAsTheyAre = { scale: new Float64Array(48).fill(1), shift: new Float64Array(48) };

describe('a gradient that is not finite', () => {
  const hidden = [dense(5), dense(4), dense(3)];
  const units = [5, 4, 3, 1];

  /** Spoils one number of a layer's dW in a step of its own. */
  function spoiled(layer: number, step: number, value: number): Kernels {
    let steps = 0;
    return amiss({
      linearGradWeights(options) {
        kernels.linearGradWeights(options);
        if (options.units === units[layer] && ++steps === step) options.out[1] = value;
      },
    });
  }

  test.each([
    [0, Number.NaN],
    [1, Number.NaN],
    [2, Number.POSITIVE_INFINITY],
    [3, Number.NEGATIVE_INFINITY],
  ])('is named with its layer, %i (%d), and no weight has moved since', async (layer, value) => {
    const batches = { batchSize: 7, train: noisePictures(20), hidden };
    const options = problem({ ...batches, kernels: spoiled(layer, 5, value) });
    const { report } = await reportOf(options);
    expect(report).toMatchObject({ epoch: 2, step: 5, layer: layer + 1, tensor: `W${layer + 1}` });
    expect(report.what).toMatch(/gradient is not finite/);
    // step 5 is the second of epoch 2
    expect(report.examples).toEqual([...[...epochBatches(20, 7, { shuffle: 'auto', seed: 1, epoch: 2 })][1]!]);
    const healthy = problem({ ...batches, epochs: 1 });
    await epochsOf(healthy);
    expect(options.parameters.values).toEqual(healthy.parameters.values);
  });

  test('is blamed on the layer that it comes from, not on those below, which it spoils too', async () => {
    const faulty = amiss({
      linearGradInput(options) {
        kernels.linearGradInput(options);
        if (options.units === 3) options.out[0] = Number.NaN; // what layer 3 hands down to layer 2
      },
    });
    const { report } = await reportOf(problem({ hidden, kernels: faulty }));
    expect(report).toMatchObject({ step: 1, layer: 2, tensor: 'W2' });
  });
});

describe('a cost far above its start', () => {
  const far = divergedFactor * Math.LN2 * 1.01;
  const told = (costs: readonly number[]) => {
    const watch = costWatch();
    return costs.map((cost) => watch.endsWith(cost));
  };
  const times = (n: number, cost: number) => Array.from({ length: n }, () => cost);

  test('for 20 epochs on end stops; for 19 it does not, however often', () => {
    expect(told([0.5, ...times(20, far)]).indexOf(true)).toBe(20);
    expect(told([0.5, ...times(19, far), 1, ...times(19, far), 1, ...times(19, far)])).not.toContain(true);
  });

  test('is measured by the first cost where that is above ln 2', () => {
    expect(told([2, ...times(30, 199)])).not.toContain(true);
    expect(told([2, ...times(30, 201)])).toContain(true);
  });

  test("is not the course's own rise, from 0.69 to 0.9 for 54 epochs", () => {
    const rise = Array.from({ length: 54 }, (_, i) => Math.LN2 + (0.9 - Math.LN2) * Math.sin((Math.PI * i) / 53));
    expect(told([Math.LN2, ...rise, ...times(100, 0.6)])).not.toContain(true);
  });
});

test('with early stopping the best weights outlive a divergence', async () => {
  const faulty = () => {
    let steps = 0;
    return amiss({
      linearGradWeights(options) {
        kernels.linearGradWeights(options);
        if (++steps === 30) options.out[0] = Number.NaN;
      },
    });
  };
  const earlyStopping = { patience: 100, minDelta: 0 };
  const wishes = { train: noisePictures(12), dev: { ...noisePictures(12), labels: noisePictures(12).labels.map((y) => 1 - y) } };
  // what helps on train hurts on this dev: the first epoch is the best
  const options = problem({ ...wishes, earlyStopping, kernels: faulty(), epochs: 100 });
  await reportOf(options);
  const first = problem({ ...wishes, epochs: 1 });
  await epochsOf(first);
  expect(options.parameters.values).toEqual(first.parameters.values);
});
