import { z } from 'zod';
import { autoShuffle, fullShuffleUpTo } from '../data/batches.ts';
import { difficulties } from '../data/drawn/draw.ts';
import { duplicateTreatments } from '../data/duplicates.ts';
import { fits } from '../data/image.ts';
import { defaultMemory } from '../data/load.ts';
import { normalizers } from '../data/normalize.ts';
import { cifar10Parts } from '../data/sources/cifar10.ts';
import { splitMethods } from '../data/split.ts';
import { thresholdCriteria } from '../evaluation/metrics.ts';
import { arithmetics, precisions } from '../kernels/kernels.ts';
import { activations, defaultSlope } from '../nn/activations.ts';
import { type LayerType, layerKinds } from '../nn/build.ts';
import { defaultFactor, initializers } from '../nn/initializers.ts';
import { forms } from '../nn/input/input-form.ts';
import { losses } from '../nn/losses.ts';
import { type OptimizerName, type OptimizerOptions, optimizers } from '../nn/optimizers.ts';
import { type ScheduleName, type ScheduleOptions, schedules } from '../nn/schedules.ts';
import { type RangeName, ranges } from '../nn/search-ranges.ts';
import { paddings } from '../nn/windows.ts';

/** The versions of nn that changed a default or an automatic learning rate. What a run or a search began with stands in its config. */
export const defaultsOf = {
  '0.1.0': { summary: 'data.normalize is "scale"', normalize: 'scale' },
  '0.2.0': { summary: 'data.normalize is "standardizeChannels"', normalize: 'standardizeChannels' },
} as const satisfies Record<string, { summary: string; normalize: keyof typeof normalizers }>;
export type DefaultsVersion = keyof typeof defaultsOf;
/** Of a config that names none. */
export const newestDefaults = '0.2.0' satisfies DefaultsVersion;
/** Of a run or search whose config names none: that field is newer than they are. */
export const unnamedDefaults = '0.1.0' satisfies DefaultsVersion;

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

const positive = z
  .string()
  .min(1)
  .optional()
  .describe(
    'The class that counts as 1; by default the one called cat, in any case. With more than two classes it must be written: all the others together are then the negative class, called "non" with its name',
  );
const fit = oneOf(fits, 'How a picture becomes a square').default('cover');

const folderSource = z.strictObject({ type: z.literal('folder'), path, positive, fit });
const csvSource = z.strictObject({ type: z.literal('csv'), path, positive, fit });
const hdf5Source = z.strictObject({
  type: z.literal('hdf5'),
  path,
  images: z.string().min(1).optional().describe('Name of the data set of pictures; found by its shape where absent'),
  labels: z.string().min(1).optional().describe('Name of the data set of labels; found by its shape where absent'),
  classes: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(2)])
    .optional()
    .describe(
      'Names of the classes 0, 1 and on, or the data set that holds them (default list_classes; without it non-cat and cat)',
    ),
  positive,
  fit,
});
const archiveSource = z.strictObject({
  type: z.literal('archive'),
  path,
  folder: z.string().min(1).optional().describe('Where in it the folders of the classes are; found by itself where absent'),
  positive,
  fit,
});
const cifar10Source = z.strictObject({
  type: z.literal('cifar10'),
  path,
  part: oneOf(cifar10Parts, 'Which of its files').default('all'),
  positive: z.string().min(1).default('cat').describe('The class that counts as 1 against the other nine'),
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
const packedSource = z.strictObject({ type: z.literal('packed'), path, positive });
const source = z
  .discriminatedUnion('type', [folderSource, csvSource, hdf5Source, drawnSource, packedSource, archiveSource, cifar10Source])
  .meta({ description: 'Where the pictures come from', examples: [{ type: 'folder', path: 'photos' }] });

const partSize = z.union([share, wholeNumber(1)]).describe('A share below 1, or a number of pictures');
const split = z
  .union([
    z.literal('auto'),
    z.strictObject({
      train: partSize.optional(),
      dev: partSize.optional(),
      test: partSize.optional(),
      method: oneOf(splitMethods, 'How pictures are drawn for the parts').default('exact'),
    }),
    z.strictObject({
      folds: wholeNumber(2).max(100).describe('Cross-validation: as many trainings, each with another part as dev'),
      test: partSize.optional().describe('Cut from the source before it is folded'),
    }),
  ])
  .meta({
    description:
      '"auto" (dev = test = 20%, at most 10,000 each), sizes such as { "train": 0.6, "dev": 0.2, "test": 0.2 }, or { "folds": 5 }',
    examples: [{ train: 0.6, dev: 0.2, test: 0.2 }, { folds: 5 }],
  });

const zoomFactor = z.number().min(0.05).max(20);
const augment = z.strictObject({
  flipHorizontal: z.boolean().default(false).describe('Mirror, with probability ½'),
  flipVertical: z.boolean().default(false).describe('Upside down, with probability ½'),
  noise: z.number().min(0).max(1).default(0).describe('σ of Gaussian noise on every value, as a share of 255'),
  shift: z.number().min(0).max(1).default(0).describe('At most this share of the side, each way'),
  zoom: z
    .union([
      z.number().min(0).lt(1),
      z.tuple([zoomFactor, zoomFactor]).refine(([low, high]) => low <= high, { message: 'expected the lower factor first' }),
    ])
    .default(0)
    .meta({ description: 'Factor uniform in [1 − z, 1 + z], or in [low, high]', examples: [[0.8, 1.25]] }),
  rotate: z.number().min(0).max(180).default(0).describe('Degrees, uniform in [−r, r]; edges are mirrored'),
  brightness: z.number().min(0).max(1).default(0).describe('Added share of 255, uniform in [−b, b]'),
  contrast: z.number().min(0).max(1).default(0).describe("Factor about the picture's mean, uniform in [1 − c, 1 + c]"),
  aspect: z.number().min(0).max(1).default(0).describe('Width to height by exp(r), r uniform in [−a, a]; the area stays'),
  saturation: z.number().min(0).max(1).default(0).describe("Factor about each pixel's grey, uniform in [1 − s, 1 + s]"),
  tint: z.number().min(0).max(1).default(0).describe('Added share of 255, uniform in [−t, t], of each channel by itself'),
});

const shuffle = z
  .union([
    z.literal('auto'),
    z.literal('full'),
    z
      .strictObject({
        block: wholeNumber(1).default(autoShuffle.block).describe('Pictures that lie and are read together'),
        window: wholeNumber(1).default(autoShuffle.window).describe('Pictures that are shuffled together, block or more'),
      })
      .refine(({ block, window }) => window >= block, {
        message: 'expected a window that holds a block at least',
        path: ['window'],
      }),
  ])
  .describe(
    `The order of an epoch's pictures: "full" (all shuffled together), { "block", "window" } (blocks of neighbours are shuffled, then pictures ` +
      `within a window of several blocks), or "auto": full up to ${fullShuffleUpTo} training pictures, beyond it ${JSON.stringify(autoShuffle)}`,
  );

const dataFields = z.strictObject({
  source: source.optional().describe('One source that is split into train, dev and test'),
  train: source.optional().describe('A source for the training part alone'),
  dev: source.optional().describe('A source for the dev part alone'),
  test: source.optional().describe('A source for the test part alone'),
  imageSize: wholeNumber(1).max(1024).default(64).describe('Side of the square that the network sees, in pixels'),
  split: split.optional().describe('How the source is split (default auto); beside data.train, { "dev": 0.2 } cuts dev from it'),
  shuffle: shuffle.default('auto'),
  memory: wholeNumber(0)
    .default(defaultMemory)
    .describe('MiB of pixels: pictures that take more stay on the disk and are read as they are wanted. No result depends on it'),
  duplicates: oneOf(duplicateTreatments, 'What becomes of copies of a picture').default('keepTogether'),
  normalize: oneOf(normalizers, 'What turns bytes into inputs, fitted on the training part').default(
    defaultsOf[newestDefaults].normalize,
  ),
  augment: augment
    .prefault({})
    .meta({ description: 'Variations of training pictures, drawn afresh each epoch', examples: [{ flipHorizontal: true }] }),
});
const data = dataFields.meta({ examples: [{ source: { type: 'folder', path: 'photos' } }] });

const initName = oneOf(initializers, 'The deviation of the first weights');
const initObject = z.strictObject({
  name: initName,
  factor: z.number().min(0).default(defaultFactor).describe('The deviation of `random`'),
});
const init = z
  .union([z.literal('auto'), initName, initObject])
  .describe('"auto" (what fits the activation; zeros for logistic regression), a name, or { "name": "random", "factor": 0.01 }');

const commonLayer = {
  activation: oneOf(activations, 'g(z)').default('relu'),
  slope: z.number().min(0).lt(1).default(defaultSlope).describe('Of leakyRelu, for z < 0'),
  init: init.optional().describe("This layer's initialiser, where it is not the model's"),
  keepProb: z.number().gt(0).max(1).default(1).describe('Dropout: the share of units that each step keeps; 1 is none'),
  batchNorm: z.boolean().default(false).describe('Normalise z over the batch, before the activation'),
};

type SizesOf<Type extends LayerType> = (typeof layerKinds)[Type]['sizes'];
/** A size that may be left out has a default, or is that of another. */
type SizeField<Size> = Size extends { default: 'size' }
  ? z.ZodOptional<z.ZodInt>
  : Size extends { default: number }
    ? z.ZodDefault<z.ZodInt>
    : z.ZodInt;

/** A kind of layer and the sizes that are its own. */
function layerOf<Type extends LayerType>(type: Type) {
  const { summary, sizes } = layerKinds[type];
  type Size = { most: number; summary: string; default?: number | 'size' };
  const own = Object.entries<Size>(sizes).map(([name, { most, summary, default: otherwise }]) => {
    const field = wholeNumber(1).max(most).describe(summary);
    return [name, otherwise === undefined ? field : otherwise === 'size' ? field.optional() : field.default(otherwise)];
  });
  type Sizes = { [Name in keyof SizesOf<Type>]: SizeField<SizesOf<Type>[Name]> };
  return { type: z.literal(type).describe(summary), ...(Object.fromEntries(own) as Sizes) };
}

const denseType = layerOf('dense');
const plainLayers = [
  z.strictObject({ ...denseType, type: denseType.type.optional().default('dense'), ...commonLayer }),
  z.strictObject({
    ...layerOf('conv'),
    padding: oneOf(paddings, 'How windows meet the edge of the image').default('same'),
    ...commonLayer,
  }),
  z.strictObject(layerOf('maxPool')),
  z.strictObject(layerOf('averagePool')),
  z.strictObject({ ...layerOf('globalAveragePool'), keepProb: commonLayer.keepProb }),
] as const;

/** A residual block of such layers. */
const residualOf = <Inner extends z.ZodType>(inner: Inner) =>
  z.strictObject({
    ...layerOf('residual'),
    layers: z.array(inner).min(1).describe('What is added to their input: they give its shape'),
    activation: oneOf(activations, 'Behind the sum').default('linear'),
  });
/** Blocks in blocks in blocks: deeper ones are no network that anybody trains, and a schema without an end is none that errors can point into. */
const innerBlock = residualOf(z.discriminatedUnion('type', plainLayers));
const middleBlock = residualOf(z.discriminatedUnion('type', [...plainLayers, innerBlock]));
const layer = z.discriminatedUnion('type', [
  ...plainLayers,
  residualOf(z.discriminatedUnion('type', [...plainLayers, middleBlock])),
]);

const model = z.strictObject({
  init: init.default('auto'),
  layers: z.array(layer).default([]).describe('The hidden layers; [] is logistic regression'),
});

const optimizerNumbers: Record<keyof OptimizerOptions, z.ZodNumber> = {
  beta: z.number().min(0).lt(1).describe('β of the moving average of gradients'),
  beta1: z.number().min(0).lt(1).describe('β₁ of the moving average of gradients'),
  beta2: z.number().min(0).lt(1).describe('β₂ of the moving average of squared gradients'),
  epsilon: z.number().gt(0).describe('ε, which keeps the divisor above 0'),
  weightDecay: z
    .number()
    .min(0)
    .describe('Times the learning rate: the share that each weight loses at every step; biases and batch norm lose none'),
};
const scheduleNumbers: Record<keyof ScheduleOptions, z.ZodNumber> = {
  decay: z.number().min(0).describe('How fast the rate falls'),
  rate: z.number().gt(0).max(1).describe('Factor of an epoch'),
  every: wholeNumber(1).describe('Epochs from one step down to the next'),
  factor: z.number().gt(0).max(1).describe('Of each step down'),
  warmup: z.number().min(0).max(1).describe('Share of all steps in which the rate rises to α₀'),
};

/** The entries of a table as objects that are told apart by their name, each with the numbers that it takes. */
function choiceOf<N extends string, K extends string>(
  table: Record<N, { summary: string; defaults: Partial<Record<K, number>> }>,
  numbers: Record<K, z.ZodNumber>,
  what: string,
) {
  const options = (Object.keys(table) as N[]).map((name) => {
    const { summary, defaults } = table[name];
    const fields = Object.entries<number | undefined>(defaults).map(([key, value]) => [
      key,
      (numbers[key as K] as z.ZodNumber).default(value ?? 0),
    ]);
    const shape = Object.fromEntries(fields) as Record<K, z.ZodOptional<z.ZodNumber>>;
    return z.strictObject({ name: z.literal(name).describe(summary), ...shape });
  });
  return z.discriminatedUnion('name', options as [(typeof options)[0], ...typeof options]).describe(what);
}

const optimizer = choiceOf<OptimizerName, keyof OptimizerOptions>(optimizers, optimizerNumbers, 'The update rule');
const schedule = choiceOf<ScheduleName, keyof ScheduleOptions>(
  schedules,
  scheduleNumbers,
  'How the learning rate changes; t = epochs completed',
);

const rate = z.number().gt(0);
const training = z.strictObject({
  epochs: wholeNumber(1).default(100).describe('Passes over the training part'),
  batchSize: z
    .union([z.literal('auto'), z.literal('full'), wholeNumber(1)])
    .default('auto')
    .describe('Examples a step: "auto" (all below 2,000 examples, else 64), "full", or a whole number'),
  loss: oneOf(losses, 'What is minimised').default('crossEntropy'),
  learningRate: z
    .union([z.literal('auto'), rate, z.array(rate).min(1)])
    .default('auto')
    .describe(
      'α: "auto" (a table over optimizer and normalize), a number above 0, or a list of one per layer, the output layer last',
    ),
  learningRateByFeature: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Multiplies α for each input of the first layer: null, "inverseVariance", or the path of a safetensors vector'),
  optimizer: optimizer.prefault({ name: 'gradientDescent' }),
  schedule: schedule.prefault({ name: 'none' }),
  l2: z.number().min(0).default(0).describe('λ: adds (λ/2m) Σ‖W‖² to the cost'),
  earlyStopping: z
    .union([
      z.literal(false),
      z.strictObject({
        patience: wholeNumber(1).default(10).describe('Epochs without a better dev cost after which training stops'),
        minDelta: z.number().min(0).default(0).describe('What counts as better: lower by more than this'),
      }),
    ])
    .default(false)
    .describe('false, or { "patience": 10, "minDelta": 0 }: stop where dev cost turns up; the best weights are kept'),
  classWeight: z
    .union([z.literal('none'), z.literal('balanced'), rate])
    .default('none')
    .describe('"none", "balanced" (wᵢ = m / (2 · number of that class)), or a number above 0 for the positive class'),
  threshold: z
    .union([z.number().min(0).max(1), oneOf(thresholdCriteria, 'Chosen on dev')])
    .default(0.5)
    .describe(
      `p > threshold is positive: a number from 0 to 1, or what is to be best on dev: ${Object.keys(thresholdCriteria).join(', ')}`,
    ),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(0.5)
    .default(0)
    .describe('s: the share of every label that goes to the other class, in training alone: y(1 − s) + (1 − y)s; 0 is none'),
  calibrate: z
    .boolean()
    .default(false)
    .describe('Fit a temperature T on dev after training, of the least log loss: p = σ(z / T). Accuracy at ½ does not change'),
  clipNorm: z.number().gt(0).nullable().default(null).describe('A bound on the norm of the whole gradient'),
  mixup: z
    .number()
    .min(0)
    .max(100)
    .default(0)
    .describe(
      'α: each picture of a batch is mixed with another, λ of the one and 1 − λ of the other, and so are their labels; one λ a batch from Beta(α, α), such as 0.2; 0 is none',
    ),
  progressive: z
    .array(
      z.strictObject({
        side: wholeNumber(1).max(1024).describe('Of the images, in pixels'),
        until: z.number().gt(0).lt(1).describe('Up to this share of the epochs'),
      }),
    )
    .max(16)
    .default([])
    .describe(
      'Smaller images at first, of each side up to a share of the epochs, such as [{ "side": 32, "until": 0.4 }, { "side": 48, "until": 0.7 }]; for layers whose weights do not depend on the side',
    ),
  averageMirrored: z
    .boolean()
    .default(false)
    .describe('Answer with the mean of p of the image and of its mirror image, on dev and in the model'),
  averageWeights: z
    .number()
    .gt(0)
    .lt(1)
    .nullable()
    .default(null)
    .describe(
      'd: a moving average of the weights, a ← d·a + (1 − d)·W after every step, is what is evaluated and saved, such as 0.999; null is none',
    ),
  form: oneOf(forms, 'How the first layer is computed').default('auto'),
  evaluateEvery: wholeNumber(1).default(1).describe('Epochs between looks at dev and at the layers'),
  maxMinutes: z.number().gt(0).nullable().default(null).describe('Stop in good order after so long'),
  checkpointMinutes: z
    .number()
    .min(0)
    .default(0.5)
    .describe(
      'Minutes of training between checkpoints, from which --resume goes on; more where they would take over a twentieth of the time; 0: one whenever it can be',
    ),
  checkpointEpochs: wholeNumber(1).nullable().default(null).describe('A checkpoint every so many epochs as well'),
  startFrom: z.string().min(1).nullable().default(null).describe('A model file whose weights to start from (same architecture)'),
});

const diagnosis = z.strictObject({
  targetError: z.number().min(0).lt(1).default(0).describe('The error that is thought possible, such as a person makes'),
  highBias: z.number().gt(0).lt(1).default(0.05).describe('Bias is high where train error − targetError exceeds this'),
  highVariance: z.number().gt(0).lt(1).default(0.05).describe('Variance is high where dev error − train error exceeds this'),
});

/** { "logUniform": [0.0001, 1] } and its like: an object with one of the table's names. */
const rangeSchemas = (Object.keys(ranges) as RangeName[]).map((name) => {
  const bounds = name === 'choice' ? z.array(z.json()).min(1) : z.tuple([z.number(), z.number()]);
  const checked = (bounds as z.ZodType<unknown[]>).superRefine((value, context) => {
    const message = ranges[name].refuse(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });
  return z.strictObject({ [name]: checked.describe(ranges[name].summary) } as Record<RangeName, typeof checked>);
});
const range: z.ZodType<Partial<Record<RangeName, unknown[]>>> = z
  .union(rangeSchemas as [(typeof rangeSchemas)[0], ...typeof rangeSchemas])
  .meta({
    description: `One of ${Object.keys(ranges)
      .map((name) => `{ "${name}": … }`)
      .join(', ')}`,
    examples: [{ logUniform: [0.0001, 1] }],
  });

/** How `nn tune` goes about it. */
const strategies = {
  random: 'every trial trains to its end',
  halving: 'all trials train a little; the best third of them trains three times as long, and so on',
} as const;
const trialMetrics = {
  cost: 'least data cost on dev',
  accuracy: 'highest accuracy on dev, of equals the least cost',
} as const;

const search = z.strictObject({
  trials: wholeNumber(1).max(1_000_000).default(50).describe('How many'),
  strategy: oneOf(strategies, 'How').default('random'),
  metric: oneOf(trialMetrics, 'What ranks them').default('cost'),
  parameters: z
    .record(z.string().min(1), range)
    .describe('Fields of the config, as in --set, and the ranges that they are drawn from'),
});

/** The whole config. Strict: a key that is not known is an error. Docs, JSON Schema and types all derive from it. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors'),
    defaults: oneOf(defaultsOf, 'The version of nn whose defaults and automatic learning rates hold').default(newestDefaults),
    seed: wholeNumber(0)
      .max(2 ** 32 - 1)
      .default(1)
      .describe('Of all randomness; the first weights are those after np.random.seed(seed)'),
    precision: oneOf(
      Object.fromEntries(Object.keys(precisions).map((name) => [name, {}])) as Record<keyof typeof precisions, object>,
      'Of weights and arithmetic',
    ).default('float32'),
    arithmetic: oneOf(arithmetics, 'How the kernels of a training round; predict and evaluate are always strict').default(
      'strict',
    ),
    data,
    model: model.prefault({}),
    training: training.prefault({}),
    diagnosis: diagnosis.prefault({}),
    search: search.optional().describe('What nn tune varies'),
  })
  .superRefine(({ data: { imageSize }, training: { progressive } }, context) => {
    const issue = (message: string, ...at: (string | number)[]) =>
      context.addIssue({ code: 'custom', path: ['training', 'progressive', ...at], message });
    for (const [i, { side, until }] of progressive.entries()) {
      if (side >= imageSize) issue(`expected images smaller than data.imageSize, ${imageSize}, found ${side}`, i, 'side');
      const before = progressive[i - 1]?.until ?? 0;
      if (until <= before) issue(`expected a share of the epochs above that before it, ${before}, found ${until}`, i, 'until');
    }
  })
  .superRefine(({ data: { source, train, dev, test, split } }, context) => {
    const issue = (message: string, ...at: string[]) => context.addIssue({ code: 'custom', path: ['data', ...at], message });
    if (source === undefined && train === undefined) issue('expected a source, or train (with dev and test), found neither');
    if (source !== undefined && (train ?? dev ?? test) !== undefined)
      issue('expected either source, or train, dev and test; found both');
    if (source === undefined && typeof split === 'object') {
      const known = Object.keys(split).filter((part) => part === 'dev' || part === 'test');
      const twice = known.find((part) => ({ dev, test })[part as 'dev' | 'test'] !== undefined);
      if (twice !== undefined) issue(`expected ${twice} from its own source or from the split, found both`, 'split', twice);
    }
  });

export type Config = z.output<typeof configSchema>;
/** As it is written: what has a default may be left out. */
export type ConfigInput = z.input<typeof configSchema>;
export type SearchConfig = z.output<typeof search>;
export type SourceConfig = z.output<typeof source>;
export type InitConfig = z.output<typeof init>;

/** The JSON Schema that editors complete and check configs by: configs/schema.json. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: 'nn config', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}

/** The same as it stands in a file: what `nn config schema` prints, too. */
export function configSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}
