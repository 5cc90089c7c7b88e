import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { courseFiles } from '../../src/data/fetch-course.ts';
import { nn } from '../cli.ts';
import { sharedData, withoutShared } from '../shared.ts';
import { temporaryFolder } from './pictures.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true }));

const fetchFrom = (from: string, ...more: string[]) =>
  nn(['data', 'fetch', 'course', '--from', from, '--to', 'course', ...more], { cwd: folder });

describe('what cannot be had', () => {
  test('of a folder: both files are named with their sums and addresses, exit 3, nothing is left', async () => {
    const { code, stdout, stderr } = await fetchFrom('.');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    for (const { name, sha256 } of courseFiles) expect(stderr).toMatch(new RegExp(`${name}, .*${sha256}`));
    expect(stderr).toMatch(/https:\/\/.*\/train_catvnoncat\.h5/);
    expect(await readdir(join(folder, 'course'))).toEqual([]);
  });

  test('of a folder with another file of that name: it is not believed', async () => {
    const { name, bytes } = courseFiles[0]!;
    await writeFile(join(folder, name), Buffer.alloc(bytes));
    const { code, stderr } = await fetchFrom('.');
    expect(code).toBe(3);
    expect(stderr).toMatch(/train_catvnoncat\.h5: .*sha256/i);
    expect(await readdir(join(folder, 'course'))).toEqual([]);
  });

  test('of a server: what it answered is told, exit 3', async () => {
    const server = createServer((_, response) => response.writeHead(404).end());
    const { code, stderr } = await fetchFrom(await addressOf(server)).finally(() => server.close());
    expect(code).toBe(3);
    expect(stderr).toMatch(/127\.0\.0\.1.*404/);
  });

  test('a mistyped address is refused before anything is tried, exit 2', async () => {
    expect((await fetchFrom('ftp://127.0.0.1/')).code).toBe(2);
    expect(await readdir(folder)).toEqual([]);
  });
});

test.skipIf(process.platform === 'win32')('a second one into the same folder is refused, and names the first', async () => {
  const server = createServer(() => {}); // it never answers
  const from = await addressOf(server);
  const words = ['data', 'fetch', 'course', '--from', from, '--to', 'course'];
  const first = nn(words, { cwd: folder });
  const lock = join(folder, 'course', 'fetch.lock');
  while (!(await readFile(lock, 'utf8').catch(() => ''))) await new Promise((resolve) => setTimeout(resolve, 20));
  const { pid } = JSON.parse(await readFile(lock, 'utf8')) as { pid: number };
  const second = await nn(words, { cwd: folder });
  expect(second.code).toBe(2);
  expect(second.stderr).toContain(`course: expected a folder that nobody else fetches into, found process ${pid} on `);
  process.kill(pid, 'SIGTERM');
  expect((await first).code).toBe(143);
  expect(await readdir(join(folder, 'course'))).toEqual([]);
  server.closeAllConnections();
  server.close();
});

describe.skipIf(sharedData === null)(`the course's files (${withoutShared})`, () => {
  const here = () => join(sharedData!, 'course-catvnoncat');
  const path = (name: string) => join('course', name);

  test('come from a folder, byte for byte; a second time they are there', async () => {
    const { code, stdout } = await fetchFrom(here());
    expect({ code, stdout }).toEqual({ code: 0, stdout: courseFiles.map(({ name }) => `${path(name)}\tinstalled\n`).join('') });
    for (const { name } of courseFiles) {
      expect((await readFile(join(folder, path(name)))).equals(await readFile(join(here(), name))), name).toBe(true);
    }
    expect((await fetchFrom('.')).stdout).toBe(courseFiles.map(({ name }) => `${path(name)}\tpresent\n`).join(''));
  });

  test('come from a server; --json prints their paths alone', async () => {
    const server = createServer(async (request, response) => response.end(await readFile(join(here(), request.url!))));
    const { code, stdout } = await fetchFrom(await addressOf(server), '--json').finally(() => server.close());
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ files: courseFiles.map(({ name }) => path(name)) });
    expect((await readdir(join(folder, 'course'))).sort()).toEqual(courseFiles.map(({ name }) => name).sort());
  });
});

function addressOf(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
  });
}
