// Who takes part: a row is a process that answers for one job after the other (answer.mjs, peers/peer.py).
// `in` names its jobs; `exact` ones compute in float64 and are held to 1e-9; the first exact one is the reference of a job that
// brings none. A `fresh` one starts anew for every run, and `rounds` is how many of them it makes where that is not the job's number.
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const node = (path, ...words) => [process.execPath, here(path), ...words];
const nn = (settings) => node('./ours/main.mjs', JSON.stringify(settings));
const python = (...words) => [process.env.BENCH_PYTHON ?? '/usr/bin/python3', here('./peers/peer.py'), ...words];

const every = ['J1', 'J2', 'J3', 'L'];
const answers = ['inference', 'inference-logistic'];
const decoding = ['decode', 'photos'];

const ours = [
  { label: 'nn dual, float64', command: nn({ precision: 'float64', form: 'dual' }), exact: true, in: ['J1', 'J2'] },
  { label: 'nn direct, float32', command: nn({ precision: 'float32', form: 'direct' }), in: [...every, ...answers] },
  { label: 'nn direct, float32, fast', command: nn({ precision: 'float32', form: 'direct', arithmetic: 'fast' }), in: every },
  { label: 'nn direct, float64', command: nn({ precision: 'float64', form: 'direct' }), exact: true, in: [...every, ...answers] },
  {
    label: 'nn, as the planner chooses',
    command: nn({ precision: 'float64', form: 'auto' }),
    exact: true,
    in: ['J1-whole'],
    fresh: true,
    rounds: 5,
  },
  { label: 'nn, its way of decoding', command: nn({}), in: decoding },
];

const peers = [
  { label: 'NumPy, float64', command: python('numpy', 'float64'), exact: true, in: [...every, ...answers, 'J1-whole'] },
  { label: 'NumPy, float32', command: python('numpy', 'float32'), in: [...every, ...answers, 'J1-whole'] },
  { label: 'PyTorch, float32', command: python('torch', 'float32'), in: [...every, ...answers, 'J1-whole'] },
  { label: 'scikit-learn, float32', command: python('sklearn', 'float32'), in: [...every, ...answers, 'J1-whole'] },
  { label: 'onnxruntime, float32', command: node('./peers/npm/onnx.mjs'), in: [...every, ...answers, 'J1-whole'] },
  { label: 'tfjs wasm, float32', command: node('./peers/npm/tfjs.mjs'), in: [...every, ...answers], rounds: 3 },
  { label: 'sharp', command: node('./peers/sharp.mjs'), in: decoding },
  { label: 'Pillow', command: python('pillow'), in: decoding },
  { label: 'OpenCV', command: python('opencv'), in: decoding },
].map((row) => ({ ...row, peer: true }));

const memory = [
  ...[1, 2].map((threads) => ({
    label: `memcmp, ${threads} thread${threads > 1 ? 's' : ''}`,
    command: node('./peers/memcmp.mjs', String(threads)),
  })),
  ...[1, 2].flatMap((threads) =>
    ['dot', 'sum'].map((way) => ({
      label: `NumPy ${way}, ${threads} thread${threads > 1 ? 's' : ''}`,
      command: python('memory', way, String(threads)),
    })),
  ),
].map((row) => ({ ...row, in: ['bandwidth'] }));

// peers first: NumPy's float64 is the reference wherever it takes part
export const competitors = [...peers, ...ours, ...memory];
