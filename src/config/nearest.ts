import { closest, distance } from 'fastest-levenshtein';

/** The known name that a mistaken one was probably meant to be: what other tools call the same, or one of which, letter case aside, at most
 *  a third differs. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || name.length > longestName) return undefined;
  const translated = elsewhereCalled.get(plain(name));
  const own = known.find((one) => translated?.includes(one) || plain(one) === plain(name));
  if (own !== undefined) return own;
  const wanted = name.toLowerCase();
  const best = closest(
    wanted,
    known.map((one) => one.toLowerCase()),
  );
  return distance(wanted, best) <= Math.max(2, name.length / 3) ? known.find((one) => one.toLowerCase() === best) : undefined;
}

/** Nobody mistypes more. */
const longestName = 100;

/** What a word of another tool may mean here: batch_size is batchSize, lr learningRate. */
export function translations(name: string): string[] {
  return elsewhereCalled.get(plain(name)) ?? [];
}

/** batch-size, batch_size and batchSize are one name. */
export function plain(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, '');
}

/** Our words, and what PyTorch, Keras, scikit-learn and the course's own notebooks call the same. */
const words: Record<string, string> = {
  gradientDescent: 'sgd gd vanilla batchGradientDescent',
  momentum: 'nesterov heavyBall',
  crossEntropy: 'bce binaryCrossentropy binaryCrossEntropy logLoss nll logistic',
  squaredError: 'mse meanSquaredError l2Loss',
  leakyRelu: 'lrelu',
  linear: 'identity none',
  sigmoid: 'logistic',
  he: 'kaiming heNormal kaimingNormal kaimingUniform',
  glorot: 'glorotUniform glorotNormal xavierNormal xavierUniform',
  cosine: 'cosineAnnealing cosineAnnealingLR cosineDecay',
  oneCycle: 'oneCycleLR 1cycle onecycle',
  exponential: 'exponentialDecay exponentialLR',
  every: 'stepSize',
  factor: 'gamma',
  rate: 'gamma',
  warmup: 'pctStart warmupSteps warmupEpochs',
  step: 'stepLR stepDecay',
  learningRate: 'lr alpha eta stepSize',
  epochs: 'iterations numIterations numEpochs nEpochs maxIter maxEpochs',
  batchSize: 'bs miniBatchSize batch',
  optimizer: 'solver optim',
  schedule: 'scheduler lrScheduler',
  l2: 'weightDecay lambda lambd regularization',
  keepProb: 'dropout dropoutRate',
  batchNorm: 'bn batchNormalization',
  layers: 'hidden hiddenLayers hiddenLayerSizes hiddenUnits',
  dense: 'linear fc fullyConnected',
  conv: 'conv2d convolution convolution2d convolutional',
  maxPool: 'maxPool2d maxPooling maxPooling2d',
  averagePool: 'avgPool avgPool2d averagePooling averagePooling2d',
  globalAveragePool: 'globalAveragePooling globalAveragePooling2d adaptiveAvgPool2d gap',
  residual: 'resBlock residualBlock skip skipConnection shortcut',
  filters: 'outChannels channels',
  kernel: 'kernelSize filterSize',
  stride: 'strides',
  size: 'poolSize kernel kernelSize window',
  flipHorizontal: 'horizontalFlip randomHorizontalFlip hflip',
  flipVertical: 'verticalFlip randomVerticalFlip vflip',
  rotate: 'rotation degrees randomRotation',
  units: 'neurons nodes width size',
  init: 'initialization initializer kernelInitializer',
  slope: 'negativeSlope',
  clipNorm: 'gradClip maxGradNorm maxNorm',
  labelSmoothing: 'labelSmooth smoothing',
  mixup: 'mixupAlpha',
  progressive: 'progressiveResizing resizing imageSizes',
  averageWeights: 'ema emaDecay useEma emaMomentum swa',
  calibrate: 'temperature temperatureScaling calibration',
  seed: 'randomSeed randomState rngSeed',
  imageSize: 'imgSize inputSize resolution targetSize size',
  augment: 'augmentation transforms',
  normalize: 'normalization scaling',
  dev: 'validation valid val validationData development',
  test: 'holdout',
  split: 'validationSplit testSize trainTestSplit',
  folds: 'cv kFold nSplits',
  path: 'data dataset images folder dir',
  classWeight: 'posWeight',
  train: 'fit learn',
  predict: 'classify infer',
  evaluate: 'eval score judge',
  tune: 'search sweep',
};

const elsewhereCalled = new Map<string, string[]>();
for (const [own, others] of Object.entries(words)) {
  for (const other of others.split(' ')) elsewhereCalled.set(plain(other), [...(elsewhereCalled.get(plain(other)) ?? []), own]);
}
