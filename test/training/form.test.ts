import { describe, expect, test } from 'vitest';
import { chooseForm, refusalOfDual } from '../../src/nn/input/choose.ts';

const course = { features: 12_288, units: 20, train: 209, dev: 0, epochs: 2500, evaluateEvery: 1 };

describe('the form of the first layer', () => {
  test('is dual for few pictures and many epochs', () => {
    expect(chooseForm('auto', null, course)).toEqual({
      form: 'dual',
      why: '2.8 billion multiplications in dual form, 260 in direct form',
    });
  });

  test('is direct where the inner products would cost more than they save', () => {
    expect(chooseForm('auto', null, { ...course, epochs: 4 }).form).toBe('direct');
    expect(chooseForm('auto', null, { ...course, train: 30_000 }).form).toBe('direct');
  });

  test('is direct where the inner products would not fit', () => {
    const many = { ...course, features: 150_528, train: 12_000, epochs: 100_000 };
    expect(chooseForm('auto', null, many)).toMatchObject({ form: 'direct', why: expect.stringContaining('MB') });
  });

  test('is what the config says, where it applies', () => {
    expect(chooseForm('direct', null, course).form).toBe('direct');
    expect(chooseForm('dual', null, { ...course, epochs: 1 }).form).toBe('dual');
  });

  test('is dual only where no field of the training needs the weights themselves', () => {
    const plain = {
      optimizer: 'momentum',
      clips: false,
      byFeature: false,
      averages: false,
      mirrors: false,
      mixes: false,
      shrinks: false,
      augments: false,
      first: 'linear',
    } as const;
    expect(refusalOfDual(plain)).toBeNull();
    expect(refusalOfDual({ ...plain, averages: true })).toMatch(/^averageWeights /);
    expect(refusalOfDual({ ...plain, mixes: true })).toMatch(/^mixup /);
    expect(refusalOfDual({ ...plain, shrinks: true })).toMatch(/^progressive /);
    expect(refusalOfDual({ ...plain, mirrors: true })).toMatch(/^averageMirrored /);
    expect(refusalOfDual({ ...plain, clips: true })).toMatch(/^clipNorm /);
    expect(refusalOfDual({ ...plain, byFeature: true })).toMatch(/^learningRateByFeature /);
    expect(refusalOfDual({ ...plain, augments: true })).toMatch(/^augmentation /);
    expect(refusalOfDual({ ...plain, optimizer: 'adamw' })).toMatch(/^adamw /);
  });

  test('is direct, or refused, with an optimizer that leaves the span', () => {
    expect(chooseForm('auto', 'adam moves every weight at a rate of its own', course).form).toBe('direct');
    expect(() => chooseForm('dual', 'adam moves every weight at a rate of its own', course)).toThrow(
      'training.form: expected "direct" or "auto", found "dual", which does not apply: adam moves every weight',
    );
  });
});
