// onnxruntime-node: a whole training step (forward, backward, update) as one graph. Gradient descent is the C of the product
// that makes dW: W − rate · dZᵀX in one Gemm. The weights that a step gives are what the next one takes; both have memory of their own.
import { createRequire } from 'node:module';
import { answerLines, everyHundredth, summaryOf } from '../../answer.mjs';
import { firstOf, floatsOf, pixelsOf, weightsOf } from './data.mjs';
import { onnxModel } from './onnx-model.mjs';

const require = createRequire(import.meta.url);
const { InferenceSession, Tensor } = require('onnxruntime-node');
const { version } = require('onnxruntime-node/package.json');
const threads = Number(process.env.OMP_NUM_THREADS ?? 0); // 0: as many as it likes
const block = 1000; // pictures that are widened together

const start = (parts) => InferenceSession.create(onnxModel(parts), { intraOpNumThreads: threads });
const tensor = (data, shape) => new Tensor('float32', data, shape);

await answerLines(`onnxruntime-node ${version}`, (job, folder) =>
  (job.kind === 'inference' ? prepareInference : prepareTraining)(job, folder),
);

/** Z = A Wᵀ + b, layer by layer. @returns the nodes, and the names of the layers' inputs */
function forwardNodes(dims, input) {
  const nodes = [];
  const below = [input];
  for (const [l] of dims.slice(1).entries()) {
    nodes.push(['Gemm', [below[l], `W${l}`, `b${l}`], `Z${l}`, { transB: 1 }]);
    if (l < dims.length - 2) nodes.push(['Relu', [`Z${l}`], `A${l}`]);
    below.push(`A${l}`);
  }
  return { nodes, below };
}

async function prepareInference(job, folder) {
  const { dims, m, features } = job;
  const { nodes } = forwardNodes(dims, 'X');
  const weights = weightsOf(job, folder);
  const layers = dims.slice(1);
  const session = await start({
    nodes: [
      ['Cast', ['bytes'], 'wide', { to: 1 }],
      ['Mul', ['wide', 'scale'], 'X'],
      ...nodes,
      ['Sigmoid', [`Z${layers.length - 1}`], 'p'],
    ],
    inputs: [['bytes', 'uint8', [block, features]]],
    outputs: [['p', 'float32', [block, 1]]],
    constants: [
      ['scale', Float32Array.of(1 / 255), []],
      ...layers.flatMap((units, l) => [
        [`W${l}`, weights[l], [units, dims[l]]],
        [`b${l}`, new Float32Array(units), [units]],
      ]),
    ],
  });
  const pixels = pixelsOf(job, folder);
  return {
    async run() {
      const p = new Float32Array(m);
      for (let first = 0; first < m; first += block) {
        const part = pixels.subarray(first * features, (first + block) * features);
        const answer = await session.run({ bytes: new Tensor('uint8', part, [block, features]) });
        p.set(answer.p.data, first);
      }
      return p;
    },
    check: summaryOf,
  };
}

/** Names and shapes of what a step moves; with Adam each has two more. */
function parametersOf({ dims, adam }) {
  const layers = dims.slice(1).flatMap((units, l) => [
    [`W${l}`, [units, dims[l]]],
    [`b${l}`, [units]],
  ]);
  const state = adam ? ['v', 's'].flatMap((slot) => layers.map(([name, shape]) => [`${slot}${name}`, shape])) : [];
  return [...layers, ...state];
}

function trainingModel(job) {
  const { dims, batch, features, adam } = job;
  const last = dims.length - 2;
  const { nodes, below } = forwardNodes(dims, 'X');
  // the cost: mean of softplus(z) − y z; dZ = (σ(z) − y) / m
  nodes.push(['Softplus', [`Z${last}`], 'softplus'], ['Mul', ['Y', `Z${last}`], 'yz'], ['Sub', ['softplus', 'yz'], 'costs']);
  nodes.push(['ReduceMean', ['costs'], 'cost', { keepdims: 0 }], ['Sigmoid', [`Z${last}`], 'p'], ['Sub', ['p', 'Y'], 'p-y']);
  nodes.push(['Mul', ['p-y', '1/m'], `dZ${last}`]);
  for (let l = last; l >= 0; l--) {
    nodes.push(['ReduceSum', [`dZ${l}`, 'rows'], `db${l}`, { keepdims: 0 }]);
    nodes.push(...(adam ? adamNodes(l, below[l]) : descentNodes(l, below[l], job.rate)));
    if (l === 0) continue;
    nodes.push(['Gemm', [`dZ${l}`, `W${l}`], `dA${l - 1}`], ['Greater', [below[l], 'zero'], `on${l - 1}`]);
    nodes.push(['Where', [`on${l - 1}`, `dA${l - 1}`, 'zero'], `dZ${l - 1}`]);
  }
  const parameters = parametersOf(job);
  const scalar = (value) => Float32Array.of(value);
  return {
    nodes,
    inputs: [
      ['X', 'float32', [batch, features]],
      ['Y', 'float32', [batch, 1]],
      ...(adam
        ? [
            ['step', 'float32', []],
            ['root', 'float32', []],
          ]
        : []),
      ...parameters.map(([name, shape]) => [name, 'float32', shape]),
    ],
    outputs: [['cost', 'float32', []], ...parameters.map(([name, shape]) => [`new ${name}`, 'float32', shape])],
    constants: [
      ['1/m', scalar(1 / batch), []],
      ['zero', scalar(0), []],
      ['rows', BigInt64Array.of(0n), [1]],
      ...(adam
        ? Object.entries({ beta1: 0.9, gain1: 0.1, beta2: 0.999, gain2: 0.001, epsilon: 1e-8 }).map(([name, value]) => [
            name,
            scalar(value),
            [],
          ])
        : [['rate', scalar(job.rate), []]]),
    ],
  };
}

function descentNodes(l, input, rate) {
  return [
    ['Gemm', [`dZ${l}`, input, `W${l}`], `new W${l}`, { transA: 1, alpha: { float: -rate } }],
    ['Mul', [`db${l}`, 'rate'], `step b${l}`],
    ['Sub', [`b${l}`, `step b${l}`], `new b${l}`],
  ];
}

/** v = β1 v + (1 − β1) g, s = β2 s + (1 − β2) g², p −= step · v / (√s · root + ε), with step = α/(1 − β1ᵗ), root = 1/√(1 − β2ᵗ) */
function adamNodes(l, input) {
  const moved = (name) => [
    ['Mul', [`v${name}`, 'beta1'], `v${name} kept`],
    ['Mul', [`d${name}`, 'gain1'], `v${name} gained`],
    ['Add', [`v${name} kept`, `v${name} gained`], `new v${name}`],
    ['Mul', [`s${name}`, 'beta2'], `s${name} kept`],
    ['Mul', [`d${name}`, `d${name}`], `${name} squared`],
    ['Mul', [`${name} squared`, 'gain2'], `s${name} gained`],
    ['Add', [`s${name} kept`, `s${name} gained`], `new s${name}`],
    ['Sqrt', [`new s${name}`], `${name} root`],
    ['Mul', [`${name} root`, 'root'], `${name} corrected`],
    ['Add', [`${name} corrected`, 'epsilon'], `${name} below`],
    ['Div', [`new v${name}`, `${name} below`], `${name} direction`],
    ['Mul', [`${name} direction`, 'step'], `${name} step`],
    ['Sub', [name, `${name} step`], `new ${name}`],
  ];
  return [['Gemm', [`dZ${l}`, input], `dW${l}`, { transA: 1 }], ...moved(`W${l}`), ...moved(`b${l}`)];
}

async function prepareTraining(job, folder) {
  const { batch, features, adam, rate } = job;
  const session = await start(trainingModel(job));
  const parameters = parametersOf(job);
  const { x, y, weights } = floatsOf(job, folder);
  const zeros = (shape) => tensor(new Float32Array(shape.reduce((product, length) => product * length, 1)), shape);
  const size = (name, shape) => (/^W/.test(name) ? tensor(weights[name.slice(1)].slice(), shape) : zeros(shape));
  let [now, next, taken] = [];

  function restart() {
    now = Object.fromEntries(parameters.map(([name, shape]) => [name, size(name, shape)]));
    next = Object.fromEntries(parameters.map(([name, shape]) => [`new ${name}`, zeros(shape)]));
    taken = 0;
  }

  async function step() {
    const first = firstOf(job, taken++);
    const t = taken;
    const X = tensor(x.subarray(first * features, (first + batch) * features), [batch, features]);
    const Y = tensor(y.subarray(first, first + batch), [batch, 1]);
    const corrections = adam
      ? {
          step: tensor(Float32Array.of(rate / (1 - 0.9 ** t)), []),
          root: tensor(Float32Array.of(1 / Math.sqrt(1 - 0.999 ** t)), []),
        }
      : {};
    const answer = await session.run({ X, Y, ...corrections, ...now }, { cost: null, ...next });
    const given = Object.fromEntries(parameters.map(([name]) => [name, answer[`new ${name}`]]));
    next = Object.fromEntries(parameters.map(([name]) => [`new ${name}`, now[name]]));
    now = given;
    return answer.cost.data[0];
  }

  restart();
  const whole = job.kind === 'whole';
  return {
    async run(count) {
      if (whole) restart();
      const costs = [];
      for (let i = 0; i < count; i++) costs.push(await step());
      return costs;
    },
    whole,
    check: (costs) => (whole ? everyHundredth(costs) : costs.slice(-1)),
  };
}
