import { sigmoid, softplus } from '../elementary.ts';
import type { LossRule } from '../kernels/kernels.ts';

/** The loss of one example from its logit z, with ŷ = σ(z), and its derivative with respect to z; y is 0, 1, or a target between them. */
export interface Loss extends LossRule {
  summary: string;
  /** in the course's notation, for `nn graph` */
  formulas: { value: string; gradient: string };
}

const entries = {
  crossEntropy: {
    name: 'crossEntropy',
    formulas: { value: '−Y ln Ŷ − (1 − Y) ln(1 − Ŷ)', gradient: 'Ŷ − Y' },
    summary: '−y ln ŷ − (1 − y) ln(1 − ŷ), from the logit, so that it never overflows',
    // a label takes one term alone: the other is 0 times what may be beyond all numbers
    value: (z, y) => (y === 1 || y === 0 ? softplus(y === 1 ? -z : z) : y * softplus(-z) + (1 - y) * softplus(z)),
    derivative: (z, y) => sigmoid(z) - y,
  },
  squaredError: {
    name: 'squaredError',
    formulas: { value: '½ (Ŷ − Y)²', gradient: '(Ŷ − Y) ∘ Ŷ ∘ (1 − Ŷ)' },
    summary: '½(ŷ − y)²',
    value: (z, y) => ((sigmoid(z) - y) * (sigmoid(z) - y)) / 2,
    derivative: (z, y) => {
      const p = sigmoid(z);
      return (p - y) * p * (1 - p);
    },
  },
} satisfies Record<string, Loss>;

export type LossName = keyof typeof entries;
export const losses: Record<LossName, Loss> = entries;

/** The targets that smoothing makes of the labels 0 and 1: y(1 − s) + (1 − y)s. Null without any, where labels are the targets.
 *  @param s  the share of a label that goes to the other class, from 0 to below ½
 *  @see Szegedy et al. 2016, section 7; theirs is shared among all classes, and so twice this for two */
export function smoothedTargets(s: number): readonly [number, number] | null {
  return s === 0 ? null : [s, 1 - s];
}

/** L and ∂L/∂z as training takes them.
 *  @param targets  what stands for each label, from 0; null where labels are the targets. Kernels know no such rule by name, and take the
 *                  reference's: one number an example, beside a whole network */
export function lossRule(loss: LossName, targets: readonly number[] | null | undefined): LossRule {
  const { name, value, derivative } = losses[loss];
  if (!targets) return losses[loss];
  return {
    name: `${name} of soft targets`,
    value: (z, label) => value(z, targets[label]!),
    derivative: (z, label) => derivative(z, targets[label]!),
  };
}
