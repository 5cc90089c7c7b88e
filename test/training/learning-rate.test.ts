import { beforeAll, describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import type { Examples } from '../../src/data/examples.ts';
import { type NormalizerName, normalizers } from '../../src/data/normalize.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { type OptimizerName, optimizers } from '../../src/optimize/optimizers.ts';
import { costOscillates } from '../../src/training/cost-curve.ts';
import { gradientWatch } from '../../src/training/layer-norms.ts';
import { autoLearningRate } from '../../src/training/learning-rate.ts';
import { fitOptions, planTraining } from '../../src/training/plan.ts';
import { drawnPictures, epochsOf } from './problems.ts';

const epochs = 150;
const pairs = Object.keys(optimizers).flatMap((optimizer) =>
  Object.keys(normalizers).map((normalize) => [optimizer, normalize] as [OptimizerName, NormalizerName]),
);
const networks: [string, object[]][] = [
  ['logistic regression', []],
  ['one hidden layer of 8 units', [{ units: 8 }]],
];
/** Inputs that are not centred give one direction that is a hundred times as curved as the others, so that all else is slow. */
const fallsBelow = (normalize: NormalizerName) => (normalize.startsWith('standardize') ? 0.6 : 0.9);

let train: Examples;
beforeAll(async () => {
  train = await drawnPictures(160, 64);
});

describe.each(networks)('the automatic learning rate trains %s', (_, layers) => {
  test.each(pairs)(
    'with %s on inputs normalised by %s: the cost falls clearly, and does not oscillate',
    async (name, normalize) => {
      const config = checkConfig(
        {
          data: { source: { type: 'drawn' }, imageSize: 64, normalize },
          model: { layers },
          training: { epochs, optimizer: { name }, evaluateEvery: 10 },
        },
        'test',
      );
      const kernels = kernelsFor('float32');
      const plan = planTraining(config, { train }, kernels);
      const auto = autoLearningRate({ defaults: '0.2.0', optimizer: name, normalize, inputs: train.features });
      expect(plan.learningRates).toEqual(plan.learningRates.map(() => auto));
      const watch = gradientWatch({ examples: train.labels.length, batchNorm: false });
      const events = await epochsOf(fitOptions(config, { train }, plan, kernels));
      const costs = events.map(({ cost }) => cost);
      expect(costs.at(-1)! / costs[0]!).toBeLessThan(fallsBelow(normalize));
      expect(Math.max(...costs) / costs[0]!).toBeLessThan(1.5);
      expect(costOscillates(costs, plan)).toBeNull();
      expect(events.flatMap(({ epoch, layers }) => (layers ? watch.look(epoch, layers) : []))).toEqual([]);
    },
  );
});
