import { beforeAll, describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { ascending } from '../../src/data/batches.ts';
import type { Examples } from '../../src/data/examples.ts';
import { type NormalizerName, normalizers } from '../../src/data/normalize.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { layerSizes } from '../../src/nn/build.ts';
import { createWorkspace, forward } from '../../src/nn/network.ts';
import { inference } from '../../src/nn/op.ts';
import { type OptimizerName, optimizers } from '../../src/nn/optimizers.ts';
import { costOscillates } from '../../src/training/cost-curve.ts';
import { autoLearningRate } from '../../src/training/learning-rate.ts';
import { fitOptions, planTraining } from '../../src/training/plan.ts';
import { gradientWatch } from '../../src/training/watch.ts';
import { someOf } from '../thorough.ts';
import { drawnPictures, epochsOf, type HeldOptions } from './problems.ts';

const epochs = 150;
const pairs = Object.keys(optimizers).flatMap((optimizer) =>
  Object.keys(normalizers).map((normalize) => [optimizer, normalize] as [OptimizerName, NormalizerName]),
);
const networks: [string, object[]][] = [
  ['logistic regression', []],
  ['one hidden layer of 8 units', [{ units: 8 }]],
];
/** Inputs that are not centred give one direction that is a hundred times as curved as the others, so that all else is slow. */
const fallsBelow = (normalize: NormalizerName) => (normalize.startsWith('standardize') ? 0.6 : 0.97);

let train: Examples;
beforeAll(async () => {
  train = await drawnPictures(160, 64);
});

describe.each(networks)('the automatic learning rate trains %s', (_, layers) => {
  test.each(someOf(pairs))(
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

describe('it kills few units of a deep network, whatever the seed', () => {
  /** Hidden units that give 0 for every picture. */
  function deadUnits({ network, parameters, scaling, train: { pixels, labels } }: HeldOptions): boolean[] {
    const count = labels.length;
    const workspace = createWorkspace(network, kernels, count);
    const input = { kind: 'bytes', bytes: pixels, indices: null, count, features: network.inputs, scaling } as const;
    forward({ network, parameters, kernels, input, workspace, mode: inference });
    return layerSizes(network)
      .slice(1, -1)
      .flatMap((units, l) => {
        const a = workspace.slots[2 * l + 1]!.value; // behind each product its activation
        return Array.from({ length: units }, (_, u) => ascending(count).every((i) => a[i * units + u] === 0));
      });
  }

  const kernels = kernelsFor('float32');
  const [side, m] = [16, 120];
  let small: Examples;
  beforeAll(async () => {
    small = await drawnPictures(m, side);
  });

  // the automatic rates of 0.1.0 killed a fourth of them with Adam, and more with momentum, on pixels ÷ 255
  test.each(someOf(pairs))('with %s on inputs normalised by %s', async (name, normalize) => {
    let [killed, units] = [0, 0];
    for (const seed of [1, 2, 3]) {
      const raw = {
        ...{ seed, data: { source: { type: 'drawn' }, imageSize: side, normalize } },
        model: { layers: [{ units: 20 }, { units: 7 }, { units: 5 }] },
        training: { epochs: 200, batchSize: 'full', optimizer: { name }, evaluateEvery: 200 },
      };
      const config = checkConfig(raw, 'test');
      const options = fitOptions(
        config,
        { train: small },
        planTraining(config, { train: small }, kernels),
        kernels,
      ) as HeldOptions;
      const before = deadUnits(options);
      const costs = (await epochsOf(options)).map(({ cost }) => cost);
      expect(costs.at(-1)!).toBeLessThan(costs[0]!);
      killed += deadUnits(options).filter((dead, i) => dead && !before[i]).length;
      units += before.length;
    }
    expect(killed / units).toBeLessThan(0.15);
  });
});

test('more inputs want a smaller rate, and runs of 0.1.0 keep that of any number of them', () => {
  const at = (defaults: '0.1.0' | '0.2.0', inputs: number) =>
    autoLearningRate({ defaults, inputs, optimizer: 'adam', normalize: 'standardizeChannels' });
  expect(at('0.2.0', 12288)).toBe(0.0002);
  expect(at('0.2.0', 12288 * 4)).toBe(0.00005);
  expect(at('0.2.0', 768)).toBe(0.0032);
  expect(at('0.2.0', 192)).toBe(0.013); // of fewer it is the layers above that say
  expect(at('0.2.0', 3)).toBe(0.013);
  for (const inputs of [3, 768, 12288, 150528]) expect(at('0.1.0', inputs)).toBe(0.0002);
});
