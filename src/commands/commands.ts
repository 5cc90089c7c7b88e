import type { Command, Option } from './command.ts';

export interface CommandEntry {
  /** words as they are typed: 'train', 'data fetch' */
  name: string;
  summary: string;
  /** loaded when the command is used: `nn --help` must not wait for zod or sharp */
  load(): Promise<{ command: Command<never> }>;
}

/** Every command of `nn`. */
export const commands: readonly CommandEntry[] = [
  { name: 'train', summary: 'train a classifier as a config says, judge it and save it', load: () => import('./train.ts') },
  {
    name: 'predict',
    summary: 'say what pictures show: one line each, file, label and P of the positive class',
    load: () => import('./predict.ts'),
  },
  { name: 'evaluate', summary: 'judge a classifier on labelled pictures', load: () => import('./evaluate.ts') },
  {
    name: 'explain',
    summary: 'show which parts of a picture speak for and against the positive class',
    load: () => import('./explain.ts'),
  },
  { name: 'export', summary: 'take a model along: a file that answers alike elsewhere', load: () => import('./export.ts') },
  { name: 'tune', summary: 'search for good hyperparameters', load: () => import('./tune.ts') },
  {
    name: 'diagnose',
    summary: 'try what would help, and say how much it does and how sure that is',
    load: () => import('./diagnose.ts'),
  },
  {
    name: 'gradient-check',
    summary: 'hold the gradients of a config against central differences',
    load: () => import('./gradient-check.ts'),
  },
  { name: 'graph', summary: 'draw the computation graph of a config, forward and backward', load: () => import('./graph.ts') },
  { name: 'data fetch', summary: "get the course's pictures", load: () => import('./data-fetch.ts') },
  { name: 'data draw', summary: 'draw pictures of cats and other things, as PNG files', load: () => import('./data-draw.ts') },
  {
    name: 'data inspect',
    summary: 'look for what is wrong with pictures: duplicates, wrong labels, shortcuts …',
    load: () => import('./data-inspect.ts'),
  },
  {
    name: 'data preview',
    summary: 'a sheet of what the network will see, before and after augmentation',
    load: () => import('./data-preview.ts'),
  },
  {
    name: 'data clean',
    summary: 'list pictures to remove, and move them aside once you have looked at the list',
    load: () => import('./data-clean.ts'),
  },
  {
    name: 'data pack',
    summary: 'make pictures into one file of pixels, for data larger than memory',
    load: () => import('./data-pack.ts'),
  },
  {
    name: 'config init',
    summary: 'look at pictures and write a first config that fits them',
    load: () => import('./config-init.ts'),
  },
  {
    name: 'config check',
    summary: 'check a config and its data, and print the plan of the training',
    load: () => import('./config-check.ts'),
  },
  { name: 'config show', summary: 'a config with all its defaults: it trains the same', load: () => import('./config-show.ts') },
  {
    name: 'config schema',
    summary: 'the JSON Schema of a config, by which editors complete it',
    load: () => import('./config-schema.ts'),
  },
  { name: 'model show', summary: 'say what a model file holds', load: () => import('./model-show.ts') },
  { name: 'runs', summary: 'list the trainings that there are, show one, compare several', load: () => import('./runs.ts') },
  {
    name: 'runs show',
    summary: 'what came of a training, its learning curve, and its config',
    load: () => import('./runs-show.ts'),
  },
  {
    name: 'runs compare',
    summary: 'hold trainings against each other: could the difference be chance?',
    load: () => import('./runs-compare.ts'),
  },
  {
    name: 'completion',
    summary: 'print a script by which bash, zsh or fish completes commands, flags and fields of the config',
    load: () => import('./completion.ts'),
  },
];

/** Flags that every command has beside its own. */
export const commonOptions: readonly Option[] = [
  { flags: '-q, --quiet', summary: 'print results and errors alone' },
  { flags: '-v, --verbose', summary: 'print more' },
  { flags: '--no-color', summary: 'print no colours' },
];

/** The first words of commands of two words that are no commands alone. */
export const commandGroups: Record<string, { summary: string; examples: readonly string[] }> = {
  data: {
    summary: 'get, make and look through pictures',
    examples: ['nn data fetch course', 'nn data draw --out pictures --count 500', 'nn data inspect photos/'],
  },
  config: {
    summary: 'write a first config, check one, see all of it',
    examples: ['nn config init photos/ --out photos.json', 'nn config check photos.json', 'nn config show photos.json'],
  },
  model: { summary: 'look into model files', examples: ['nn model show', 'nn model show runs/mine --json'] },
};
