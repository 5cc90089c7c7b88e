import { kernelConstants } from '../bindings.ts';
import type { BackwardAndStep, ByteBatch, Kernels, StepStatistics } from '../kernels.ts';
import { type GradientKernels, referenceBackwardAndStep } from '../reference.ts';
import type { Engine } from './engine.ts';
import { hasLogisticKernels } from './logistic-calls.ts';
import { fitsWhole, placeScaling, placeWhole } from './operands.ts';

/** Pieces begin at multiples of this: whole vectors, and more than one thread is worth. */
const grain = 4096;
/** What a step costs a number, in multiplications: it is memory that it waits for. */
const weight = 8;
const { NORM_BLOCK, STEP_BLOCK, STEP_STATISTICS } = kernelConstants;

/** Work on long vectors, such as all parameters. */
export function vectorCalls(engine: Engine): Pick<Kernels, 'optimizerStep' | 'addScaled' | 'squaredNorm'> {
  const { memory } = engine;
  return {
    optimizerStep({ values, gradient, firstMoment, secondMoment, biasCorrection1, biasCorrection2, ...coefficients }) {
      engine.call('optimizerStep', { end: values.length, grain, work: weight * values.length }, (frame) => ({
        gradient: frame.inOut(gradient),
        firstMoment: frame.inOut(firstMoment),
        secondMoment: frame.inOut(secondMoment),
        values: frame.inOut(values),
        biasCorrection1: 1 / biasCorrection1,
        biasCorrection2: 1 / biasCorrection2,
        ...coefficients,
      }));
    },
    addScaled({ values, factor, out }) {
      engine.call('addScaled', { end: values.length, grain, work: weight * values.length }, (frame) => ({
        values: frame.input(values, values.length),
        factor,
        out: frame.inOut(out),
      }));
    },
    squaredNorm(values) {
      const blocks = Math.ceil(values.length / NORM_BLOCK);
      let sum = 0;
      engine.inFrame((frame) => {
        const out = frame.room(blocks * Float64Array.BYTES_PER_ELEMENT);
        const call = { values: frame.input(values, values.length), count: values.length, out };
        engine.run('squaredNorms', call, { end: blocks, grain: 1, work: weight * values.length });
        [sum] = memory.sumBlocks(out, blocks, 1) as [number];
      });
      return sum;
    },
  };
}

/** For a layer over bytes the gradient is applied block by block of its columns, while it is in the cache. */
export function backwardAndStep(engine: Engine, others: GradientKernels): Kernels['backwardAndStep'] {
  const { memory } = engine;
  return (step) => {
    const { input, units, weights } = step;
    if (input.kind === 'bytes' && fitsWhole(memory, input) && !hasLogisticKernels(engine, input, units)) {
      return stepBytes(engine, step, input);
    }
    let found: StepStatistics | undefined;
    engine.inFrame((frame) => {
      const room = frame.room(weights.byteLength);
      found = referenceBackwardAndStep(others, step, memory.view(weights, room, weights.length));
    });
    return found!;
  };
}

function stepBytes(engine: Engine, step: BackwardAndStep, batch: ByteBatch): StepStatistics {
  const {
    input: _,
    units,
    wantsNorms,
    weights,
    dZ,
    firstMoment,
    secondMoment,
    biasCorrection1,
    biasCorrection2,
    ...others
  } = step;
  const { memory } = engine;
  const { count, features } = batch;
  const blocks = Math.ceil(features / STEP_BLOCK);
  let sums: number[] = [];
  engine.inFrame((frame) => {
    const scaling = placeScaling(engine, frame, batch);
    const { bytes, indices } = placeWhole(memory, frame, batch);
    const statistics = frame.room(blocks * STEP_STATISTICS * Float64Array.BYTES_PER_ELEMENT);
    const call = {
      dZ: frame.input(dZ, count * units),
      firstMoment: frame.inOut(firstMoment),
      secondMoment: frame.inOut(secondMoment),
      values: frame.inOut(weights),
      bytes,
      indices,
      features,
      count,
      units,
      statistics,
      wantsNorms,
      biasCorrection1: 1 / biasCorrection1,
      biasCorrection2: 1 / biasCorrection2,
      ...others,
      ...scaling,
    };
    engine.run('backwardAndStep', call, { end: features, grain: STEP_BLOCK, work: count * units * features });
    sums = memory.sumBlocks(statistics, blocks, STEP_STATISTICS);
  });
  const [gradient, direction, before] = sums as [number, number, number];
  return { finite: Number.isFinite(gradient), squares: wantsNorms ? { gradient, direction, weights: before } : null };
}
