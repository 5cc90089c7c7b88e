// How long a model takes to answer: nn's own logits and onnxruntime-node, both prepared once, on the same model, exported, in turns and with as many threads.
//   npm run build && bench/peers/install.sh && node bench/inference.mjs MODEL [pictures 10000] [threads 2]
// On a machine that others use, only the ratio of turns that follow each other says something; the processor time of both is told too.
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { prepareLogits } from '../dist/classifier/classifier.js';
import { gatherExport } from '../dist/export/exported-model.js';
import { onnx } from '../dist/export/onnx/onnx.js';
import { kernelsFor, useThreads } from '../dist/kernels/select.js';
import { namedRandom } from '../dist/random.js';
import { loadClassifier } from '../dist/run/model-file.js';

const require = createRequire(new URL('./peers/npm/package.json', import.meta.url));
const [path, count = '10000', threads = '2'] = process.argv.slice(2);
const rounds = 20;
const each = Math.ceil(Number(count) / rounds);
/** Of onnxruntime, which was quickest with it among 16, 64 and 256. */
const batch = 64;
/** For threads that spin when their work is done. */
const settling = 150;

useThreads(Number(threads), process.env);
const { classifier, file } = await loadClassifier(path);
const { inputs } = classifier.network;
const side = classifier.preprocessing.imageSize;
const random = namedRandom(1, 'pictures of a bench');
const pixels = Uint8Array.from({ length: each * inputs }, () => random.integer(255));

const logits = prepareLogits(classifier, kernelsFor(classifier.precision), each);
const { InferenceSession, Tensor } = require('onnxruntime-node');
const bytes = await onnx.write(await gatherExport(classifier, file, console.error));
const session = await InferenceSession.create(bytes, { intraOpNumThreads: Number(threads), interOpNumThreads: 1 });

const answering = {
  nn: async () => logits(pixels),
  async onnxruntime() {
    const out = new Float64Array(each);
    for (let first = 0; first < each; first += batch) {
      const some = Math.min(batch, each - first);
      const part = pixels.subarray(first * inputs, (first + some) * inputs);
      const { logit } = await session.run({ images: new Tensor('uint8', part, [some, side, side, 3]) });
      out.set(logit.data, first);
    }
    return out;
  },
};

const times = { nn: [], onnxruntime: [] };
const processor = { nn: 0, onnxruntime: 0 };
const answers = {};
for (let round = -1; round < rounds; round++) {
  const names = Object.keys(answering);
  for (const name of round % 2 === 0 ? names : names.reverse()) {
    await pause(settling);
    const [before, started] = [process.cpuUsage(), performance.now()];
    answers[name] = await answering[name]();
    const milliseconds = performance.now() - started;
    if (round < 0) continue; // both are warm after the first
    const { user, system } = process.cpuUsage(before);
    times[name].push(milliseconds);
    processor[name] += (user + system) / 1000;
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const ratios = times.nn.map((own, i) => times.onnxruntime[i] / own);
const apart = Math.max(...answers.nn.map((z, i) => Math.abs(z - answers.onnxruntime[i])));
const { version } = require('onnxruntime-node/package.json');
console.log(
  `${rounds * each} pictures in turns of ${each}, ${threads} threads, ${cpus()[0].model}, Node ${process.version}, onnxruntime-node ${version}`,
);
for (const name of Object.keys(answering)) {
  const [middle, least] = [median(times[name]) / each, Math.min(...times[name]) / each];
  console.log(
    `${name}: median ${middle.toFixed(3)} ms a picture, least ${least.toFixed(3)}; processor ${(processor[name] / rounds / each).toFixed(3)}`,
  );
}
console.log(
  `nn is ${median(ratios).toFixed(2)} times as fast by the median turn, ${(processor.onnxruntime / processor.nn).toFixed(2)} times by processor time; logits differ by at most ${apart.toExponential(1)}`,
);
await session.release();
