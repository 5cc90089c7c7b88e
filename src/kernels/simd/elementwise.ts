import { type Elementwise, plainElementwise } from '../elementwise.ts';
import type { Floats } from '../kernels.ts';
import type { Engine } from './engine.ts';
import type { Frame } from './frame.ts';

/** What assembly/elementwise.ts knows, in its order; a rule of another name is computed one number after the other by its own functions. */
const activationRules = ['sigmoid', 'tanh', 'relu', 'leakyRelu', 'linear'];
export const lossRules = ['crossEntropy', 'squaredError'];

/** Numbers of a range that threads share begin at multiples of this. */
const grain = 1024;
/** What a number costs, in multiplications: little, but for exp. */
const weight = 8;

export function elementwise(engine: Engine): Elementwise {
  const { memory } = engine;
  const optional = (frame: Frame, array: Floats | null, length: number) => (array === null ? 0 : frame.input(array, length));
  return {
    activate(options) {
      const { slope, z, a, mask, length } = options;
      const rule = activationRules.indexOf(options.rule.name);
      if (rule < 0) return plainElementwise.activate(options);
      engine.inFrame((frame) => {
        const input = frame.input(z, length);
        const weights = optional(frame, mask, length);
        const out = frame.output(a, length);
        engine.run({ kind: 'activate', rule, scale: slope, input, weights, out, end: length, grain, work: weight * length });
      });
    },

    activationGradient(options) {
      const { slope, z, a, dZ, mask, keepProb, length } = options;
      const rule = activationRules.indexOf(options.rule.name);
      if (rule < 0) return plainElementwise.activationGradient(options);
      engine.inFrame((frame) => {
        engine.run({
          kind: 'activationGradient',
          rule,
          scale: slope,
          decay: keepProb,
          input: frame.input(z, length),
          gradient: frame.input(a, length),
          weights: optional(frame, mask, length),
          out: frame.update(dZ.length === length ? dZ : dZ.subarray(0, length)),
          end: length,
          grain,
          work: weight * length,
        });
      });
    },

    lossGradient(options) {
      const { z, labels, weights, count, m, dZ } = options;
      const rule = lossRules.indexOf(options.rule.name);
      if (rule < 0) return plainElementwise.lossGradient(options);
      let sum = 0;
      engine.inFrame((frame) => {
        const facts = frame.room(Float64Array.BYTES_PER_ELEMENT);
        const [input, indices] = [frame.input(z, count), frame.input(labels, count)];
        const [beta1, beta2] = weights;
        const out = frame.output(dZ, count);
        engine.run({
          kind: 'lossGradient',
          rule,
          input,
          indices,
          features: m,
          beta1,
          beta2,
          out,
          facts,
          end: count,
          grain: count,
          work: 0,
        });
        sum = memory.numberAt(facts);
      });
      return sum;
    },

    sumExamples({ values, count, units, out, adds }) {
      engine.inFrame((frame) => {
        const input = frame.input(values, count * units);
        const to = adds ? frame.update(out) : frame.output(out, units);
        engine.run({ kind: 'sumExamples', input, count, units, accumulate: adds, out: to, end: units, grain: units, work: 0 });
      });
    },

    batchNorm({ z, count, gamma, beta, mean, variance, epsilon, normalized }) {
      const units = gamma.length;
      engine.inFrame((frame) => {
        engine.run({
          kind: 'normalizeBatch',
          count,
          units,
          epsilonInsideRoot: epsilon,
          weights: frame.input(gamma, units),
          bias: frame.input(beta, units),
          velocity: frame.output(mean, units),
          squares: frame.output(variance, units),
          gradient: frame.output(normalized, count * units),
          out: frame.update(z.subarray(0, count * units)),
          end: units,
          grain: units,
          work: 0,
        });
      });
    },

    batchNormInference({ z, count, gamma, beta, mean, variance, epsilon }) {
      const units = gamma.length;
      engine.inFrame((frame) => {
        engine.run({
          kind: 'normalizeWith',
          count,
          units,
          epsilonInsideRoot: epsilon,
          weights: frame.input(gamma, units),
          bias: frame.input(beta, units),
          velocity: frame.input(mean, units),
          squares: frame.input(variance, units),
          out: frame.update(z.subarray(0, count * units)),
          end: units,
          grain: units,
          work: 0,
        });
      });
    },

    batchNormBackward({ dZ, count, gamma, variance, epsilon, normalized, gammaGradient, betaGradient }) {
      const units = gamma.length;
      engine.inFrame((frame) => {
        engine.run({
          kind: 'normalizeGradient',
          count,
          units,
          epsilonInsideRoot: epsilon,
          weights: frame.input(gamma, units),
          squares: frame.input(variance, units),
          gradient: frame.input(normalized, count * units),
          input: frame.output(gammaGradient, units),
          facts: frame.output(betaGradient, units),
          out: frame.update(dZ.subarray(0, count * units)),
          end: units,
          grain: units,
          work: 0,
        });
      });
    },
  };
}
