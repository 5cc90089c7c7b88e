import { compiledRules } from '../bindings.ts';
import type { Elementwise } from '../kernels.ts';
import { referenceElementwise } from '../reference-elementwise.ts';
import type { Engine } from './engine.ts';

/** Numbers of a range that threads share begin at multiples of this. */
const grain = 1024;
/** What a number costs, in multiplications: little, but for exp. */
const weight = 8;

/** The number of a rule in the assembly, below 0 for one that it does not know: that is computed one number after the other. */
export const ruleNumber = (kind: keyof typeof compiledRules, { name }: { name: string }) =>
  (compiledRules[kind] as readonly string[]).indexOf(name);

export function elementwiseCalls(engine: Engine): Elementwise {
  const { memory } = engine;
  return {
    activate(options) {
      const { slope, z, a, mask, length } = options;
      const rule = ruleNumber('Activation', options.rule);
      if (rule < 0) return referenceElementwise.activate(options);
      engine.call('activate', { end: length, grain, work: weight * length }, (frame) => ({
        rule,
        slope,
        z: frame.input(z, length),
        mask: frame.input(mask, length),
        a: frame.output(a, length),
      }));
    },

    activationGradient(options) {
      const { slope, z, a, dZ, mask, keepProb, length } = options;
      const rule = ruleNumber('Activation', options.rule);
      if (rule < 0) return referenceElementwise.activationGradient(options);
      engine.call('activationGradient', { end: length, grain, work: weight * length }, (frame) => ({
        rule,
        slope,
        keepProb,
        z: frame.input(z, length),
        a: frame.input(a, length),
        mask: frame.input(mask, length),
        dZ: frame.inOut(dZ.length === length ? dZ : dZ.subarray(0, length)),
      }));
    },

    lossGradient(options) {
      const { z, labels, weights, count, m, dZ } = options;
      const rule = ruleNumber('Loss', options.rule);
      if (rule < 0) return referenceElementwise.lossGradient(options);
      let sum = 0;
      engine.inFrame((frame) => {
        const cost = frame.room(Float64Array.BYTES_PER_ELEMENT);
        const [weight0, weight1] = weights;
        const call = {
          rule,
          weight0,
          weight1,
          m,
          cost,
          z: frame.input(z, count),
          labels: frame.input(labels, count),
          dZ: frame.output(dZ, count),
        };
        engine.run('lossGradient', call, whole(count));
        [sum] = memory.sumBlocks(cost, 1, 1) as [number];
      });
      return sum;
    },

    sumExamples({ values, count, units, out, adds }) {
      engine.call('sumExamples', byUnits(units, count), (frame) => ({
        values: frame.input(values, count * units),
        count,
        units,
        accumulates: adds,
        out: adds ? frame.inOut(out) : frame.output(out, units),
      }));
    },

    batchNorm({ z, count, gamma, beta, mean, variance, epsilon, normalized }) {
      const units = gamma.length;
      engine.inFrame((frame) => {
        const own = { units, z: frame.inOut(z.subarray(0, count * units)), kept: frame.room(4 * units * sizeOfKept) };
        const statistics = {
          count,
          epsilon,
          gamma: frame.input(gamma, units),
          beta: frame.input(beta, units),
          mean: frame.output(mean, units),
          variance: frame.output(variance, units),
          ...own,
        };
        engine.run('batchNormStatistics', statistics, readByUnits(units, 2 * count));
        const normal = { normalized: frame.output(normalized, count * units), ...own };
        engine.run('batchNorm', normal, byExamples(count, 2 * units));
      });
    },

    batchNormInference({ z, count, gamma, beta, mean, variance, epsilon }) {
      const units = gamma.length;
      engine.call('batchNormInference', byUnits(units, count), (frame) => ({
        count,
        units,
        epsilon,
        gamma: frame.input(gamma, units),
        beta: frame.input(beta, units),
        mean: frame.input(mean, units),
        variance: frame.input(variance, units),
        z: frame.inOut(z.subarray(0, count * units)),
      }));
    },

    batchNormBackward({ dZ, count, gamma, variance, epsilon, normalized, gammaGradient, betaGradient }) {
      const units = gamma.length;
      engine.inFrame((frame) => {
        const own = {
          count,
          units,
          normalized: frame.input(normalized, count * units),
          dZ: frame.inOut(dZ.subarray(0, count * units)),
          kept: frame.room(3 * units * sizeOfKept),
        };
        const sums = {
          epsilon,
          gamma: frame.input(gamma, units),
          variance: frame.input(variance, units),
          gammaGradient: frame.output(gammaGradient, units),
          betaGradient: frame.output(betaGradient, units),
          ...own,
        };
        engine.run('batchNormGradients', sums, readByUnits(units, 2 * count));
        engine.run('batchNormBackward', own, byExamples(count, 2 * units));
      });
    },
  };
}

/** Units are shared in whole cache lines of their rows. @param each  what one of them costs, in numbers that are moved */
const byUnits = (units: number, each: number) => ({ end: units, grain: 16, ways: [1], work: moved * units * each });
/** The same where they are read alone, so that threads may share a line. */
const readByUnits = (units: number, each: number) => ({ ...byUnits(units, each), grain: 4 });
/** Rows are shared. */
const byExamples = (count: number, each: number) => ({ end: count, grain: 16, work: moved * count * each });
/** Bytes of what is kept of a unit, f64. */
const sizeOfKept = Float64Array.BYTES_PER_ELEMENT;
/** What it costs to move a number, in multiplications. */
const moved = 4;

/** A range that nobody shares. */
const whole = (end: number) => ({ end, grain: end, work: 0 });
