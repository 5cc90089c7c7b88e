import type { Classifier } from '../../src/classifier/classifier.ts';
import { type NormalizerName, normalizers } from '../../src/data/normalize.ts';
import { type Precision, precisions } from '../../src/kernels/kernels.ts';
import type { Layer } from '../../src/nn/build.ts';
import { bufferLength, parameterSpecs, parametersOver } from '../../src/nn/network.ts';
import { namedRandom } from '../../src/random.ts';
import { dense } from '../nn/networks.ts';

export const output = dense(1, { activation: 'sigmoid' });

/** Bytes of pictures of which no feature is the same in all. */
export function randomImages(count: number, side: number, seed = 1): Uint8Array {
  const random = namedRandom(seed, 'images of a test');
  return Uint8Array.from({ length: count * side * side * 3 }, () => random.integer(255));
}

/** A classifier of random weights, normalised by random pictures. */
export function randomClassifier(options: {
  side: number;
  hidden?: readonly Layer[];
  normalize?: NormalizerName;
  precision?: Precision;
}): Classifier {
  const { side, hidden = [], normalize = 'standardize', precision = 'float64' } = options;
  const inputs = side * side * 3;
  const network = { inputs, layers: [...hidden, output] };
  const random = namedRandom(2, 'weights of a test');
  const values = new precisions[precision](bufferLength(parameterSpecs(network)));
  const scaling = normalizers[normalize].fit(randomImages(20, side), inputs);
  const size = 1 / Math.sqrt(inputs) / Math.max(1, 255 * scaling.scale[0]!);
  const parameters = parametersOver(network, values);
  for (const { name, offset, length } of parameters.specs) {
    for (let i = offset; i < offset + length; i++)
      values[i] = name.startsWith('movingVariance') ? 0.5 + random.uniform() : (name === 'W1' ? size : 1) * random.normal();
  }
  return {
    network,
    parameters,
    precision,
    preprocessing: { imageSize: side, fit: 'cover' },
    normalize,
    scaling,
    classes: { positive: 'cat', negative: 'thing' },
    threshold: 0.5,
    loss: 'crossEntropy',
  };
}

/** Logistic regression on pixels ÷ 255 that sees two corners alone: a pixel of the upper left square counts 0.3 for each colour that is
 *  full, one of the lower right −0.2. */
export function cornerClassifier(side: number, corner: number): Classifier {
  const classifier = randomClassifier({ side, normalize: 'scale' });
  const [W, b] = [classifier.parameters.tensors['W1']!, classifier.parameters.tensors['b1']!];
  W.fill(0);
  b[0] = 0.25;
  for (let y = 0; y < corner; y++) {
    for (let x = 0; x < corner; x++) {
      const [first, last] = [(y * side + x) * 3, ((side - 1 - y) * side + (side - 1 - x)) * 3];
      W.fill(0.3, first, first + 3);
      W.fill(-0.2, last, last + 3);
    }
  }
  return classifier;
}
