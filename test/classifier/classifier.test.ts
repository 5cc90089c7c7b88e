import { expect, test } from 'vitest';
import { logits } from '../../src/classifier/classifier.ts';
import { UserError } from '../../src/errors.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { parametersOver } from '../../src/nn/network.ts';

test('weights whose answer is no number are an error, not a picture without a cat', () => {
  const layer = {
    units: 1,
    activation: 'sigmoid',
    slope: 0,
    init: { name: 'zeros', factor: 1 },
    keepProb: 1,
    batchNorm: false,
  } as const;
  const network = { inputs: 12, layers: [layer] };
  const answerOf = (weight: number) => {
    const values = Float64Array.of(...Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? weight : -weight)), 0);
    const scaling = { scale: new Float64Array(12).fill(1), shift: new Float64Array(12) };
    const classifier = { network, parameters: parametersOver(network, values), scaling };
    return logits(classifier, referenceKernels('float64'), new Uint8Array(12).fill(255))[0];
  };
  expect(answerOf(1)).toBe(0);
  expect(() => answerOf(1e308)).toThrow(UserError);
  expect(() => answerOf(1e308)).toThrow(/whose answer is no number/);
});
