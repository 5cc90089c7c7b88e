import { expect, test } from 'vitest';
import { kernelsFor } from '../../src/kernels/select.ts';
import { move, type OptimizerName, optimizerOptions, optimizers, stepBy } from '../../src/optimize/optimizers.ts';
import { numpyRandom } from '../../src/random.ts';

/** `direct` and `move` are the definition; the kernels do the same in one pass. */
test.each(Object.keys(optimizers) as OptimizerName[])('%s by the kernels is what its formula says', (name) => {
  const kernels = kernelsFor('float64');
  const options = optimizerOptions({ name });
  const [start, end, learningRate] = [3, 1003, 0.05];
  const make = () => {
    const random = numpyRandom(3);
    const state = Array.from({ length: optimizers[name].slots }, () => new Float64Array(1010));
    return {
      random,
      values: Float64Array.from({ length: 1010 }, () => random.normal()),
      gradient: new Float64Array(1010),
      state,
    };
  };
  const [plain, fast] = [make(), make()];
  for (let t = 1; t <= 5; t++) {
    for (const each of [plain, fast]) for (let i = 0; i < 1010; i++) each.gradient[i] = each.random.normal();
    optimizers[name].direct({ ...plain, start, end, t }, options);
    move(plain.values, plain.gradient, { start, end, learningRate, byColumn: null });
    stepBy(kernels, name, { ...fast, start, end, t }, { ...options, values: fast.values, learningRate });
    for (const array of ['values', 'gradient'] as const) {
      for (const [i, value] of plain[array].entries()) {
        expect(Math.abs(fast[array][i]! - value)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(value)));
      }
    }
  }
});
