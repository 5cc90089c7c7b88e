// The data of a job for peers in JavaScript: float32, as they take it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @returns x (m, n_x), y (m), W of each layer (n_out, n_in) */
export function floatsOf(job, folder) {
  const { features, m } = job;
  const pixels = pixelsOf(job, folder);
  const x = new Float32Array(m * features);
  for (let i = 0; i < x.length; i++) x[i] = pixels[i] / 255;
  return { x, y: Float32Array.from(readFileSync(join(folder, `labels-${job.name}.bin`))), weights: weightsOf(job, folder) };
}

export function pixelsOf({ name, m, features }, folder) {
  return new Uint8Array(readFileSync(join(folder, `pixels-${name}.bin`))).subarray(0, m * features);
}

export function weightsOf({ name, dims }, folder) {
  const file = readFileSync(join(folder, `weights-${name}.bin`));
  const all = new Float64Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
  let at = 0;
  return dims.slice(1).map((units, l) => Float32Array.from(all.subarray(at, (at += units * dims[l]))));
}

/** The first picture of step k. */
export const firstOf = ({ m, batch }, k) => (batch < m ? (k * batch) % (m - batch + 1) : 0);
