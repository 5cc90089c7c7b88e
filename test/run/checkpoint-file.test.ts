import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
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
import { encodeTensors } from '../../src/run/tensor-file.ts';

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
    expect(error.message.split('\n').map((line) => line.split(': ')[0])).toEqual(checkpointNames.map(at));
    expect(error.hint).toContain(`nn train --config ${at('config.json')} --output ${folder} --force`);
  });
});

test('a checkpoint that was edited counts as damaged', async () => {
  await saveCheckpoint(folder, checkpoint(1));
  const file = await readFile(at(newest), 'latin1');
  await writeFile(at(newest), file.replace('epoch\\":1', 'epoch\\":7'), 'latin1');
  expect((await refusal(load)).message).toContain('damaged');
});

/** Changes what a checkpoint says, and its checksum with it: it is whole. */
async function says(before: string, after: string): Promise<void> {
  await saveCheckpoint(folder, { content: 'as it was', tensors: {} });
  const text = (await readFile(at(newest), 'latin1')).replace(before, after);
  const place = text.indexOf('"sha256":"') + '"sha256":"'.length;
  const sealed = (digest: string) => text.slice(0, place) + digest + text.slice(place + 64);
  const digest = createHash('sha256')
    .update(sealed('0'.repeat(64)), 'latin1')
    .digest('hex');
  await writeFile(at(newest), sealed(digest), 'latin1');
}

describe('what is whole, and yet none to go on from, is refused:', () => {
  test('(the checksum of these tests is the right one)', async () => {
    await says('as it was', 'as it is!');
    expect((await load())!.accepted.content).toBe('as it is!');
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['another version', () => says('"version":"2"', '"version":"9"'), 'expected version 1 or 2 of the format, found 9'],
    ['content that is not JSON', () => says('\\"as it was\\"', 'as it is not!'), 'expected its content in JSON, found none'],
    [
      'a model',
      async () => writeFile(at(newest), encodeTensors({ metadata: { format: 'cat-nn model' }, tensors: {} })),
      'expected a checkpoint of nn, found "cat-nn model"',
    ],
    [
      'a file of another program',
      async () => writeFile(at(newest), encodeTensors({ metadata: {}, tensors: {} })),
      'expected a checkpoint of nn, found "another safetensors file"',
    ],
    ['a folder', () => mkdir(at(newest)), "can't be read: "],
    [
      'more bytes than are read at once',
      async () => {
        await writeFile(at(newest), '');
        await truncate(at(newest), 2 ** 31); // takes no room on the disk
      },
      'expected a checkpoint of at most 2147483647 bytes, found 2147483648',
    ],
  ])('%s', async (_, make, message) => {
    await make();
    const error = await refusal(load);
    expect(error.exitCode).toBe(4);
    expect(error.message).toContain(`${at(newest)}: ${message}`);
  });
});

test('a checkpoint of more bytes than can be read again is refused before anything is written', async () => {
  const error = await refusal(() => saveCheckpoint(folder, { content: 1, tensors: { large: new Uint8Array(2 ** 31) } }));
  expect(error.exitCode).toBe(3);
  expect(error.message).toMatch(/: can't be written: it would have 2147483\d{3} bytes, over 2147483647$/);
  expect(await readdir(folder)).toEqual([]);
});

test('where it cannot be written, the one that is there stays', async () => {
  await saveCheckpoint(folder, checkpoint(1));
  await rename(folder, `${folder}-gone`);
  expect((await refusal(() => saveCheckpoint(folder, checkpoint(2)))).exitCode).toBe(3);
  await rename(`${folder}-gone`, folder);
  expect((await load())!.accepted).toEqual(checkpoint(1));
});
