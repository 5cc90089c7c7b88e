import { loadConfig } from '../config/load.ts';
import { prepareData } from '../datasets/prepare.ts';
import type { ExitKind } from '../errors.ts';
import { referenceKernels } from '../kernels/reference.ts';
import { readProgress, readTrainingFiles, warnOfFailures, withDecoded } from '../library/reading.ts';
import { gradientCheckText } from '../report/model.ts';
import { checkModel, isRight, rightBelow, tensorsOf } from '../training/check-gradients.ts';
import { planTraining, prepareFit } from '../training/plan.ts';
import type { Command, Context } from './command.ts';
import { configOption, numberFlag, setOption } from './options.ts';

interface Values {
  config: string;
  set?: string[];
  all?: boolean;
  parameters: number;
  examples: number;
}

export const command: Command<Values> = {
  options: [
    configOption,
    setOption,
    numberFlag('--parameters <n>', 'how many of each layer, chosen by the seed', {
      low: 1,
      high: 1e9,
      whole: true,
      default: 200,
    }),
    { flags: '--all', summary: 'every parameter (slow)' },
    numberFlag('--examples <n>', 'pictures at most', { low: 1, high: 1e6, whole: true, default: 16 }),
    { flags: '--json', summary: 'print the result as JSON' },
  ],
  examples: [
    'nn gradient-check --config configs/course-four-layer.json',
    'nn gradient-check --config configs/quickstart.json --set training.l2=0.5',
  ],
  run: check,
};

async function check(
  context: Context,
  { config: file, set = [], all, parameters, examples }: Values,
): Promise<ExitKind | undefined> {
  const loaded = await loadConfig(file, set);
  const reading = { strict: false, onProgress: readProgress(context) };
  const data = await withDecoded(context, (places) => prepareData(loaded, { ...reading, ...places }));
  warnOfFailures(context, data.failures, ['--config', loaded.file]);
  const kernels = referenceKernels('float64');
  const plan = planTraining(loaded.config, data.splits, kernels);
  const options = await prepareFit(loaded.config, data.splits, plan, kernels, await readTrainingFiles(loaded, plan.network));
  const checks = checkModel(options, { perLayer: all ? Number.POSITIVE_INFINITY : parameters, examples });
  const layers = checks.map((check) => ({
    ...check,
    layer: check.layer + 1,
    tensors: tensorsOf(options.parameters, check.layer),
    right: isRight(check),
  }));
  context.print(context.json ? JSON.stringify({ rightBelow, layers }) : gradientCheckText(layers, rightBelow, context.style));
  return layers.every(({ right }) => right) ? undefined : 'fault';
}
