import { z } from 'zod';
import { difficulties } from '../data/drawn/draw.ts';
import { fits } from '../data/image.ts';
import { normalizers } from '../data/normalize.ts';
import { precisions } from '../kernels/kernels.ts';
import { activations, defaultSlope } from '../model/activations.ts';
import { forms } from '../model/forms.ts';
import { defaultFactor, initializers } from '../model/initializers.ts';
import { losses } from '../model/losses.ts';
import { optimizers } from '../optimize/optimizers.ts';

/** The names of a table, as the choices of a field; their summaries become its description. */
function oneOf<T extends Record<string, unknown>>(table: T, what: string) {
  const names = Object.keys(table) as [keyof T & string, ...(keyof T & string)[]];
  const lines = Object.entries(table).map(([name, entry]) => {
    const summary = typeof entry === 'string' ? entry : (entry as { summary?: string }).summary;
    return summary === undefined ? name : `${name}: ${summary}`;
  });
  return z.enum(names).describe(`${what}. ${lines.join('; ')}`);
}

const wholeNumber = (minimum: number) => z.int().min(minimum);
const share = z.number().gt(0).lt(1);
const path = z.string().min(1).describe("A path, relative to this config's file");

const positive = z.string().min(1).optional().describe('The class that counts as 1; by default the one called cat, in any case');
const fit = oneOf(fits, 'How a picture becomes a square').default('cover');

const folderSource = z.strictObject({ type: z.literal('folder'), path, positive, fit });
const csvSource = z.strictObject({ type: z.literal('csv'), path, positive, fit });
const hdf5Source = z.strictObject({
  type: z.literal('hdf5'),
  path,
  images: z.string().min(1).optional().describe('Name of the data set of pictures; found by its shape where absent'),
  labels: z.string().min(1).optional().describe('Name of the data set of labels; found by its shape where absent'),
  classes: z
    .union([z.string().min(1), z.tuple([z.string().min(1), z.string().min(1)])])
    .optional()
    .describe('Names of the classes 0 and 1, or the data set that holds them (default list_classes; without it non-cat and cat)'),
  positive,
  fit,
});
const drawnSource = z.strictObject({
  type: z.literal('drawn'),
  count: wholeNumber(1).default(2000).describe('How many pictures'),
  seed: wholeNumber(0)
    .max(2 ** 32 - 1)
    .default(1)
    .describe('Picture i depends on this seed and i alone'),
  difficulty: oneOf(difficulties, 'How hard they are to tell apart').default('easy'),
});
const source = z
  .discriminatedUnion('type', [folderSource, csvSource, hdf5Source, drawnSource])
  .describe('Where the pictures come from');

const partSize = z.union([share, wholeNumber(1)]).describe('A share below 1, or a number of pictures');
const split = z
  .union([z.literal('auto'), z.strictObject({ train: partSize.optional(), dev: partSize.optional(), test: partSize.optional() })])
  .describe('"auto" (dev = test = 20%, at most 10,000 each), or sizes such as { "train": 0.6, "dev": 0.2, "test": 0.2 }');

const data = z.strictObject({
  source: source.optional().describe('One source that is split into train, dev and test'),
  train: source.optional().describe('A source for the training part alone'),
  dev: source.optional().describe('A source for the dev part alone'),
  test: source.optional().describe('A source for the test part alone'),
  imageSize: wholeNumber(1).max(1024).default(64).describe('Side of the square that the network sees, in pixels'),
  split: split.optional().describe('How the source is split (default auto); beside data.train, { "dev": 0.2 } cuts dev from it'),
  normalize: oneOf(normalizers, 'What turns bytes into inputs, fitted on the training part').default('scale'),
});

const initName = oneOf(initializers, 'The deviation of the first weights');
const initObject = z.strictObject({
  name: initName,
  factor: z.number().min(0).default(defaultFactor).describe('The deviation of `random`'),
});
const init = z
  .union([z.literal('auto'), initName, initObject])
  .describe('"auto" (what fits the activation; zeros for logistic regression), a name, or { "name": "random", "factor": 0.01 }');

const layer = z.strictObject({
  type: z.literal('dense').default('dense'),
  units: wholeNumber(1).max(100_000).describe('How many units'),
  activation: oneOf(activations, 'g(z)').default('relu'),
  slope: z.number().min(0).lt(1).default(defaultSlope).describe('Of leakyRelu, for z < 0'),
  init: init.optional().describe("This layer's initialiser, where it is not the model's"),
});

const model = z.strictObject({
  init: init.default('auto'),
  layers: z.array(layer).default([]).describe('The hidden layers; [] is logistic regression'),
});

const optimizer = z
  .discriminatedUnion('name', [
    z.strictObject({ name: z.literal('gradientDescent').describe(optimizers.gradientDescent.summary) }),
  ])
  .describe('The update rule');

const training = z.strictObject({
  epochs: wholeNumber(1).default(100).describe('Passes over the training part'),
  loss: oneOf(losses, 'What is minimised').default('crossEntropy'),
  learningRate: z
    .union([z.literal('auto'), z.number().gt(0)])
    .default('auto')
    .describe('α: "auto" (a table over optimizer and normalize), or a number above 0'),
  optimizer: optimizer.default({ name: 'gradientDescent' }),
  threshold: z.number().min(0).max(1).default(0.5).describe('p > threshold is positive'),
  form: oneOf(forms, 'How the first layer is computed').default('auto'),
  evaluateEvery: wholeNumber(1).default(1).describe('Epochs between evaluations of the dev part'),
});

const diagnosis = z.strictObject({
  targetError: z.number().min(0).lt(1).default(0).describe('The error that is thought possible, such as a person makes'),
  highBias: z.number().gt(0).lt(1).default(0.05).describe('Bias is high where train error − targetError exceeds this'),
  highVariance: z.number().gt(0).lt(1).default(0.05).describe('Variance is high where dev error − train error exceeds this'),
});

/** The whole config. Strict: a key that is not known is an error. Docs, JSON Schema and types all derive from it. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors'),
    seed: wholeNumber(0)
      .max(2 ** 32 - 1)
      .default(1)
      .describe('Of all randomness; the first weights are those after np.random.seed(seed)'),
    precision: oneOf(
      Object.fromEntries(Object.keys(precisions).map((name) => [name, {}])) as Record<keyof typeof precisions, object>,
      'Of weights and arithmetic',
    ).default('float32'),
    data,
    model: model.prefault({}),
    training: training.prefault({}),
    diagnosis: diagnosis.prefault({}),
  })
  .superRefine(({ data: { source, train, dev, test, split } }, context) => {
    const issue = (message: string, ...at: string[]) => context.addIssue({ code: 'custom', path: ['data', ...at], message });
    if (source === undefined && train === undefined) issue('expected a source, or train (with dev and test), found neither');
    if (source !== undefined && (train ?? dev ?? test) !== undefined)
      issue('expected either source, or train, dev and test; found both');
    if (source === undefined && typeof split === 'object') {
      const known = Object.keys(split).filter((part) => part !== 'train');
      const twice = known.find((part) => ({ dev, test })[part as 'dev' | 'test'] !== undefined);
      if (twice !== undefined) issue(`expected ${twice} from its own source or from the split, found both`, 'split', twice);
    }
  });

export type Config = z.output<typeof configSchema>;
export type SourceConfig = z.output<typeof source>;
export type InitConfig = z.output<typeof init>;

/** The JSON Schema that editors complete and check configs by: configs/schema.json. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: 'nn config', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}
