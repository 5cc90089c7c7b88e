import type { Floats } from '../kernels/kernels.ts';
import { opsOf } from '../nn/build.ts';
import { featuresOf } from '../nn/shape.ts';
import type { LayerNorms } from '../results/journal.ts';
import type { Training } from './state.ts';

/** The norms of every layer after a step that measured them, and what its last op gave. */
export function layerNorms({ trainable, workspace, gradientNorms, updateNorms, last }: Training): LayerNorms[] {
  const { network, parameters, squaredNorm } = trainable.form;
  const count = last.indices.length;
  return parameters.specs
    .filter(({ decayed }) => decayed)
    .map((weights) => {
      const { layer } = weights;
      const k = opsOf(network).findLastIndex((op) => op.layer === layer);
      return {
        examples: count,
        gradientNorm: gradientNorms[layer]!,
        updateNorm: updateNorms[layer]!,
        weightNorm: Math.sqrt(squaredNorm(parameters.values, weights)),
        ...outputFacts(workspace.slots[k]!.value, count * featuresOf(opsOf(network)[k]!.output)),
      };
    });
}

/** Whether a hidden layer gave 0 for every example of the last step's batch: nothing below it learns from those. */
export function isSilent({ trainable, workspace, last }: Training, layer: number): boolean {
  const ops = opsOf(trainable.form.network);
  const k = ops.findLastIndex((op) => op.layer === layer);
  const numbers = last.indices.length * featuresOf(ops[k]!.output);
  return workspace.slots[k]!.value.subarray(0, numbers).every((value) => value === 0);
}

/** What the first n numbers are like; a function of its own, since it is compiled sooner than one that has more to do. */
function outputFacts(out: Floats, n: number): Pick<LayerNorms, 'activationMean' | 'activationSize' | 'zeros'> {
  let [sum, squares, zeros] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const value = out[i]!;
    sum += value;
    squares += value * value;
    if (value === 0) zeros++;
  }
  return { activationMean: sum / n, activationSize: Math.sqrt(squares / n), zeros: zeros / n };
}
