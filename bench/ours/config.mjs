// A job as a config of the project, with its data. Nothing of the library is loaded here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param settings  precision, form and whatever else of a config sets our competitors apart */
export function configOf(job, { form, ...settings }, epochs) {
  const { dims, m, batch, adam, rate, evaluateEvery } = job;
  return {
    ...settings,
    data: { source: { type: 'drawn', count: m }, imageSize: 64, normalize: 'scale' },
    model: { layers: dims.slice(1, -1).map((units) => ({ units, activation: 'relu' })) },
    training: {
      form,
      epochs,
      batchSize: batch === m ? 'full' : batch,
      learningRate: rate,
      optimizer: { name: adam ? 'adam' : 'gradientDescent' },
      evaluateEvery: evaluateEvery ?? epochs,
    },
  };
}

/** The pictures as the library holds them. */
export function examplesOf({ name, features }, folder) {
  const pixels = new Uint8Array(readFileSync(join(folder, `pixels-${name}.bin`)));
  const labels = new Uint8Array(readFileSync(join(folder, `labels-${name}.bin`)));
  const names = Array.from(labels, (_, i) => String(i));
  return { features, pixels, labels, names, hashes: names };
}

/** The first weights as the library's buffer of parameters holds them: W and b, layer by layer. */
export function firstValues({ name, dims }, folder) {
  const file = readFileSync(join(folder, `weights-${name}.bin`));
  const weights = new Float64Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
  const values = new Float64Array(weights.length + dims.slice(1).reduce((sum, units) => sum + units, 0));
  let [from, to] = [0, 0];
  for (const [l, units] of dims.slice(1).entries()) {
    const length = units * dims[l];
    values.set(weights.subarray(from, from + length), to);
    from += length;
    to += length + units;
  }
  return values;
}
