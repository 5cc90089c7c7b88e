import { join } from 'node:path';
import { type LoadedConfig, loadConfig, pathsOf, withoutPaths } from '../config/load.ts';
import type { SearchConfig } from '../config/schema.ts';
import { exists, makeFolder } from '../data/disk.ts';
import { type PreparedData, prepareData } from '../datasets/prepare.ts';
import { type ExitKind, UserError } from '../errors.ts';
import { kernelsFor, useThreads } from '../kernels/select.ts';
import { noteOthers, readProgress, readTrainingFiles, warnOfFailures, withDecoded } from '../library/reading.ts';
import { rankingCsv, tuneText } from '../report/tune.ts';
import type { RankedTrial, TrialResult, TuneSummary } from '../results/tuning.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { runsFolder, shownPath } from '../run/places.ts';
import { configOf, newRunFolder, refuseReplaced, runName } from '../run/run-folder.ts';
import {
  defaultsOfSearch,
  isSameSearch,
  openSearch,
  readSearchConfig,
  readTrials,
  readUntuned,
  searchFiles,
  writeConfig,
} from '../run/search-folder.ts';
import { changesSince, splitDigest, writeSplit, writtenSplitDigest } from '../run/split-file.ts';
import { refuseTooMuch } from '../training/memory.ts';
import { planTraining, type TrainingExtras } from '../training/plan.ts';
import { isMisfit, trialConfig, trialSets } from '../training/trial.ts';
import { poolClosed, trialPool } from '../training/trial-pool.ts';
import { halvingFactor, rankTrials, rungEpochs, tune } from '../training/tune.ts';
import type { Command, Context } from './command.ts';
import { configOption, jobsOption, numberFlag, type Shard, setOption, shardFlag, threadsOption } from './options.ts';
import { trainUntuned, writeTuneReport } from './tune-report.ts';

interface Values {
  config?: string;
  set?: string[];
  trials?: number;
  minutes?: number;
  jobs?: number;
  threads?: number;
  shard?: Shard;
  merge?: string[];
  output?: string;
  report?: string;
}

export const command: Command<Values> = {
  options: [
    { ...configOption, summary: 'the JSON config, with a section "search"', required: false },
    setOption,
    numberFlag('--trials <n>', "how many trials (default: the config's)", { low: 1, high: 1e6, whole: true }),
    numberFlag('--minutes <m>', 'as many trials as end within so long', { low: 0.01, high: 1e6 }),
    jobsOption,
    threadsOption,
    shardFlag('run the i-th of n shares of the trials, such as 1/4'),
    { flags: '--merge <dir...>', summary: 'rank the trials of several searches, such as shards, together' },
    { flags: '-o, --output <dir>', summary: 'the folder of the search; an interrupted one goes on there' },
    {
      flags: '--report <file.html>',
      summary: 'write a page of it: cost by parameter, importance; trains the config that is not tuned once',
    },
    { flags: '--json', summary: 'print the ranking as JSON' },
  ],
  examples: [
    'nn tune --config configs/tune-quickstart.json --trials 20',
    'nn tune --config my.json --minutes 10 --output runs/search',
    'nn tune --config my.json --trials 40 --report search.html',
    'nn tune --config my.json --shard 1/4 --output runs/shard-1   # and 2/4, 3/4, 4/4 elsewhere',
    'nn tune --merge runs/shard-1 runs/shard-2 --output runs/search',
  ],
  run: start,
};

async function start(context: Context, values: Values): Promise<ExitKind | undefined> {
  const began = performance.now();
  if (values.merge !== undefined) return merge(context, values, values.merge, began);
  if (values.config === undefined)
    throw new UserError('usage', 'nn tune: expected --config FILE, or --merge DIR…, found neither');
  const threads = useThreads(values.threads, context.environment);
  const loaded = await loadConfig(values.config, values.set, await defaultsOfSearch(values.output));
  const search = searchOf(loaded);
  if (values.trials !== undefined && values.minutes !== undefined)
    throw new UserError('usage', 'nn tune: expected --trials or --minutes, found both');
  if (values.shard && search.strategy === 'halving') {
    throw new UserError(
      'usage',
      '--shard: expected search.strategy "random", found "halving": each of its rungs needs the results of all trials',
    );
  }
  const jobs = values.jobs ?? threads;
  const compareContents = values.output !== undefined && (await exists(join(values.output, searchFiles.config))); // it goes on
  const { extras, data } = await checkFirstTrial(context, loaded, { search, jobs, compareContents });
  const output =
    values.output ?? (await newRunFolder(join(runsFolder(context.environment), `tune-${runName(values.config, new Date())}`)));
  const { config: _, journal: __, ...replaced } = searchFiles;
  await refuseReplaced(output, Object.values(replaced), [configOf(loaded), ...pathsOf(loaded)]);
  const folder = await openSearch(output, loaded);
  await keepSplit(output, data).catch(async (error) => {
    await folder.close();
    throw error;
  });
  const known = folder.known.filter(
    (one) => JSON.stringify(one.set) === JSON.stringify(trialSets(search, loaded.config.seed, one.trial)),
  );
  if (known.length > 0) context.note(`${output}: going on after ${known.length} finished trainings`);
  const results: TrialResult[] = [];
  const pool = trialPool({ loaded, extras }, { jobs, threads, onDeath: context.warn });
  const trials = values.minutes === undefined ? (values.trials ?? search.trials) : null;
  const bar = context.progress(
    trials === null ? 'seconds' : 'training',
    trials === null ? values.minutes! * 60 : trainings(search, trials, loaded.config.training.epochs, values.shard?.count ?? 1),
    trials === null ? 0 : known.length,
  );
  let [deadline, timer] = [Number.POSITIVE_INFINITY, undefined as NodeJS.Timeout | undefined];
  context.signal.addEventListener('abort', () => pool.close());
  const goOn = `The same command with --output ${output} goes on with the very same trials.`;
  const stopped = () => context.signal.aborted || performance.now() >= deadline;
  try {
    if (values.report !== undefined) await trainUntuned(context, { loaded, extras }, { output, threads });
    if (values.minutes !== undefined) {
      const before = values.report === undefined ? began : performance.now(); // --minutes are those of the trials
      deadline = before + values.minutes * 60_000;
      timer = setTimeout(() => pool.close(), Math.max(0, deadline - performance.now()));
    }
    const options = {
      search,
      epochs: loaded.config.training.epochs,
      runner: pool,
      trials,
      shard: values.shard ?? { index: 0, count: 1 },
      known,
      stop: stopped,
    };
    for await (const result of tune(options)) {
      if (!known.includes(result)) await folder.append(result);
      results.push(result);
      const [best] = rankTrials(results, search.metric);
      const detail = best?.score
        ? `best accuracy ${(best.score.accuracy * 100).toFixed(1)}%, cost ${best.score.cost.toFixed(4)} (trial ${best.trial})`
        : 'none succeeded yet';
      bar.update(
        trials === null ? Math.min(values.minutes! * 60, Math.round((performance.now() - began) / 1000)) : results.length,
        detail,
      );
    }
  } catch (error) {
    if (error !== poolClosed) {
      context.complain(results.length > 0 ? `What is finished is kept. ${goOn}` : goOn);
      throw error;
    } // else the time is up, or the user stopped it: what was under way does not count
  } finally {
    bar.stop();
    clearTimeout(timer);
    pool.close();
    await folder.close();
  }
  const interrupted = context.signal.aborted;
  if (results.length > 0 || !interrupted) {
    const found = {
      output,
      folders: [output],
      loaded,
      results,
      earlier: known.length,
      seconds: (performance.now() - began) / 1000,
    };
    await finish(context, found, values.report);
  }
  if (!interrupted) return undefined;
  context.note(`Interrupted. ${goOn}`);
  return (context.signal.reason as UserError).kind;
}

/** Ranks the trials of several folders of one search. */
async function merge(context: Context, values: Values, folders: readonly string[], began: number): Promise<undefined> {
  const loaded = await readSearchConfig(folders[0]!);
  const results: TrialResult[] = [];
  const pictures = await writtenSplitDigest(folders[0]!);
  for (const folder of folders) {
    const other = await readSearchConfig(folder);
    searchOf(other); // refuses what is no search
    if (!isSameSearch(withoutPaths(other.config), withoutPaths(loaded.config))) {
      throw new UserError(
        'usage',
        `--merge ${folder}: expected the search of ${folders[0]}, found another: their config.json differ`,
        {
          hint: 'Trials can be ranked together where nothing but the number of trials and the places of the pictures differ.',
        },
      );
    }
    const mark = await writtenSplitDigest(folder); // null where an older version searched
    if (mark !== null && pictures !== null && mark !== pictures)
      context.warn(
        `--merge ${folder}: its split.csv is not that of ${folders[0]}: figures for other pictures say little of each other`,
      );
    results.push(...(await readTrials(folder)));
  }
  const output = values.output ?? folders[0]!;
  const found = { output, folders, loaded, results, earlier: results.length, seconds: (performance.now() - began) / 1000 };
  await finish(context, found, values.report);
}

interface Found {
  output: string;
  /** of the search, or those that are merged */
  folders: readonly string[];
  loaded: LoadedConfig;
  results: readonly TrialResult[];
  /** how many of them were there before */
  earlier: number;
  seconds: number;
}

/** Ranks, writes the ranking, the best config and the page that is asked for, and prints. */
async function finish(
  context: Context,
  { output, folders, loaded, results, earlier, seconds }: Found,
  report: string | undefined,
): Promise<void> {
  const search = searchOf(loaded);
  if (results.length === 0)
    throw new UserError('usage', `${output}: no trial has finished`, {
      hint: 'Give it more --minutes, or fewer training.epochs.',
    });
  const ranked = rankTrials(results, search.metric);
  const ranking = ranked.map(
    (result, i): RankedTrial => ({ rank: i + 1, trial: result.trial, ...figuresOf(result), set: result.set }),
  );
  const succeeded = ranked[0]?.score ? ranked[0] : undefined;
  const best = join(output, searchFiles.best);
  await makeFolder(output);
  await writeFileAtomically(join(output, searchFiles.rankingCsv), `${rankingCsv(ranking)}\n`);
  await writeFileAtomically(join(output, searchFiles.rankingJson), `${JSON.stringify(ranking, null, 2)}\n`);
  if (succeeded) await writeConfig(best, { ...loaded, config: trialConfig(loaded, succeeded.set) }, output);
  const { strategy, metric } = search;
  const untuned = (await Promise.all(folders.map(readUntuned))).find((one) => one !== null) ?? null;
  const summary: TuneSummary = {
    output: shownPath(output),
    best: succeeded ? shownPath(best) : null,
    strategy,
    metric,
    trials: ranking.length,
    earlier,
    seconds,
    ranking,
    untuned: untuned && figuresOf(untuned),
  };
  if (report !== undefined) await writeTuneReport(context, report, { folder: folders[0]!, loaded, search, results, summary });
  context.print(context.json ? JSON.stringify(summary) : tuneText(summary));
}

const figuresOf = ({ epochs, score, seconds, error }: TrialResult) => ({
  epochs,
  cost: score?.cost ?? null,
  accuracy: score?.accuracy ?? null,
  accuracyInterval: score?.accuracyInterval ?? null,
  bestEpoch: score?.bestEpoch ?? null,
  seconds,
  error,
});

/** A mistake in the config or the data is said before any worker starts. */
async function checkFirstTrial(
  context: Context,
  loaded: LoadedConfig,
  { search, jobs, compareContents }: { search: SearchConfig; jobs: number; compareContents: boolean },
): Promise<{ extras: TrainingExtras; data: PreparedData }> {
  const set = trialSets(search, loaded.config.seed, 0);
  const config = trialConfig(loaded, set);
  const reading = { strict: false, compareContents, onProgress: readProgress(context) };
  const data = await withDecoded(context, async (places) => {
    const prepared = await prepareData({ ...loaded, config }, { ...reading, ...places });
    places.scratch.close(); // the pixels are the workers' to read, each for itself
    return prepared;
  });
  warnOfFailures(context, data.failures, ['--config', loaded.file]);
  noteOthers(context, loaded.file, data.classes.positive, data.others);
  for (const note of data.notes) context.warn(note);
  const planned = isMisfit(loaded, set, data) ? trialConfig(loaded, []) : config;
  const { network, memory } = planTraining(planned, data.splits, kernelsFor(config.precision, config.arithmetic));
  refuseTooMuch(memory, { processes: jobs });
  return { extras: await readTrainingFiles({ ...loaded, config }, network), data };
}

/** Writes down which pictures the first trial has, or compares them with those that the search began with: trials of others can't be
 *  ranked together.
 *  @throws UserError (data) naming what has changed */
export async function keepSplit(output: string, { splits: parts, classes }: PreparedData): Promise<void> {
  const written = await writtenSplitDigest(output);
  if (written === null) await writeSplit(output, parts, classes);
  else if (written !== (await splitDigest(parts, classes))) {
    const found = await changesSince(output, parts, classes);
    throw new UserError('data', `${output}: expected the pictures that the search began with, found ${found}`, {
      hint: 'Bring those back; or search anew, with another --output.',
    });
  }
}

function searchOf({ config, file }: LoadedConfig): SearchConfig {
  if (config.search !== undefined) return config.search;
  throw new UserError('usage', `${file}: search: expected what nn tune is to vary, found nothing`, {
    hint: 'For example "search": { "parameters": { "training.learningRate": { "logUniform": [0.0001, 1] } } }.',
  });
}

/** How many trainings a search is, for the progress bar. */
function trainings(search: SearchConfig, trials: number, epochs: number, shards: number): number {
  if (search.strategy === 'random') return Math.ceil(trials / shards);
  let [left, sum] = [trials, 0];
  for (const _ of rungEpochs(epochs, trials)) {
    sum += left;
    left = Math.ceil(left / halvingFactor);
  }
  return sum;
}
