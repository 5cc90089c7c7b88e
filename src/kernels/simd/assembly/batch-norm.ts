import { Job } from './job';

/**
 * Batch norm of z (`out`), `count` examples of `units` numbers, for units first … end − 1; sums run over the examples in order, in f64.
 * The fields: γ in `weights`, β in `bias`, mean in `velocity`, variance in `squares`, z_norm in `gradient`; ε is `inside`.
 */

/** z ← γ z_norm + β, with the mean and the variance of this batch, which are kept. */
export function normalizeBatch(job: Job, first: i32, end: i32): void {
  const stride = <usize>job.units * sizeof<real>();
  const count = <f64>job.count;
  const bytes = <usize>job.count * stride;
  for (let u = first; u < end; u++) {
    const at = <usize>u * sizeof<real>();
    const column = job.out + at;
    let sum: f64 = 0;
    for (let i: usize = 0; i < bytes; i += stride) sum += <f64>load<real>(column + i);
    const mean = sum / count;
    let squares: f64 = 0;
    for (let i: usize = 0; i < bytes; i += stride) {
      const d = <f64>load<real>(column + i) - mean;
      squares += d * d;
    }
    const variance = squares / count;
    store<real>(job.velocity + at, <real>mean);
    store<real>(job.squares + at, <real>variance);
    const inverse = 1 / sqrt<f64>(variance + job.inside);
    const gamma = <f64>load<real>(job.weights + at);
    const beta = <f64>load<real>(job.bias + at);
    for (let i: usize = 0; i < bytes; i += stride) {
      const normalized = (<f64>load<real>(column + i) - mean) * inverse;
      store<real>(job.gradient + at + i, <real>normalized);
      store<real>(column + i, <real>(gamma * normalized + beta));
    }
  }
}

/** z ← γ (z − mean) / √(variance + ε) + β, with a mean and a variance that are given. */
export function normalizeWith(job: Job, first: i32, end: i32): void {
  const stride = <usize>job.units * sizeof<real>();
  const bytes = <usize>job.count * stride;
  for (let u = first; u < end; u++) {
    const at = <usize>u * sizeof<real>();
    const factor = <f64>load<real>(job.weights + at) / sqrt<f64>(<f64>load<real>(job.squares + at) + job.inside);
    const shift = <f64>load<real>(job.bias + at) - factor * <f64>load<real>(job.velocity + at);
    const column = job.out + at;
    for (let i: usize = 0; i < bytes; i += stride) store<real>(column + i, <real>(factor * <f64>load<real>(column + i) + shift));
  }
}

/** dγ (`input`) = Σ dz z_norm, dβ (`facts`) = Σ dz, and dz (`out`) becomes the gradient before batch norm, through mean and variance too. */
export function normalizeGradient(job: Job, first: i32, end: i32): void {
  const stride = <usize>job.units * sizeof<real>();
  const count = <f64>job.count;
  const bytes = <usize>job.count * stride;
  for (let u = first; u < end; u++) {
    const at = <usize>u * sizeof<real>();
    const column = job.out + at;
    const normalized = job.gradient + at;
    let sum: f64 = 0;
    let product: f64 = 0;
    for (let i: usize = 0; i < bytes; i += stride) {
      const d = <f64>load<real>(column + i);
      sum += d;
      product += d * <f64>load<real>(normalized + i);
    }
    store<real>(job.facts + at, <real>sum);
    store<real>(job.input + at, <real>product);
    const factor = <f64>load<real>(job.weights + at) / sqrt<f64>(<f64>load<real>(job.squares + at) + job.inside);
    for (let i: usize = 0; i < bytes; i += stride) {
      const n = <f64>load<real>(normalized + i);
      store<real>(column + i, <real>(factor * (<f64>load<real>(column + i) - sum / count - (n * product) / count)));
    }
  }
}
