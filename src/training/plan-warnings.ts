import type { Config } from '../config/schema.ts';
import { log, power } from '../elementary.ts';
import { UserError } from '../errors.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { type Network, weightedLayers } from '../nn/build.ts';
import { type Init, initializers } from '../nn/initializers.ts';
import { batchNormMomentum } from '../nn/ops/batch-norm.ts';
import { leastForBatchNorm } from './watch.ts';

/** Whether all units of a layer begin alike, and so stay alike for ever. */
export function startsAlike({ name, factor }: Init): boolean {
  return initializers[name].deviation({ nIn: 1, nOut: 1, factor }) === 0;
}

/** Hidden layers that can't learn: the output layer is one unit, which has none to be alike. */
export function symmetryWarnings(network: Network): string[] {
  const alike = weightedLayers(network)
    .slice(0, -1)
    .findIndex(({ init }) => startsAlike(init));
  if (alike < 0) return [];
  return [
    `model.init: layer ${alike + 1} starts with zeros: all its units stay alike for ever (symmetry), and with ReLU nothing is learnt at all. ` +
      'Use he, xavier or a small random factor; zeros is right for logistic regression alone.',
  ];
}

/** Who comes from Keras or PyTorch writes the output layer down, which is here already. */
export function outputWarnings({ layers }: Network): string[] {
  const last = layers.length - 2;
  const layer = layers[last];
  if (layer === undefined || !('units' in layer) || layer.units !== 1) return [];
  return [
    `model.layers.${last}: one unit before the output layer, which is one unit with a sigmoid and is not written: all that the network knows goes through one number. Leave it out`,
  ];
}

/** Batch norm of one picture takes the picture's own mean from it: nothing is left, and nothing below it is ever learnt.
 *  @throws UserError (usage) */
export function refuseBatchOfOne({ layers }: Network, batch: number): void {
  // a convolution has a mean over its places
  const l = layers.findIndex((layer) => !('filters' in layer) && 'batchNorm' in layer && layer.batchNorm);
  if (batch > 1 || l < 0) return;
  throw new UserError(
    'usage',
    `training.batchSize: expected 2 or more beside model.layers.${l}.batchNorm, found ${batch}: a batch of one picture has no variance`,
    { hint: `Set training.batchSize=${leastForBatchNorm} or more, or take batchNorm away.` },
  );
}

/** Steps after which 5% are left of what the moving averages began as. */
const stepsOfAverages = Math.ceil(log(0.05) / log(batchNormMomentum));

/** Statistics of batch norm that are made of too little. */
export function batchNormWarnings(
  network: Network,
  { batch, epochs, m }: { batch: number; epochs: number; m: number },
): string[] {
  if (!weightedLayers(network).some(({ batchNorm }) => batchNorm)) return [];
  const steps = epochs * Math.ceil(m / batch);
  const left = Math.round(100 * power(batchNormMomentum, steps));
  const isSmall = batch < leastForBatchNorm;
  const found: [boolean, string][] = [
    [
      isSmall,
      `training.batchSize: batch norm over ${batch} pictures is mostly noise, and no gradients are judged by it; ${leastForBatchNorm} or more are better`,
    ],
    [
      !isSmall && m % batch === 1,
      `training.batchSize: the last of each epoch's batches of ${batch} holds one picture, of which batch norm leaves nothing: --set training.batchSize=${evenBatch(m, batch)}`,
    ],
    [
      steps < stepsOfAverages,
      `training.epochs: batch norm answers by moving averages, and after ${steps} steps ${left}% of them is still what they began as: take ${stepsOfAverages} steps or more, by more epochs or smaller batches`,
    ],
  ];
  return found.flatMap(([holds, text]) => (holds ? [text] : []));
}

/** The next larger batch whose last one is no single picture. */
function evenBatch(m: number, batch: number): number {
  let next = batch + 1;
  while (m % next === 1) next++;
  return next;
}

/** With fewer pictures of a class to choose by, a threshold is mostly chance: of 20 that are right by half, 95% of samples are within
 *  ± 20 points. */
export const leastToChooseBy = 20;

/** Choices that are made by too few pictures. */
export function choiceWarnings(config: Config, examples: Record<'train' | 'dev', { total: number; positive: number }>): string[] {
  const { threshold, earlyStopping, calibrate } = config.training;
  const { split } = config.data;
  const inFolds = typeof split === 'object' && 'folds' in split;
  const { total, positive } = examples[inFolds ? 'train' : 'dev'];
  const smaller = Math.min(positive, total - positive);
  const where = inFolds ? 'all folds together, which have' : 'dev, which has';
  const few = (count: number, of: string) => `${count} ${count === 1 ? 'picture' : 'pictures'}${of}`;
  if (total === 0) return []; // there is none to choose by, which is refused elsewhere
  return [
    ...(typeof threshold === 'string' && smaller < leastToChooseBy
      ? [
          `training.threshold: the one of best ${threshold} is chosen on ${where} ${few(smaller, ' of the smaller class')}: by so few it is mostly chance. ` +
            `Take ${leastToChooseBy} or more of each class${inFolds ? '' : ', or data.split={"folds":5}, which chooses by all that are trained on'}`,
        ]
      : []),
    ...(calibrate && total < leastToChooseBy
      ? [
          `training.calibrate: the temperature is fitted to ${where} ${few(total, '')}: by so few it is mostly chance. Take ${leastToChooseBy} or more`,
        ]
      : []),
    ...(earlyStopping !== false && !inFolds && total < leastToChooseBy
      ? [
          `training.earlyStopping: the best epoch is chosen on dev, which has ${few(total, '')}: by so few it is mostly chance. Take ${leastToChooseBy} or more`,
        ]
      : []),
  ];
}

export function arithmeticWarnings(config: Config, kernels: Kernels): string[] {
  if (config.arithmetic === kernels.arithmetic) return [];
  return [
    `arithmetic: this Node.js (${process.version}) has no relaxed SIMD: the strict kernels train instead of the fast ones.`,
  ];
}
