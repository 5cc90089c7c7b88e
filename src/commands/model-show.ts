import type { ExitKind } from '../errors.ts';
import { layerSizes } from '../nn/build.ts';
import { parameterCount } from '../nn/network.ts';
import { modelText } from '../report/model.ts';
import { loadChosenClassifier } from '../run/chosen-model.ts';
import type { Command, Context } from './command.ts';

interface Values {
  model?: string;
}

export const command: Command<Values> = {
  arguments: [{ syntax: '[path]', summary: 'a model file or a run folder (default: NN_MODEL, else the newest run)' }],
  options: [
    { flags: '-m, --model <path>', summary: 'the same as the argument' },
    { flags: '--json', summary: 'print it as JSON' },
  ],
  examples: ['nn model show', 'nn model show runs/mine --json'],
  run: show,
};

async function show(context: Context, values: Values, [path]: string[]): Promise<ExitKind | undefined> {
  const { classifier, file } = await loadChosenClassifier(path ?? values.model, context.environment);
  const { parameters, scaling: _, network, abstention = null, ...rest } = classifier;
  const tensors = parameters.specs.map(({ name, shape, offset, length }) => ({
    name,
    shape,
    norm: norm(parameters.values.subarray(offset, offset + length)),
  }));
  const shown = { model: file, parameters: parameterCount(network), ...rest, abstention, network, tensors };
  context.print(context.json ? JSON.stringify(shown) : modelText(shown, layerSizes(network)));
  return undefined;
}

function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}
