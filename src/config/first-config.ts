/** What a first config holds: rules, each with its reason. docs/first-config.md has what was measured. */

/** What is known of the pictures that a first config is for. */
export interface DataFacts {
  /** pictures that can be read, copies of one counted once */
  pictures: number;
  /** copies beyond the first of each picture */
  copies: number;
  /** pictures of the smaller of the two classes, of `pictures` */
  ofSmallerClass: number;
  positive: PositiveClass;
  /** what tells apart is the positive class and this, which may be all others together */
  negative: string;
  /** pixels: the median of the pictures' shorter sides */
  shorterSide: number;
  /** the share of pictures whose longer side is `longRatio` times the shorter or more */
  longShare: number;
  /** the side of pictures that are packed, which can't be changed; null where they are made as they are read */
  packedSide: number | null;
  /** fields of `data` that hold the sources: `source` alone, or one for each part that there is */
  sourceFields: readonly ('source' | 'train' | 'dev' | 'test')[];
  /** whether the config may say how a picture becomes a square */
  takesFit: boolean;
}

export interface PositiveClass {
  name: string;
  /** why it is this one */
  reason: string;
  /** whether nn would take it if nothing were written */
  isDefault: boolean;
}

/** A config of configs/ that a first one is built on: a network with all that trains it. */
export interface Recipe {
  data: { augment: object };
  model: { layers: unknown[] };
  training: { epochs: number; progressive?: Stage[]; mixup?: number; labelSmoothing?: number };
}
interface Stage {
  side: number;
  until: number;
}
export type RecipeName = 'conv-photos' | 'conv-photos-small' | 'photos';

/** A field of a config, what it is to hold, and why. */
export interface Choice {
  /** such as training.epochs */
  field: string;
  value: unknown;
  reason: string;
  /** it is not written: it is so where nothing is */
  isDefault?: boolean;
}

interface Rule<Value> {
  /** it holds from so many pictures on, up to those of the next */
  from: number;
  value: Value;
  reason: string;
}
type SplitValue = 'auto' | Partial<Record<'train' | 'dev' | 'test' | 'folds', number>>;

/** What depends on the number of pictures. */
export const rulesByNumber: {
  recipe: readonly Rule<RecipeName>[];
  split: readonly Rule<SplitValue>[];
  epochs: readonly Rule<number>[];
  keepsBest: readonly Rule<boolean>[];
  calibrates: readonly Rule<boolean>[];
} = {
  recipe: [
    { from: 0, value: 'conv-photos-small', reason: 'few pictures: a small convolutional network' },
    { from: 1500, value: 'conv-photos', reason: 'enough pictures for seven convolutions' },
  ],
  /** of a source that comes without parts */
  split: [
    {
      from: 0,
      value: { folds: 5, test: 0.2 },
      reason: 'too few for a dev part: each fifth judges a training, and all but test train the last',
    },
    {
      from: 150,
      value: { train: 0.7, dev: 0.15, test: 0.15 },
      reason: 'few pictures: more to train on than the usual 60% (predict --abstain wants 59 in dev)',
    },
    { from: 2000, value: 'auto', reason: '60% to train on, 20% each for dev and test' },
  ],
  /** times those of the recipe */
  epochs: [
    { from: 0, value: 1, reason: 'passes over the training pictures, as the recipe has them' },
    { from: 10_000, value: 0.4, reason: 'fewer passes: so many pictures make as many steps' },
    { from: 50_000, value: 0.2, reason: 'fewer passes: so many pictures make as many steps' },
  ],
  /** whether the epoch of least dev cost is kept, and not the last */
  keepsBest: [
    {
      from: 0,
      value: false,
      reason: 'on so few dev pictures the least cost is chance: the last epoch is better',
    },
    {
      from: 2000,
      value: true,
      reason: 'keeps the epoch of least dev cost; it stops none, since the rate has to fall to its end',
    },
  ],
  /** whether p is set right on dev, where the recipe learns from labels that are less than certain */
  calibrates: [
    { from: 0, value: false, reason: 'too few dev pictures to set p right by' },
    { from: 600, value: true, reason: 'labels that are mixed or softened make p too careful: on dev it is set right' },
  ],
};

/** The rule that holds for so many pictures. */
export function ruleFor<Value>(rules: readonly Rule<Value>[], pictures: number): Rule<Value> {
  return rules.findLast(({ from }) => pictures >= from)!;
}

/** Sides that the recipes train at: the largest that does not enlarge pictures, the last one for those that are smaller still. */
export const sides = [64, 48, 32] as const;
/** A stride of 2 and three pools leave nothing of smaller images. */
const leastSide = 16;
/** A class with a smaller share of the pictures is weighted up: beyond it one answer alone is right on 60%. */
export const balancedShare = 0.4;
/** From this ratio on, the square in the middle hides half of a picture; where so large a share is like that, pictures are padded. */
export const longRatio = 2;
export const longMost = 0.25;
/** Of the smaller class: each of five folds, and a test part beside them, is to hold two. */
const leastForFolds = 12;

/** Which recipe fits. */
export function recipeFor(facts: DataFacts): { value: RecipeName; reason: string } {
  const isTiny = facts.packedSide !== null && facts.packedSide < leastSide;
  return isTiny
    ? { value: 'photos', reason: `pictures of ${facts.packedSide} pixels: too small for convolutions` }
    : ruleFor(rulesByNumber.recipe, facts.pictures);
}

/** All that a first config says of such pictures, in the order of its fields; where they come from is the caller's to write.
 *  @param recipe  the one that `recipeFor` names */
export function firstChoices(facts: DataFacts, recipe: Recipe): Choice[] {
  return decisions.flatMap((decide) => decide(facts, recipe));
}

type Decide = (facts: DataFacts, recipe: Recipe) => Choice[];

const sideOf = ({ packedSide, shorterSide }: DataFacts) =>
  packedSide ?? sides.find((side) => side <= shorterSide) ?? sides[sides.length - 1]!;

const percent = (share: number) => `${Math.round(100 * share)}%`;

const decisions: Decide[] = [
  ({ positive, sourceFields }) =>
    sourceFields.map((field) => ({
      field: `data.${field}.positive`,
      value: positive.name,
      reason: positive.reason,
      isDefault: positive.isDefault,
    })),
  ({ takesFit, longShare, sourceFields }) =>
    takesFit && longShare >= longMost
      ? sourceFields.map((field) => ({
          field: `data.${field}.fit`,
          value: 'contain',
          reason: `${percent(longShare)} of the pictures are ${longRatio} to 1 or longer: a square from the middle would hide half of each`,
        }))
      : [],
  (facts) => {
    const { packedSide, shorterSide } = facts;
    const pixels = `the shorter side of half of the pictures has ${shorterSide} pixels or fewer`;
    const reason =
      packedSide !== null ? 'as they were packed' : shorterSide < sides[0] ? pixels : 'what the recipe was measured at';
    return [{ field: 'data.imageSize', value: sideOf(facts), reason, isDefault: sideOf(facts) === sides[0] }];
  },
  ({ pictures, ofSmallerClass, sourceFields }) => {
    if (!sourceFields.includes('source')) return splitOfParts(sourceFields);
    const rule = ruleFor(rulesByNumber.split, pictures);
    const isFolded = typeof rule.value === 'object' && 'folds' in rule.value;
    const fits = isFolded && ofSmallerClass < leastForFolds ? fewOfClass(ofSmallerClass) : rule;
    return [{ field: 'data.split', value: fits.value, reason: fits.reason, isDefault: fits.value === 'auto' }];
  },
  ({ copies }) =>
    copies === 0
      ? []
      : [
          {
            field: 'data.duplicates',
            value: 'keepTogether',
            reason: `${copies === 1 ? '1 picture is a copy' : `${copies} pictures are copies`} of another: they stay in one part`,
            isDefault: true,
          },
        ],
  (_, { data }) => [
    {
      field: 'data.augment',
      value: data.augment,
      reason: 'each epoch sees other variants; no flipHorizontal where left and right differ in meaning',
    },
  ],
  (facts, { model }) => [{ field: 'model.layers', value: model.layers, reason: recipeFor(facts).reason }],
  (facts, { training }) =>
    Object.entries(training).flatMap(([key, value]) => {
      const scaled = scaledBySize[key]?.(facts, training);
      return scaled === null
        ? []
        : [{ field: `training.${key}`, value, reason: trainingReasons[key] ?? 'as the recipe has it', ...scaled }];
    }),
  ({ pictures }, { training }) => {
    const { value: keepsBest, reason } = ruleFor(rulesByNumber.keepsBest, pictures);
    const value = keepsBest ? { patience: epochsFor(pictures, training) } : false;
    return [{ field: 'training.earlyStopping', value, reason, isDefault: !keepsBest }];
  },
  ({ pictures }, { training: { mixup = 0, labelSmoothing = 0 } }) => {
    if (mixup === 0 && labelSmoothing === 0) return [];
    const { value, reason } = ruleFor(rulesByNumber.calibrates, pictures);
    return [{ field: 'training.calibrate', value, reason, isDefault: !value }];
  },
  ({ pictures, ofSmallerClass, positive, negative }) => {
    const share = ofSmallerClass / pictures;
    const isBalanced = share >= balancedShare;
    const which = `the smaller of ${positive.name} and ${negative} has ${percent(share)} of the pictures`;
    const reason = isBalanced ? `${which}: no weights wanted` : `${which}: as much weight as the larger one in all`;
    return [{ field: 'training.classWeight', value: isBalanced ? 'none' : 'balanced', reason, isDefault: isBalanced }];
  },
];

/** Of parts that have sources of their own: dev is cut from train where none was given. */
function splitOfParts(sourceFields: DataFacts['sourceFields']): Choice[] {
  if (sourceFields.includes('dev')) return [];
  return [{ field: 'data.split', value: { dev: 0.15 }, reason: 'no dev part was given: some of train is taken for it' }];
}

function fewOfClass(pictures: number): { value: SplitValue; reason: string } {
  return { value: 'auto', reason: `${pictures} pictures of the smaller class: too few for folds` };
}

const epochsFor = (pictures: number, { epochs }: Recipe['training']) =>
  Math.round(epochs * ruleFor(rulesByNumber.epochs, pictures).value);

/** Fields of a recipe's training that go by the pictures; null where one is left out. */
const scaledBySize: Record<string, (facts: DataFacts, training: Recipe['training']) => Omit<Choice, 'field'> | null> = {
  epochs: ({ pictures }, training) => ({
    value: epochsFor(pictures, training),
    reason: ruleFor(rulesByNumber.epochs, pictures).reason,
  }),
  progressive: (facts, { progressive = [] }) => {
    const stages = progressive.map(({ side, until }) => ({ side: Math.round((side * sideOf(facts)) / sides[0]), until }));
    const fitting = stages.filter(({ side }) => side >= leastSide);
    const reason = 'smaller images first: they teach as much in a fraction of the time';
    return fitting.length === 0 ? null : { value: fitting, reason };
  },
};

/** Why a recipe has what it has. */
export const trainingReasons: Record<string, string> = {
  batchSize: 'small batches: more steps in as many epochs',
  learningRate: 'the highest rate of the schedule',
  optimizer: 'a rate for each weight; weights that nothing needs shrink',
  schedule: 'the rate rises, then falls to 0: fast first, exact at the end',
  l2: 'large weights cost',
  mixup: 'pictures are mixed, and their labels with them: harder to learn by heart',
  labelSmoothing: 'no picture is learnt to be quite certain',
  evaluateEvery: 'dev is evaluated once in so many epochs',
  averageMirrored: 'an answer is the mean for the picture and its mirror image',
};

/** The config that choices make. @param sources  the value of each field of `data` that holds a source */
export function configOf(choices: readonly Choice[], sources: Readonly<Record<string, object>>): Record<string, unknown> {
  const config: Record<string, unknown> = { data: structuredClone(sources) };
  for (const { field, value } of choices.filter(({ isDefault }) => isDefault !== true)) {
    const path = field.split('.');
    const last = path.pop()!;
    let node = config;
    for (const key of path) node = (node[key] ??= {}) as Record<string, unknown>;
    node[last] = value;
  }
  return config;
}
