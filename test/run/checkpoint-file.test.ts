import { mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import {
  checkpointNames,
  dropNewest,
  loadCheckpoint,
  type StoredCheckpoint,
  saveCheckpoint,
} from '../../src/run/checkpoint-file.ts';

const [newest, previous] = checkpointNames;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-checkpoint-'));
});
afterEach(() => rm(folder, { recursive: true }));

const checkpoint = (n: number): StoredCheckpoint => ({
  content: { epoch: n, text: 'é "sha256":"0" \u0000' },
  tensors: { parameters: Float32Array.of(n, 0.1, -0), costs: Float64Array.of(0.1, n), empty: new Float64Array() },
});
const load = () => loadCheckpoint(folder, async (found) => found);
const at = (name: string) => join(folder, name);

async function refusal(act: () => Promise<unknown>): Promise<UserError> {
  const error = await act().then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

test('what is saved comes back, and nothing else stands in the folder', async () => {
  await saveCheckpoint(folder, checkpoint(1));
  expect(await load()).toEqual({ accepted: checkpoint(1), damage: null });
  expect(await readdir(folder)).toEqual([newest]);
});

test('the newest comes back; the one before is kept, those before it are not', async () => {
  for (const n of [1, 2, 3]) await saveCheckpoint(folder, checkpoint(n));
  expect((await load())!.accepted).toEqual(checkpoint(3));
  expect((await readdir(folder)).sort()).toEqual([previous, newest].sort());
  await rm(at(newest));
  expect(await load()).toEqual({ accepted: checkpoint(2), damage: `${at(newest)}: no such file` });
});

test('a folder without any gives null', async () => {
  expect(await load()).toBe(null);
});

describe('a newest one that is damaged falls back to the one before, and says what is wrong with it', () => {
  beforeEach(async () => {
    await saveCheckpoint(folder, checkpoint(1));
    await saveCheckpoint(folder, checkpoint(2));
  });

  const damages: Record<string, () => Promise<unknown>> = {
    empty: () => writeFile(at(newest), ''),
    'cut off in its header': () => truncate(at(newest), 50),
    'cut off at its end': async () => truncate(at(newest), (await readFile(at(newest))).length - 1),
    longer: async () => writeFile(at(newest), Buffer.concat([await readFile(at(newest)), Buffer.of(0)])),
    zeros: async () => writeFile(at(newest), Buffer.alloc((await readFile(at(newest))).length)),
    'another file': () => writeFile(at(newest), 'a text'),
  };
  test.each(Object.entries(damages))('%s', async (_, damage) => {
    await damage();
    const found = await load();
    expect(found!.accepted).toEqual(checkpoint(1));
    expect(found!.damage).toMatch(new RegExp(`^${at(newest)}: `));
  });

  test('any one bit turned over', async () => {
    const bytes = await readFile(at(newest));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        const turned = Uint8Array.from(bytes);
        turned[bit >> 3]! ^= 1 << (bit & 7);
        await writeFile(at(newest), turned);
        expect((await load())!.accepted).toEqual(checkpoint(1));
      }),
      { numRuns: 300 },
    );
  });

  test('not to be gone on from for another reason, which the caller finds', async () => {
    const found = await loadCheckpoint(folder, async ({ content }, file) => {
      if ((content as { epoch: number }).epoch === 2) throw new UserError('model', `${file}: not this one`);
      return content;
    });
    expect(found).toEqual({ accepted: checkpoint(1).content, damage: `${at(newest)}: not this one` });
  });

  test('but other errors are not taken for damage', async () => {
    const refuse = () => Promise.reject(new UserError('usage', 'another config'));
    expect((await refusal(() => loadCheckpoint(folder, refuse))).message).toBe('another config');
  });

  test('and the one before can take its place, so that the next leaves it', async () => {
    await truncate(at(newest), 50);
    await dropNewest(folder);
    expect(await load()).toEqual({ accepted: checkpoint(1), damage: null });
    await saveCheckpoint(folder, checkpoint(3));
    await truncate(at(newest), 50);
    expect((await load())!.accepted).toEqual(checkpoint(1));
  });

  test('and where both are, the error names both and says what to do', async () => {
    await writeFile(at(newest), '');
    await truncate(at(previous), 100);
    const error = await refusal(load);
    expect(error.exitCode).toBe(4);
    for (const name of checkpointNames) expect(error.message).toContain(at(name));
    expect(error.hint).toContain('--force');
  });
});

test('a checkpoint that was edited counts as damaged', async () => {
  await saveCheckpoint(folder, checkpoint(1));
  const file = await readFile(at(newest), 'latin1');
  await writeFile(at(newest), file.replace('epoch\\":1', 'epoch\\":7'), 'latin1');
  expect((await refusal(load)).message).toContain('damaged');
});

test('where it cannot be written, the one that is there stays', async () => {
  await saveCheckpoint(folder, checkpoint(1));
  await rename(folder, `${folder}-gone`);
  expect((await refusal(() => saveCheckpoint(folder, checkpoint(2)))).exitCode).toBe(3);
  await rename(`${folder}-gone`, folder);
  expect((await load())!.accepted).toEqual(checkpoint(1));
});
