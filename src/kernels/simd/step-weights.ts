import type { BackwardAndStep, ByteBatch, Floats, Kernels, StepStatistics } from '../kernels.ts';
import { stepWeightsPlainly } from '../step-weights.ts';
import type { Engine } from './engine.ts';
import { placeMap } from './input-map.ts';
import { hasOneUnitKernels } from './one-unit.ts';
import { fitsWhole, placeWhole } from './rows.ts';

/** BLOCK of assembly/step.ts. */
const block = 768;
/** Numbers of 64 bits that each block of columns tells of itself. */
const facts = 3;

type Others = Pick<Kernels, 'linearGradWeights' | 'addScaled' | 'squaredNorm' | 'optimizerStep'>;

/** For a layer over bytes the gradient is applied block by block of its columns, while it is in the cache. */
export function weightSteps(engine: Engine, others: Others): Pick<Kernels, 'backwardAndStep'> {
  const { memory } = engine;

  function plainly(step: BackwardAndStep): StepStatistics {
    let found: StepStatistics | undefined;
    engine.inFrame((frame) => {
      const room = frame.room(step.weights.byteLength);
      found = stepWeightsPlainly(others, step, memory.view(step.weights, room, step.weights.length));
    });
    return found!;
  }

  return {
    backwardAndStep(step) {
      const { input, units } = step;
      const fuses = input.kind === 'bytes' && fitsWhole(memory, input) && !hasOneUnitKernels(engine, input, units);
      return fuses ? stepBytes(engine, step, input) : plainly(step);
    },
  };
}

function stepBytes(engine: Engine, step: BackwardAndStep, input: ByteBatch): StepStatistics {
  const { units, wantsNorms, weights, dZ, firstMoment: velocities, secondMoment: squares, ...numbers } = step;
  const { memory } = engine;
  const { count, features } = input;
  const blocks = Math.ceil(features / block);
  const sums = [0, 0, 0] as [number, number, number];
  engine.inFrame((frame) => {
    const optional = (array: Floats | null) => (array === null ? 0 : frame.update(array));
    const map = placeMap(engine, frame, input);
    const { input: bytes, indices } = placeWhole(memory, frame, input);
    const address = frame.room(blocks * facts * Float64Array.BYTES_PER_ELEMENT);
    engine.run({
      kind: 'stepWeightsBytes',
      ...numbers,
      ...map,
      input: bytes,
      indices,
      features,
      count,
      units,
      gradient: frame.input(dZ, count * units),
      velocity: optional(velocities),
      squares: optional(squares),
      out: frame.update(weights),
      facts: address,
      accumulate: wantsNorms,
      end: features,
      grain: block,
      work: count * units * features,
    });
    const told = memory.view(new Float64Array(), address, blocks * facts);
    for (const [i, value] of told.entries()) sums[i % facts]! += value;
  });
  const [gradient, direction, before] = sums;
  return { finite: Number.isFinite(gradient), squares: wantsNorms ? { gradient, direction, weights: before } : null };
}
