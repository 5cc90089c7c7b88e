// This project as a competitor: a step of a job in one form and precision, over the built library.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kernelsFor } from '../dist/kernels/select.js';
import { createWorkspace } from '../dist/model/forward.js';
import { bufferLength, parameterSegments, parametersOver } from '../dist/model/network.js';
import { costAndGradient, piecesOf } from '../dist/model/pieces.js';
import { dualProblem } from '../dist/training/dual.js';
import { directProblem } from '../dist/training/problem.js';

export const rates = { J1: 0.0075, J2: 0.0003, J3: 0.001, L: 0.0003 };

/** @returns a function that makes step k and gives its cost; `preparation` in milliseconds is on it */
export function prepare(job, folder, { precision, form, arithmetic = 'strict' }) {
  const kernels = kernelsFor(precision, arithmetic).scope();
  const { m, features, dims, batch } = job;
  const layers = dims.slice(1).map((units) => ({
    units,
    activation: 'relu',
    slope: 0,
    init: { name: 'zeros', factor: 0 },
    keepProb: 1,
    batchNorm: false,
  }));
  const network = { inputs: features, layers };
  const given = parametersOver(network, kernels.floats(bufferLength(parameterSegments(network))));
  const file = readFileSync(join(folder, `weights-${job.name}.bin`));
  const first = new Float64Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
  let at = 0;
  for (const { weights } of given.layers) {
    weights.set(first.subarray(at, at + weights.length));
    at += weights.length;
  }
  const part = {
    pixels: new Uint8Array(readFileSync(join(folder, 'pixels.bin')).subarray(0, m * features)),
    labels: new Uint8Array(readFileSync(join(folder, 'labels.bin')).subarray(0, m)),
  };
  const map = { multiply: new Float64Array(features).fill(1 / 255), add: new Float64Array(features) };
  const started = performance.now();
  const make = form === 'dual' ? dualProblem : directProblem;
  const problem = make({ network, parameters: given, map, train: part, dev: null }, kernels);
  const preparation = performance.now() - started;
  const { parameters, network: own } = problem;
  const like = () => kernels.floats(parameters.values.length);
  const gradient = parametersOver(own, like());
  const [velocities, squares] = job.adam ? [like(), like()] : [null, null];
  const workspace = createWorkspace(own, kernels, batch);
  const indices = new Int32Array(batch);

  function step(k) {
    let [input, labels] = [problem.train.rows(null, m), part.labels];
    if (batch < m) {
      const from = (k * batch) % (m - batch + 1);
      for (let i = 0; i < batch; i++) indices[i] = from + i;
      input = problem.train.rows(indices, batch);
      labels = part.labels.subarray(from, from + batch);
    }
    const pass = { network: own, parameters, kernels, workspace, input, mode: { kind: 'training', masks: null } };
    const pieces = piecesOf(pass);
    const fuses = form === 'direct' && pieces.length === 1;
    const targets = { loss: 'crossEntropy', labels, classWeights: [1, 1] };
    const cost = costAndGradient(pass, targets, gradient, { pieces, down: fuses ? 1 : 0 });
    const t = k + 1;
    const once = { rate: rates[job.name], beta1: 0, beta2: 0, correction1: 1, correction2: 1, inside: 0, outside: 1e-8 };
    const numbers = job.adam
      ? { ...once, beta1: 0.9, beta2: 0.999, correction1: 1 / (1 - 0.9 ** t), correction2: 1 / (1 - 0.999 ** t) }
      : once;
    const first = fuses ? parameters.layers[0].weights.length : 0;
    if (fuses) {
      const averages = { velocities: velocities?.subarray(0, first) ?? null, squares: squares?.subarray(0, first) ?? null };
      const { weights } = parameters.layers[0];
      const [dZ, units] = [workspace.layers[0].dZ, own.layers[0].units];
      kernels.stepWeights({ input, dZ, units, weights, ...averages, decay: 0, wantsNorms: false, ...numbers });
    }
    const rest = (array) => array?.subarray(first) ?? null;
    kernels.moveParameters({
      values: rest(parameters.values),
      gradient: rest(gradient.values),
      velocities: rest(velocities),
      squares: rest(squares),
      ...numbers,
    });
    return cost;
  }
  return Object.assign(step, { preparation, release: () => kernels.release() });
}
