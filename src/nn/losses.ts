import { sigmoid, softplus } from '../elementary.ts';
import type { LossRule } from '../kernels/kernels.ts';

/** The loss of one example from its logit z, with ŷ = σ(z), and its derivative with respect to z. */
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
    value: (z, y) => softplus(y === 1 ? -z : z),
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
