import { resolve } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import { cachePlace, type DecodeCache, scratchFolders, withCache } from '../data/cache/decode-cache.ts';
import { listNames } from '../data/classes.ts';
import { type Failure, mostFailuresNamed } from '../data/load.ts';
import { type Scratch, scratchIn } from '../data/scratch.ts';
import { UserError } from '../errors.ts';
import { type Layer, layerSizes, type Network } from '../nn/build.ts';
import { count, plural } from '../report/table.ts';
import { loadClassifier, loadVector } from '../run/model-file.ts';
import { shellWord } from '../text.ts';
import type { TrainingExtras } from '../training/plan.ts';
import type { Host } from './host.ts';

/** What a path on the command line may be that names pictures with their labels. */
export const sourcePaths =
  'a folder with one sub-folder per class, a ZIP or tar of one, a .csv, an .h5, a packed .safetensors, or CIFAR-10';

/** What its bar is called: by it a program's host knows how far reading is. */
export const readingTitle = 'reading';

/** Shows how far the reading of each source is, and stops it when the user does. */
export function readProgress(host: Host): (source: string, done: number, total: number) => void {
  let current: { source: string; bar: ReturnType<Host['progress']> } | undefined;
  return (source, done, total) => {
    if (host.signal.aborted) {
      current?.bar.stop();
      throw host.signal.reason;
    }
    if (current?.source !== source) {
      current?.bar.stop();
      current = { source, bar: host.progress(readingTitle, total) };
    }
    current.bar.update(done, source);
    if (done === total) current.bar.stop();
  };
}

/** Where decoded pictures are kept. */
export interface DecodedPlaces {
  cache: DecodeCache | undefined;
  /** as long as the process lives, unless it is closed before */
  scratch: Scratch;
}

/** Does work with the cache of decoded pictures that the environment names, if it names one. */
export function withDecoded<T>(host: Host, work: (places: DecodedPlaces) => Promise<T>): Promise<T> {
  const { environment } = host;
  const scratch = host.scratch ?? scratchIn(scratchFolders(environment));
  return withCache(
    cachePlace(environment),
    (text) => host.warn(text),
    (cache) => work({ cache, scratch }),
  );
}

/** Names pictures that could not be read, with their reasons: the first of them, all with --verbose, and where the whole list is.
 *  @param of  what `nn data inspect` is to be given for it: a source, or --config and a config
 *  @returns a warning for the summary, if any */
export function warnOfFailures(host: Host, failures: readonly Failure[], of: readonly string[]): string[] {
  const named = failures.slice(0, host.verbose ? failures.length : mostFailuresNamed);
  for (const { name, reason } of named) host.warn(`${name}: ${reason}`);
  if (failures.length === 0) return [];
  const all = `nn data inspect ${of.map(shellWord).join(' ')} --all names all of them`;
  const unnamed = failures.length - named.length;
  if (unnamed > 0) host.warn(`${plural(unnamed, 'more picture')} could not be read: ${all}`);
  const listed = failures.slice(0, mostFailuresNamed).map(({ name, reason }) => `${name} (${reason})`);
  const rest = failures.length > mostFailuresNamed ? `, …; ${all}` : '';
  const were =
    failures.length === 1
      ? '1 picture could not be read and was'
      : `${count(failures.length)} pictures could not be read and were`;
  return [`${were} left out: ${listed.join(', ')}${rest}`];
}

/** Says which classes stand together as the negative one, where they are more than one. */
export function noteOthers(host: Host, where: string, positive: string, others: readonly string[]): void {
  if (others.length > 1) host.note(`${where}: ${positive} against all other classes together, ${listNames(others, ', ')}`);
}

/** Reads the files that a config names beside its pictures: weights to start from, a learning rate by feature.
 *  @throws UserError (model, usage) where they do not fit the network */
export async function readTrainingFiles(loaded: LoadedConfig, network: Network): Promise<TrainingExtras> {
  const { startFrom, learningRateByFeature: byFeature } = loaded.config.training;
  const extras: TrainingExtras = {};
  if (startFrom !== null) {
    const { classifier, file: model } = await loadClassifier(resolve(loaded.folder, startFrom));
    const difference = differenceOf(network, classifier.network);
    if (difference !== null) throw new UserError('model', `${loaded.file}: training.startFrom: ${difference} in ${model}`);
    extras.initialWeights = classifier.parameters.values;
  }
  if (byFeature !== null && byFeature !== 'inverseVariance')
    extras.featureLearningRates = await loadVector(resolve(loaded.folder, byFeature), network.inputs);
  return extras;
}

/** What tells two networks apart whose weights mean something else, in words; null where nothing does. */
function differenceOf(wanted: Network, found: Network): string | null {
  const sizes = (network: Network) => layerSizes(network).join(' → ');
  if (sizes(wanted) !== sizes(found)) return `expected a network ${sizes(wanted)} of the same activations, found ${sizes(found)}`;
  const kinds = ({ layers }: Network) => layers.map(kindOf);
  const l = kinds(wanted).findIndex((kind, i) => kind !== kinds(found)[i]);
  return l < 0 ? null : `expected ${kinds(wanted)[l]} in layer ${l + 1}, found ${kinds(found)[l]}`;
}

function kindOf(layer: Layer): string {
  const type = layer.type === undefined ? '' : `${layer.type} `;
  if ('layers' in layer) return `residual of ${layer.layers.map(kindOf).join(', ')}, ${layer.activation}`;
  if (!('activation' in layer)) return type.trim();
  const { activation, slope, batchNorm } = layer;
  return `${type}${activation}${activation === 'leakyRelu' ? ` of slope ${slope}` : ''}${batchNorm ? ' with batch norm' : ''}`;
}
