import { expect, test } from 'vitest';
import { startsFar } from '../../src/training/first-cost.ts';

test('a first cost far above ln 2 is told, with what to change', () => {
  for (const cost of [0, Math.LN2, 2, 6.9]) expect(startsFar(cost)).toBeNull();
  expect(startsFar(1816.2)).toMatch(/the cost starts at 1816, where 0\.69 is that of guessing: .*--set model\.init=auto/);
});
