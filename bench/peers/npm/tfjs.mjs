// TensorFlow.js on its WebAssembly backend: variables, tf.losses.sigmoidCrossEntropy, tf.train. One thread: its threads are for browsers.
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { answerLines, summaryOf } from '../../answer.mjs';
import { firstOf, floatsOf, pixelsOf, weightsOf } from './data.mjs';

const require = createRequire(import.meta.url);
const { version } = require('@tensorflow/tfjs-backend-wasm/package.json');
const block = 1000; // pictures that are widened together

setWasmPaths(`${require.resolve('@tensorflow/tfjs-backend-wasm').replace(/[^/]*$/, '')}`);
await tf.setBackend('wasm');
if (tf.getBackend() !== 'wasm') throw new Error(`expected the backend wasm, found ${tf.getBackend()}`);

await answerLines(`tfjs-backend-wasm ${version}`, async (job, folder) =>
  (job.kind === 'inference' ? prepareInference : prepareTraining)(job, folder),
);

/** W as (n_in, n_out), the layout of its own layers: its product takes the fast way only where nothing is transposed. */
function layersOf({ dims }, weights) {
  return weights.map((values, l) => ({
    w: tf.variable(tf.transpose(tf.tensor2d(values, [dims[l + 1], dims[l]]))),
    b: tf.variable(tf.zeros([dims[l + 1]])),
  }));
}

function logitsOf(layers, x) {
  return layers.reduce((a, { w, b }, l) => {
    const z = tf.add(tf.matMul(a, w), b);
    return l < layers.length - 1 ? tf.relu(z) : z;
  }, x);
}

function prepareInference(job, folder) {
  const { m, features } = job;
  const pixels = pixelsOf(job, folder);
  const layers = layersOf(job, weightsOf(job, folder));
  return {
    run() {
      const p = new Float32Array(m);
      for (let first = 0; first < m; first += block) {
        const part = Float32Array.from(pixels.subarray(first * features, (first + block) * features));
        const answer = tf.tidy(() => tf.sigmoid(logitsOf(layers, tf.div(tf.tensor2d(part, [block, features]), 255))));
        p.set(answer.dataSync(), first);
        answer.dispose();
      }
      return p;
    },
    check: summaryOf,
  };
}

function prepareTraining(job, folder) {
  const { m, batch, features, adam, rate } = job;
  const { x, y, weights } = floatsOf(job, folder);
  const layers = layersOf(job, weights);
  const optimizer = adam ? tf.train.adam(rate, 0.9, 0.999, 1e-8) : tf.train.sgd(rate);
  const [X, Y] = [tf.tensor2d(x, [m, features]), tf.tensor2d(y, [m, 1])];
  let taken = 0;

  function step() {
    const first = firstOf(job, taken++);
    const cost = tf.tidy(() => {
      const [a, b] = batch < m ? [tf.slice(X, [first, 0], [batch, features]), tf.slice(Y, [first, 0], [batch, 1])] : [X, Y];
      return optimizer.minimize(() => tf.losses.sigmoidCrossEntropy(b, logitsOf(layers, a)), true);
    });
    const [value] = cost.dataSync();
    cost.dispose();
    return value;
  }

  return {
    run(count) {
      let cost;
      for (let i = 0; i < count; i++) cost = step();
      return cost;
    },
    check: (cost) => [cost],
  };
}
