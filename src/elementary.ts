/**
 * exp, log and tanh in plain arithmetic. JavaScript leaves the last bits of Math.exp and its like to the
 * host; IEEE 754 fixes + − × ÷ and √ to the bit, so results made of these alone are the same on every machine.
 * exp and log are within 2 ulp of the true value, tanh within 4 (test/elementary.test.ts measures it).
 */

const LN2_HIGH = 0.6931471803691238; // ln 2 cut to 32 bits: k · LN2_HIGH is exact for |k| < 2^20
const LN2_LOW = 1.9082149292705877e-10; // ln 2 − LN2_HIGH
const INVERSE_LN2 = 1 / Math.LN2;

const scratch = new Float64Array(1);
const words = new Int32Array(scratch.buffer); // little-endian, as every machine that Node runs on

/** 1/k!, for k = 0 … 14. */
const INVERSE_FACTORIALS = (() => {
  const out = new Float64Array(15);
  let factorial = 1;
  for (let k = 0; k < out.length; k++) {
    factorial *= Math.max(1, k);
    out[k] = 1 / factorial;
  }
  return out;
})();

/** 2/3, 2/5 … 2/23. */
const TWO_BY_ODD = Float64Array.from({ length: 11 }, (_, i) => 2 / (2 * i + 3));

/** e^x. x = k ln 2 + r with |r| ≤ ln 2 / 2, then Taylor's series for e^r (14 terms leave 4e-18). */
export function exp(x: number): number {
  if (x !== x) return x;
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
  if (x < -745.1332191019412) return 0;
  const k = Math.floor(x * INVERSE_LN2 + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  return scale(1 + expMinusOneSeries(r), k);
}

/** ln x. x = 2^k (1 + f) with √½ ≤ 1 + f < √2, then ln(1 + f) = 2 artanh(f / (2 + f)) by its series. */
export function log(x: number): number {
  if (x !== x || x < 0) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  let k = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984; // 2^54 makes a subnormal number normal
    k = -54;
  }
  scratch[0] = x;
  const high = words[1]!;
  k += (high >>> 20) - 1023;
  words[1] = (high & 0x000fffff) | 0x3ff00000;
  let mantissa = scratch[0]!;
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    k += 1;
  }
  return logSum(k, mantissa - 1);
}

/** ln(1 + x), right also where x is tiny. */
export function log1p(x: number): number {
  if (x > -0.29 && x < 0.41) return logSum(0, x);
  return log(1 + x);
}

/** tanh x = (e^2x − 1) / (e^2x + 1), through e^2x − 1 so that small x keep their digits. */
export function tanh(x: number): number {
  if (x !== x) return x;
  const size = x < 0 ? -x : x;
  if (size > 22) return x < 0 ? -1 : 1;
  if (size < 1e-8) return x;
  const minusOne = 2 * size < LN2_HIGH / 2 ? expMinusOneSeries(2 * size) : exp(2 * size) - 1;
  const value = minusOne / (minusOne + 2);
  return x < 0 ? -value : value;
}

/** σ(x) = 1 / (1 + e^−x), by whichever of two equal forms does not overflow. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + exp(-x));
  const e = exp(x);
  return e / (1 + e);
}

/** ln(1 + e^x) without overflow: the cross-entropy of a logit. */
export function softplus(x: number): number {
  return (x > 0 ? x : 0) + log1p(exp(x > 0 ? -x : x));
}

/** cos(πx), by its series about the nearest multiple of π/2; within 2 ulp of 1. */
export function cosPi(x: number): number {
  const turn = Math.abs(x) % 2;
  const half = turn > 1 ? 2 - turn : turn; // cos(2π − t) = cos t
  return half > 0.5 ? -cosSeries(1 - half) : cosSeries(half);
}

/** sin(πx) = cos(π(x − ½)). */
export function sinPi(x: number): number {
  return cosPi((x % 2) - 0.5);
}

/** cos(πx) for 0 ≤ x ≤ ½: Taylor's series, whose next term is below 10⁻²¹. */
function cosSeries(x: number): number {
  const square = Math.PI * x * (Math.PI * x);
  let sum = 1;
  for (let k = 24; k >= 2; k -= 2) sum = 1 - (square / (k * (k - 1))) * sum;
  return sum;
}

/** x to a whole power, by repeated squaring.
 *  @param n  0, 1, 2, … */
export function power(x: number, n: number): number {
  let result = 1;
  for (let factor = x, left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= factor;
    factor *= factor;
  }
  return result;
}

/** e^r − 1 for |r| ≤ 0.35. */
function expMinusOneSeries(r: number): number {
  let sum = INVERSE_FACTORIALS[14]!;
  for (let k = 13; k >= 2; k--) sum = sum * r + INVERSE_FACTORIALS[k]!;
  return r + r * r * sum;
}

/** k ln 2 + ln(1 + f), for 1 + f between √½ and √2. */
function logSum(k: number, f: number): number {
  const s = f / (2 + f);
  const square = s * s;
  let series = 0;
  for (let i = 10; i >= 0; i--) series = (series + TWO_BY_ODD[i]!) * square;
  // ln(1 + f) = 2s + s·series, and 2s = f − s·f; the last form keeps the digits of f
  return k * LN2_HIGH + (f - s * (f - series) + k * LN2_LOW);
}

/** y · 2^k, in two steps where the result is subnormal or the power alone would overflow. */
function scale(y: number, k: number): number {
  if (k > 1000) return y * power2(k - 1000) * power2(1000);
  if (k < -1000) return y * power2(k + 1000) * power2(-1000);
  return y * power2(k);
}

function power2(k: number): number {
  words[0] = 0;
  words[1] = (k + 1023) << 20;
  return scratch[0]!;
}
