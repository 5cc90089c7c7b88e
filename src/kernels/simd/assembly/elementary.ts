/**
 * exp, ln(1 + x), tanh and σ, operation by operation those of src/elementary.ts, and so the same to the bit
 * (test/kernels/elementwise.test.ts): exp within 2 ulp, tanh within 4.
 */

const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
const INVERSE_LN2: f64 = 1 / Math.LN2;

export function exp(x: f64): f64 {
  if (x !== x) return x;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019412) return 0;
  const k = floor<f64>(x * INVERSE_LN2 + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  return scale(1 + expMinusOneSeries(r), <i32>k);
}

/** Σ r^k / k! for k from 1 to 14. The numbers stand here one by one: a table would lie in the host's memory. */
function expMinusOneSeries(r: f64): f64 {
  let sum: f64 = 1 / 87178291200.0;
  sum = sum * r + 1 / 6227020800.0;
  sum = sum * r + 1 / 479001600.0;
  sum = sum * r + 1 / 39916800.0;
  sum = sum * r + 1 / 3628800.0;
  sum = sum * r + 1 / 362880.0;
  sum = sum * r + 1 / 40320.0;
  sum = sum * r + 1 / 5040.0;
  sum = sum * r + 1 / 720.0;
  sum = sum * r + 1 / 120.0;
  sum = sum * r + 1 / 24.0;
  sum = sum * r + 1 / 6.0;
  sum = sum * r + 1 / 2.0;
  return r + r * r * sum;
}

function scale(y: f64, k: i32): f64 {
  if (k > 1000) return y * power2(k - 1000) * power2(1000);
  if (k < -1000) return y * power2(k + 1000) * power2(-1000);
  return y * power2(k);
}

function power2(k: i32): f64 {
  return reinterpret<f64>((<i64>(k + 1023)) << 52);
}

export function tanh(x: f64): f64 {
  if (x !== x) return x;
  const size = x < 0 ? -x : x;
  if (size > 22) return x < 0 ? -1 : 1;
  if (size < 1e-8) return x;
  const minusOne = 2 * size < LN2_HIGH / 2 ? expMinusOneSeries(2 * size) : exp(2 * size) - 1;
  const value = minusOne / (minusOne + 2);
  return x < 0 ? -value : value;
}

export function sigmoid(x: f64): f64 {
  if (x >= 0) return 1 / (1 + exp(-x));
  const e = exp(x);
  return e / (1 + e);
}

/** ln(1 + x) for x from 0 to 1. */
export function log1p(x: f64): f64 {
  if (x < 0.41) return logSum(0, x);
  const sum = 1 + x;
  return sum > Math.SQRT2 ? logSum(1, sum / 2 - 1) : logSum(0, sum - 1);
}

function logSum(k: f64, f: f64): f64 {
  const s = f / (2 + f);
  const square = s * s;
  let series: f64 = (2 / 23.0) * square;
  series = (series + 2 / 21.0) * square;
  series = (series + 2 / 19.0) * square;
  series = (series + 2 / 17.0) * square;
  series = (series + 2 / 15.0) * square;
  series = (series + 2 / 13.0) * square;
  series = (series + 2 / 11.0) * square;
  series = (series + 2 / 9.0) * square;
  series = (series + 2 / 7.0) * square;
  series = (series + 2 / 5.0) * square;
  series = (series + 2 / 3.0) * square;
  return k * LN2_HIGH + (f - s * (f - series) + k * LN2_LOW);
}
