import * as processes from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { afterEach, expect, type Mock, test, vi } from 'vitest';
import { decodeImage } from '../../src/data/decode.ts';
import { decodeApart } from '../../src/data/decoding-process.ts';
import * as formats from '../../src/data/image-formats.ts';
import { unborn } from '../unborn.ts';

/** The processes that decode what is not bounded, as they die at other times than while they decode; and what is given to them. */

vi.mock('node:child_process', { spy: true });
vi.mock('../../src/data/image-formats.ts', { spy: true });
const { fork } = await vi.importActual<typeof processes>('node:child_process');

const red = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><rect width="16" height="16" fill="#ff0000"/></svg>',
);
const draw = async () => new Uint8Array(await decodeApart('decode', red, { imageSize: 8, fit: 'cover' }, false));
const drawn = new Uint8Array(Buffer.alloc(8 * 8 * 3, Buffer.of(255, 0, 0)));
const started = () => vi.mocked(processes.fork).mock.results.map(({ value }) => value as processes.ChildProcess);

afterEach(async () => {
  for (const child of started()) {
    if (child.pid !== undefined && child.kill('SIGKILL')) await once(child, 'exit');
  }
  vi.mocked(processes.fork).mockReset();
});

test('a process that was killed while nothing was asked of it is replaced, and no picture lost', async () => {
  for (let deaths = 0; deaths < 3; deaths++) {
    expect(await draw()).toEqual(drawn);
    const child = started().at(-1)!;
    expect(started()).toHaveLength(deaths + 1);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  expect(await draw()).toEqual(drawn);
});

test('so is one whose end is not known yet', async () => {
  expect(await draw()).toEqual(drawn);
  process.kill(started()[0]!.pid!, 'SIGKILL');
  await new Promise((resolve) => setImmediate(resolve));
  expect(await draw()).toEqual(drawn);
});

test('so is one whose channel is closed', async () => {
  expect(await draw()).toEqual(drawn);
  started()[0]!.disconnect();
  expect(await draw()).toEqual(drawn);
});

test('where no process can be made the picture is refused with the reason, and the next one drawn', async () => {
  const kills: Mock[] = [];
  vi.mocked(processes.fork).mockImplementationOnce(() => {
    const { child, kill } = unborn();
    kills.push(kill);
    return child;
  });
  const message = expect.stringMatching(/^no process can decode it: too many open files/);
  await expect(draw()).rejects.toMatchObject({ kind: 'data', message });
  expect(kills.map((kill) => kill.mock.calls)).toEqual([[]]);
  expect(await draw()).toEqual(drawn);
});

test('one that dies of a file is tried once more where it was not new, and then the file is refused', async () => {
  expect(await draw()).toEqual(drawn);
  vi.mocked(processes.fork).mockImplementation((...words) => {
    const child = fork(...words);
    child.kill('SIGKILL');
    return child;
  });
  started()[0]!.kill('SIGKILL');
  await expect(draw()).rejects.toMatchObject({ kind: 'data', message: 'decoding it ended with SIGKILL' });
  expect(started()).toHaveLength(2);
});

test('what its first bytes take for pixels, and sharp for SVG, is drawn in a process of its own all the same', async () => {
  const gif = formats.imageFormats.find(({ name }) => name === 'gif')!;
  vi.mocked(formats.formatOf).mockReturnValueOnce(gif);
  expect(new Uint8Array(await decodeImage(red, { imageSize: 8, fit: 'cover' }))).toEqual(drawn);
  expect(started()).toHaveLength(1);
});

test('several are decoded at once, each in a process that is used again', async () => {
  const several = () => Promise.all(Array.from({ length: 40 }, draw));
  expect(await several()).toEqual(Array(40).fill(drawn));
  const processes = started().length;
  expect(processes).toBeLessThanOrEqual(availableParallelism());
  expect(processes).toBeGreaterThanOrEqual(Math.min(2, availableParallelism()));
  await several();
  expect(started()).toHaveLength(processes);
});
