import { EventEmitter, on } from 'node:events';
import { checkConfig, type LoadedConfig, loadConfig } from '../config/load.ts';
import type { ConfigInput } from '../config/schema.ts';
import type { JournalEpoch, JournalLine } from '../results/journal.ts';
import type { TrainSummary } from '../results/summary.ts';
import { runsFolder, shownPath } from '../run/places.ts';
import { refuseRun } from '../run/run-folder.ts';
import type { TrainingJob } from '../training/trainer.ts';
import type { Host } from './host.ts';
import { forProgram } from './nn-error.ts';
import { prepareJob } from './prepare-job.ts';
import { withProgramHost } from './program-host.ts';
import { resumeRun } from './resume.ts';
import { type Trained, trainRun } from './train-run.ts';

/** A training that goes on: its promise gives the summary, as `nn train --json` prints it, and it can be iterated for what happens
 *  meanwhile, from when that begins. To leave the iteration does not stop it; the signal does. */
export interface Training extends Promise<TrainSummary>, AsyncIterable<TrainingEvent> {}

/** What happens in a training. */
export type TrainingEvent =
  | {
      type: 'reading';
      /** what is read */
      source: string;
      /** pictures of it, of `total` */
      done: number;
      total: number;
    }
  | {
      type: 'started';
      /** the folder of the run */
      run: string;
      /** to train */
      epochs: number;
      /** numbers that training moves */
      parameters: number;
      examples: TrainSummary['examples'];
    }
  | ({ type: 'epoch' } & JournalEpoch)
  | { type: 'warning'; text: string }
  | { type: 'note'; text: string };

/** What `train` and `resume` both take. */
export interface TrainingOptions {
  /** aborts the training: what it has learnt is saved, and the promise rejects with the signal's reason. `resume` goes on with the run */
  signal?: AbortSignal | undefined;
  /** whether report.html is written into the run; true where it is left out */
  report?: boolean | undefined;
}

export interface TrainOptions extends TrainingOptions {
  /** fields of the config for this once: { 'training.epochs': 50 } */
  set?: Readonly<Record<string, unknown>> | undefined;
  /** the folder of the run; where it is left out, one in NN_RUNS, else in `runs`, named after the config and the time */
  output?: string | undefined;
  /** whether a run that is in `output` is overwritten */
  force?: boolean | undefined;
  /** whether a picture that can't be read is an error, and not left out with a warning */
  strict?: boolean | undefined;
}

/** Trains as a config says, evaluates the result and saves all of it in the folder of a run, as `nn train` does, to the same bits.
 *  @param config  a path, or what stands in such a file; paths in it are relative to the file, or to the working folder
 *  @throws NnError; the reason of the signal */
export function train(config: string | ConfigInput, options: TrainOptions = {}): Training {
  const { signal, set = {}, output, force = false, strict = false, report: wantsReport = true } = options;
  return begin(signal, async (host, started) => {
    const sets = Object.entries(set).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
    const loaded = await configOf(config, sets);
    if (output !== undefined) await refuseRun(output, loaded, force);
    const job = await prepareJob(host, loaded, { strict });
    return trainRun(job, runsFolder(host.environment), { output, force, wantsReport, started });
  });
}

/** Goes on with a run that was stopped, to the bits of one that never was, as `nn train --resume` does.
 *  @param run             its folder
 *  @param options.epochs  more of them than the run began with
 *  @throws NnError; the reason of the signal */
export function resume(run: string, options: TrainingOptions & { epochs?: number | undefined } = {}): Training {
  const { signal, epochs, report: wantsReport = true } = options;
  const sets = epochs === undefined ? [] : [`training.epochs=${epochs}`];
  return begin(signal, (host, started) => resumeRun(host, run, { sets, wantsReport, started }));
}

async function configOf(config: string | ConfigInput, sets: readonly string[]): Promise<LoadedConfig> {
  if (typeof config === 'string') return loadConfig(config, sets);
  return { config: checkConfig(config, objectName, sets), folder: process.cwd(), file: objectName };
}

/** How errors and the names of runs call a config that is no file. */
const objectName = 'config';

type Started = (path: string, job: TrainingJob) => void;

function begin(signal = new AbortController().signal, work: (host: Host, started: Started) => Promise<Trained>): Training {
  const emitter = new EventEmitter();
  const tell = (event: TrainingEvent) => void emitter.emit('event', event);
  let hasEnded = false;
  const promise = forProgram(async () => {
    await null; // so that who iterates at once misses nothing
    try {
      return await summaryOf(signal, tell, work);
    } finally {
      hasEnded = true;
      emitter.emit('end');
    }
  });
  async function* events(): AsyncGenerator<TrainingEvent> {
    if (!hasEnded) for await (const [event] of on(emitter, 'event', { close: ['end'] })) yield event as TrainingEvent;
    await promise;
  }
  const iterate = () => {
    promise.catch(() => {}); // the iteration throws it
    return events();
  };
  return Object.assign(promise, { [Symbol.asyncIterator]: iterate });
}

function summaryOf(
  signal: AbortSignal,
  tell: (event: TrainingEvent) => void,
  work: (host: Host, started: Started) => Promise<Trained>,
): Promise<TrainSummary> {
  const listening = {
    signal,
    warning: (text: string) => tell({ type: 'warning', text }),
    note: (text: string) => tell({ type: 'note', text }),
    reading: (source: string, done: number, total: number) => tell({ type: 'reading', source, done, total }),
    journalled: (line: JournalLine) => {
      if ('epoch' in line) tell({ type: 'epoch', ...line });
    },
  };
  return withProgramHost(listening, async (host) => {
    const { summary } = await work(host, (path, { plan, loaded }) => {
      const { examples, parameters } = plan;
      tell({ type: 'started', run: shownPath(path), epochs: loaded.config.training.epochs, parameters, examples });
    });
    if (summary.stopped === 'interrupted') throw signal.reason;
    return summary;
  });
}
