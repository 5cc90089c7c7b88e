import type { Kernels } from '../kernels.ts';
import type { Engine } from './engine.ts';

/** Pieces begin at multiples of this: whole vectors, and more than one thread is worth. */
const grain = 4096;
/** BLOCK of assembly/vectors.ts. */
const block = 4096;
/** What a step costs a number, in multiplications: it is memory that it waits for. */
const weight = 8;

/** Work on long vectors, such as all parameters. */
export function vectors(engine: Engine): Pick<Kernels, 'optimizerStep' | 'addScaled' | 'squaredNorm'> {
  const { memory } = engine;
  return {
    optimizerStep({ values, gradient, firstMoment, secondMoment, learningRate, ...numbers }) {
      engine.inFrame((frame) => {
        engine.run({
          kind: 'moveParameters',
          ...numbers,
          learningRate,
          gradient: frame.update(gradient),
          velocity: firstMoment === null ? 0 : frame.update(firstMoment),
          squares: secondMoment === null ? 0 : frame.update(secondMoment),
          out: frame.update(values),
          end: values.length,
          grain,
          work: weight * values.length,
        });
      });
    },
    addScaled({ values, factor, out }) {
      engine.inFrame((frame) => {
        const input = frame.input(values, values.length);
        const [to, end, work] = [frame.update(out), values.length, weight * values.length];
        engine.run({ kind: 'addScaled', input, scale: factor, out: to, end, grain, work });
      });
    },
    squaredNorm(values) {
      const blocks = Math.ceil(values.length / block);
      let sum = 0;
      engine.inFrame((frame) => {
        const out = frame.room(blocks * Float64Array.BYTES_PER_ELEMENT);
        const input = frame.input(values, values.length);
        const work = weight * values.length;
        engine.run({ kind: 'squaredNorms', input, count: values.length, out, end: blocks, grain: 1, work });
        for (let b = 0; b < blocks; b++) sum += memory.numberAt(out + b * Float64Array.BYTES_PER_ELEMENT);
      });
      return sum;
    },
  };
}
