import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { namedRandom } from '../../src/random.ts';
import type { Judged } from './judges.ts';
import { mutate, oneIn, pick } from './mutations.ts';
import type { readerProcess, Watched } from './reader-process.ts';
import type { Seed, Target } from './targets.ts';

export interface Result {
  inputs: number;
  refused: number;
  accepted: number;
  /** the longest that one input took, and the most memory */
  seconds: number;
  megabytes: number;
  findings: Finding[];
}

export interface Finding {
  input: number;
  why: string;
}

interface Campaign {
  name: string;
  target: Target;
  seeds: readonly Seed[];
  reader: ReturnType<typeof readerProcess>;
  /** where inputs are written, and where those stay that find something */
  folders: { work: string; findings: string };
  seed: number;
  /** the first input, and how many */
  from: number;
  count: number;
}

/** Inputs between two looks at whether a sound file is still read as before. */
const between = 100;

/** Gives a reader inputs, each named by the seed, the target and its number; @returns what became of them */
export async function fuzz(campaign: Campaign): Promise<Result> {
  const { seeds, count, from } = campaign;
  const result: Result = { inputs: 0, refused: 0, accepted: 0, seconds: 0, megabytes: 0, findings: [] };
  const sound: Record<string, unknown>[] = [];
  const lookAtSound = async () => {
    for (const [i, seed] of seeds.entries()) {
      const outcome = await read(campaign, seed, seed.bytes, true);
      const wrong = soundFault(outcome, sound[i]);
      if (wrong !== null) await note(campaign, result, { input: -1 - i, why: wrong, bytes: seed.bytes });
      else sound[i] ??= ('answer' in outcome && outcome.answer) || {};
    }
  };
  for (let n = 0; n < count; n++) {
    if (n % between === 0) await lookAtSound();
    await one(campaign, from + n, sound, result);
  }
  await lookAtSound();
  return result;
}

function soundFault(outcome: Watched, before: Record<string, unknown> | undefined): string | null {
  if (!('answer' in outcome)) return `a sound file: ${JSON.stringify(outcome)}`;
  if (before === undefined || JSON.stringify(before) === JSON.stringify(outcome.answer)) return null;
  return 'a sound file is read otherwise than before';
}

async function one(campaign: Campaign, input: number, sound: readonly Record<string, unknown>[], result: Result): Promise<void> {
  const { bytes, seed, isBlind, isSame } = inputOf(campaign, input);
  const outcome = await read(campaign, seed, bytes);
  result.inputs++;
  result.seconds = Math.max(result.seconds, outcome.seconds);
  result.megabytes = Math.max(result.megabytes, outcome.bytes / 2 ** 20);
  if ('refused' in outcome) result.refused++;
  if ('answer' in outcome) result.accepted++;
  const expected = isSame ? sound[campaign.seeds.indexOf(seed)] : undefined;
  const why = findingIn(outcome, campaign.target, { bytes, isBlind, sound }, expected);
  if (why !== null) await note(campaign, result, { input, why, bytes });
}

function findingIn(
  outcome: Watched,
  { refusals, judge }: Target,
  judged: Omit<Judged, 'answer'>,
  expected: Record<string, unknown> | undefined,
): string | null {
  if ('fault' in outcome) return outcome.fault;
  if ('refused' in outcome) {
    const { kind, message } = outcome.refused;
    if (expected !== undefined) return `refused, though it says the same in other words: ${message}`;
    return refusals.includes(kind) ? null : `refused as ${kind}: ${message}`;
  }
  const { answer } = outcome;
  if (expected !== undefined && JSON.stringify(answer) !== JSON.stringify(expected))
    return 'the same in other words is read otherwise';
  return judge({ ...judged, answer });
}

/** The n-th input of a target: the same for the same seed. */
export function inputOf(
  { name, target, seeds, seed: number }: Pick<Campaign, 'name' | 'target' | 'seeds' | 'seed'>,
  input: number,
) {
  const random = namedRandom(number, `fuzz ${name}`, input);
  const seed = pick(random, seeds);
  const whole = { seed, isSame: false };
  if (target.same && oneIn(random, 30))
    return { ...whole, bytes: Buffer.from(target.same(random, seed.bytes)), isBlind: false, isSame: true };
  if (target.rewrite && oneIn(random, 2))
    return { ...whole, bytes: Buffer.from(target.rewrite(random, seed, seeds)), isBlind: false };
  const others = seeds.map(({ bytes }) => bytes);
  return { ...whole, bytes: mutate(random, seed.bytes, others), isBlind: true };
}

let files = 0;

/** Reads bytes as a file of a name of its own: what was read before may still be open. */
async function read(
  { target, folders, reader }: Campaign,
  { extra }: Seed,
  bytes: Uint8Array,
  isSound = false,
): Promise<Watched> {
  const path = join(folders.work, `input-${++files}.${target.extension}`);
  await writeFile(path, bytes);
  const outcome = await reader.ask({ reader: target.reader, path, ...(extra && { extra }) }, isSound);
  await rm(path, { force: true });
  return outcome;
}

async function note(
  { name, target, folders, seed }: Campaign,
  { findings }: Result,
  { bytes, ...finding }: Finding & { bytes: Uint8Array },
): Promise<void> {
  findings.push(finding);
  await mkdir(folders.findings, { recursive: true });
  const file = join(folders.findings, `${name} ${seed} ${finding.input}`);
  await writeFile(`${file}.${target.extension}`, bytes);
  await writeFile(`${file}.txt`, `${finding.why}\n`);
}
