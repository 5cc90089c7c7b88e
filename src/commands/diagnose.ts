import { basename, dirname, join } from 'node:path';
import { type LoadedConfig, loadConfig, pathsOf, withoutPaths } from '../config/load.ts';
import { exists, removeFile } from '../data/disk.ts';
import { foldsWithoutDev } from '../datasets/divisions.ts';
import { openSources } from '../datasets/open.ts';
import { type PreparedData, prepareData } from '../datasets/prepare.ts';
import { refusalBy } from '../diagnosis/arms.ts';
import { conclude } from '../diagnosis/conclude.ts';
import { diagnose, type Findings, fixedExperiments } from '../diagnosis/diagnose.ts';
import { type Experiments, experimentsOn } from '../diagnosis/experiments.ts';
import { type DiagnosisSetup, setupOf } from '../diagnosis/setup.ts';
import { type Phase, timePlan, unlimited } from '../diagnosis/time-plan.ts';
import { titleOf } from '../diagnosis/treatments.ts';
import { type ExitKind, UserError } from '../errors.ts';
import { leastSeeds } from '../evaluation/gain.ts';
import { kernelsFor, useThreads } from '../kernels/select.ts';
import { noteOthers, readProgress, readTrainingFiles, warnOfFailures, withDecoded } from '../library/reading.ts';
import { diagnosisText, experimentText, shardText } from '../report/diagnose.ts';
import { plural } from '../report/table.ts';
import type { DiagnosisShard, Experiment, ExperimentResult, MeasuredDiagnosis } from '../results/experiments.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { experimentFiles, isSameDiagnosis, openExperiments, readExperiments } from '../run/experiment-folder.ts';
import { runsFolder, shownPath } from '../run/places.ts';
import { configOf, newRunFolder, refuseReplaced, runName } from '../run/run-folder.ts';
import { defaultsOfSearch, readSearchConfig, writeConfig } from '../run/search-folder.ts';
import { writtenSplitDigest } from '../run/split-file.ts';
import { estimateSeconds } from '../training/estimate.ts';
import { withoutTest } from '../training/experiment.ts';
import { refuseTooMuch } from '../training/memory.ts';
import { planTraining, prepareFit, type TrainingExtras } from '../training/plan.ts';
import { trialConfig } from '../training/trial.ts';
import { trialPool } from '../training/trial-pool.ts';
import type { Command, Context, Progress } from './command.ts';
import { writeDiagnosisReport } from './diagnose-report.ts';
import { configOption, jobsOption, numberFlag, type Shard, setOption, shardFlag, threadsOption } from './options.ts';
import { keepSplit } from './tune.ts';

interface Values {
  config?: string;
  set?: string[];
  minutes?: number;
  seeds?: number;
  jobs?: number;
  threads?: number;
  shard?: Shard;
  merge?: string[];
  output?: string;
  report?: string;
  write?: string;
}

/** Where neither is given. */
const ordinaryMinutes = 10;

export const command: Command<Values> = {
  options: [
    { ...configOption, unless: 'merge' },
    setOption,
    numberFlag('--minutes <m>', `stop after so long (default: ${ordinaryMinutes}; with --seeds alone there is no limit)`, {
      low: 0.01,
      high: 1e6,
    }),
    numberFlag('--seeds <n>', 'trainings of everything that is tried (default: 5); from three on there are intervals', {
      low: 2,
      high: 100,
      whole: true,
    }),
    jobsOption,
    threadsOption,
    {
      ...shardFlag('run the i-th of n shares of what depends on no result, such as 1/4; nothing is raced then'),
      conflicts: ['minutes', 'report', 'write'],
    },
    {
      flags: '--merge <dir...>',
      summary: 'go on with what several shards did, to the end',
      conflicts: ['config', 'set', 'shard', 'minutes'],
    },
    { flags: '-o, --output <dir>', summary: 'the folder of the diagnosis; an interrupted one goes on there' },
    { flags: '--report <file.html>', summary: 'write a page of it: gains, learning curve, suspect pictures' },
    { flags: '--write <file>', summary: 'write the config with what helps beyond chance, if anything does' },
    { flags: '--json', summary: 'print the result as JSON' },
  ],
  examples: [
    'nn diagnose --config configs/quickstart.json --minutes 2',
    'nn diagnose --config my.json --output runs/why --report why.html --write better.json',
    'nn diagnose --config my.json --seeds 5      # no limit: the same bits every time',
    'nn diagnose --config my.json --shard 1/2 --output runs/half-1      # and 2/2 elsewhere',
    'nn diagnose --merge runs/half-1 runs/half-2 --output runs/why',
  ],
  run: start,
};

async function start(context: Context, values: Values): Promise<ExitKind | undefined> {
  const began = performance.now();
  const passed = () => (performance.now() - began) / 1000;
  const threads = useThreads(values.threads, context.environment);
  const { loaded, merged } = await loadJob(context, values);
  const minutes = values.minutes ?? (values.seeds === undefined && !values.shard && !values.merge ? ordinaryMinutes : null);
  const jobs = values.jobs ?? threads;
  const goesOn = values.output !== undefined && (await exists(join(values.output, experimentFiles.config)));
  const { data, extras } = await prepare(context, loaded, { jobs, compareContents: goesOn });
  const output =
    values.output ??
    (await newRunFolder(join(runsFolder(context.environment), `diagnose-${runName(values.config ?? 'merged', new Date())}`)));
  await refuseReplaced(output, [experimentFiles.summary, experimentFiles.proposal], [configOf(loaded), ...pathsOf(loaded)]);
  for (const file of [values.write, values.report])
    if (file !== undefined) await refuseReplaced(dirname(file), [basename(file)], [configOf(loaded), ...pathsOf(loaded)]);
  const folder = await openExperiments(output, loaded);
  const bar = bars(context);
  const goOn = `The same command with --output ${output} goes on from there.`;
  const pool = trialPool({ loaded, extras }, { jobs, threads, onDeath: context.warn });
  const onAbort = () => pool.close();
  context.signal.addEventListener('abort', onAbort);
  const results = [...folder.known];
  try {
    await keepSplit(output, data);
    const record = async (result: ExperimentResult) => {
      results.push(result);
      await folder.append(result);
    };
    for (const result of unknownOf(merged, folder.known)) await record(result);
    const earlier = results.length;
    if (earlier > 0) context.note(`${output}: going on after ${plural(earlier, 'finished training')}`);
    const setup = setupOf(loaded, data, {
      seeds: values.seeds ?? seedsOf(merged, loaded),
      isTimed: minutes !== null,
      isRaced: !values.shard && !values.merge,
      hasTest: hasTest(loaded, data),
    });
    const began = (job: Experiment) => bar.began(experimentText(titleOf(loaded.config, setup.setting, job.set), job));
    const experiments = experimentsOn({ runner: pool, known: results, record, began, ended: bar.ended });
    const refusal = refusalOf(data, jobs);
    if (values.shard) {
      const own = fixedExperiments({ setup, refusal }).filter((_, i) => i % values.shard!.count === values.shard!.index);
      bar.begins('treatments', own.filter((job) => experiments.find(job) === undefined).length);
      await experiments.run(own);
      bar.stop();
      printShard(context, { output, shard: values.shard, trainings: own.length, seconds: passed() });
      return undefined;
    }
    if (minutes !== null && earlier === 0) await refuseTooShort({ loaded, data, extras }, { minutes, jobs });
    const time = minutes === null ? unlimited : timePlan(minutes * 60, passed);
    const findings = await diagnose({ setup, experiments, time, begins: bar.begins, refusal });
    bar.stop();
    const session = { seconds: passed(), trainings: results.length, earlier, minutes };
    await finish(context, { setup, experiments, findings, data, output, session, values });
    return undefined;
  } catch (error) {
    bar.stop();
    if (context.signal.aborted) {
      context.note(`Interrupted. ${goOn}`);
      return (context.signal.reason as UserError).kind;
    }
    if (results.length > 0) context.complain(`What is finished is kept. ${goOn}`);
    throw error;
  } finally {
    context.signal.removeEventListener('abort', onAbort);
    pool.close();
    await folder.close();
  }
}

/** The config that is diagnosed, and what other machines have done of it.
 *  @throws UserError (usage) where folders are of different diagnoses */
async function loadJob(context: Context, values: Values): Promise<{ loaded: LoadedConfig; merged: ExperimentResult[] }> {
  const { config, set, output, merge } = values;
  if (merge === undefined) return { loaded: await loadConfig(config!, set, await defaultsOfSearch(output)), merged: [] };
  const first = merge[0]!;
  const loaded = await readSearchConfig(first);
  const pictures = await writtenSplitDigest(first);
  const merged: ExperimentResult[] = [];
  for (const folder of merge) {
    const other = await readSearchConfig(folder);
    if (!isSameDiagnosis(withoutPaths(other.config), withoutPaths(loaded.config))) {
      throw new UserError(
        'usage',
        `--merge ${folder}: expected the diagnosis of ${first}, found another: their config.json differ`,
        { hint: 'What is merged differs in nothing but the places of the pictures.' },
      );
    }
    if ((await writtenSplitDigest(folder)) !== pictures)
      context.warn(
        `--merge ${folder}: its split.csv is not that of ${first}: figures for other pictures say little of each other`,
      );
    merged.push(...(await readExperiments(folder)));
  }
  return { loaded, merged };
}

/** How many seeds shards were run with: those of the config as it is. */
function seedsOf(merged: readonly ExperimentResult[], { config }: LoadedConfig): number | null {
  const whole = merged.filter(({ set, share, division }) => set.length === 0 && share === 1 && division === 0);
  const seeds = new Set(whole.map(({ seed }) => seed));
  let count = 0;
  while (seeds.has(config.seed + count)) count++;
  return count === 0 ? null : count;
}

/** Those that are not there yet. */
function unknownOf(merged: readonly ExperimentResult[], known: readonly ExperimentResult[]): ExperimentResult[] {
  const texts = new Set(known.map((one) => JSON.stringify(one)));
  return merged.filter((one) => !texts.has(JSON.stringify(one)));
}

function printShard(
  context: Context,
  { output, shard: { index, count }, trainings, seconds }: { output: string; shard: Shard; trainings: number; seconds: number },
): void {
  const result: DiagnosisShard = { output: shownPath(output), shard: index + 1, shards: count, trainings, seconds };
  context.print(context.json ? JSON.stringify(result) : shardText(result));
}

/** @throws UserError (usage) where so few minutes do not suffice for the config as it is: three trainings */
async function refuseTooShort(
  { loaded: { config }, data, extras }: { loaded: LoadedConfig; data: PreparedData; extras: TrainingExtras },
  { minutes, jobs }: { minutes: number; jobs: number },
): Promise<void> {
  const { splits, folds } = data;
  const kernels = kernelsFor(config.precision, config.arithmetic);
  const once = estimateSeconds(await prepareFit(config, splits, planTraining(config, splits, kernels), kernels, extras));
  const each = once * (splits.dev === undefined ? (folds?.count ?? foldsWithoutDev) : 1);
  const least = (leastSeeds * each) / Math.min(jobs, leastSeeds) / 60;
  if (least <= minutes) return;
  throw new UserError(
    'usage',
    `--minutes ${minutes}: expected time for ${leastSeeds} trainings at least, which take about ${least.toPrecision(2)} minutes`,
    { hint: `With --minutes ${Math.ceil(least * trainingsWorthwhile)} some remedies are tried as well.` },
  );
}

/** So many times the time of the config as it is make a diagnosis that says something. */
const trainingsWorthwhile = 20;

const hasTest = ({ config }: LoadedConfig, { splits }: PreparedData) =>
  config.data.test !== undefined || splits.test !== undefined;

/** The pictures of train and dev; the places of test are looked at, its pictures are not. */
async function prepare(
  context: Context,
  loaded: LoadedConfig,
  { jobs, compareContents }: { jobs: number; compareContents: boolean },
): Promise<{ data: PreparedData; extras: TrainingExtras }> {
  await openSources(loaded);
  const without = withoutTest(loaded);
  const reading = { strict: false, compareContents, onProgress: readProgress(context) };
  const data = await withDecoded(context, (places) => prepareData(without, { ...reading, ...places }));
  warnOfFailures(context, data.failures, ['--config', loaded.file]);
  noteOthers(context, loaded.file, data.classes.positive, data.others);
  for (const note of data.notes) context.warn(note);
  const { network, memory } = planTraining(
    loaded.config,
    data.splits,
    kernelsFor(loaded.config.precision, loaded.config.arithmetic),
  );
  refuseTooMuch(memory, { processes: jobs });
  return { data, extras: await readTrainingFiles(loaded, network) };
}

/** Whether a config can be trained on these pictures, so many at once. */
function refusalOf({ splits }: PreparedData, jobs: number) {
  return refusalBy((config) => {
    const { memory } = planTraining(config, splits, kernelsFor(config.precision, config.arithmetic));
    refuseTooMuch(memory, { processes: jobs });
  });
}

/** What each phase does. */
const phaseTitles: Record<Phase | 'baseline', string> = {
  baseline: 'as it is',
  treatments: 'remedies',
  combination: 'combination',
  curve: 'learning curve',
  meter: 'other divisions',
  final: 'fresh seeds',
  more: 'remedies that take longer',
};

/** A bar for each phase, with what is being tried. */
function bars(context: Context) {
  let bar: Progress | undefined;
  let done = 0;
  return {
    begins: (phase: Phase | 'baseline', trainings: number) => {
      bar?.stop();
      done = 0;
      bar = context.progress(phaseTitles[phase], trainings);
    },
    began: (text: string) => bar?.update(done, text),
    ended: () => bar?.update(++done),
    stop: () => bar?.stop(),
  };
}

interface Found {
  setup: DiagnosisSetup;
  experiments: Experiments;
  findings: Findings;
  data: PreparedData;
  output: string;
  session: Pick<MeasuredDiagnosis, 'seconds' | 'trainings' | 'earlier' | 'minutes'>;
  values: Pick<Values, 'write' | 'report'>;
}

async function finish(context: Context, { output, session, values: { write, report }, ...concluded }: Found): Promise<void> {
  const { loaded } = concluded.setup;
  const proposalFile = join(output, experimentFiles.proposal);
  const places = { output: shownPath(output), config: loaded.file, proposalFile: shownPath(proposalFile) };
  const result = await conclude(concluded, { ...session, ...places });
  if (result.proposal) {
    const proposed = { ...loaded, config: trialConfig(loaded, result.proposal.set) };
    await writeConfig(proposalFile, proposed, output);
    if (write !== undefined) await writeConfig(write, proposed, dirname(write));
  } else {
    await removeFile(proposalFile); // of an earlier session
    if (write !== undefined) context.note(`--write ${write}: nothing helps beyond chance, so there is no better config to write`);
  }
  await writeFileAtomically(join(output, experimentFiles.summary), `${JSON.stringify(result, null, 2)}\n`);
  if (report !== undefined) await writeDiagnosisReport(context, report, { loaded, data: concluded.data, found: result });
  context.print(context.json ? JSON.stringify(result) : diagnosisText(result, context.style));
}
