import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { networkReason } from '../../src/data/download.ts';
import { courseFiles, courseMirrors, type FetchEvent, type FetchOptions, fetchCourse } from '../../src/data/fetch-course.ts';
import { UserError } from '../../src/errors.ts';
import { linesOf } from '../../src/text.ts';

// Two files of one byte value each 251: long enough to come in several chunks, and no part equals another.
const contents: Record<string, Buffer> = {
  'train.h5': Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i + 7 * i) % 251)),
  'test.h5': Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 3) % 251)),
};
const train = contents['train.h5']!;
const files = Object.entries(contents).map(([name, bytes]) => ({ name, bytes: bytes.length, sha256: sha256(bytes) }));
const names = files.map(({ name }) => name);

type Answer = (response: ServerResponse, body: Buffer, request: IncomingMessage) => void;

/** How a server may answer a request for a file whose right content is `body`. */
const answers = {
  whole: (response, body) => response.setHeader('content-length', body.length).end(body),
  ranges: (response, body, request) => {
    const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (first > 0) response.writeHead(206, { 'content-range': `bytes ${first}-${body.length - 1}/${body.length}` });
    response.end(body.subarray(first));
  },
  refusesRanges: (response, body, request) => (request.headers.range ? response.writeHead(416).end() : response.end(body)),
  otherRange: (response, body, request) => {
    if (request.headers.range) response.writeHead(206, { 'content-range': `bytes 0-${body.length - 1}/${body.length}` });
    response.end(body);
  },
  cutOff: (response, body) => {
    response.setHeader('content-length', body.length);
    response.write(body.subarray(0, body.length / 2), () => setTimeout(() => response.destroy(), 200));
  },
  endsEarly: (response, body) => response.write(body.subarray(0, body.length / 2), () => response.end()),
  wrongBytes: (response, body) => response.end(Buffer.alloc(body.length, 1)),
  wrongSize: (response) => response.setHeader('content-length', 9).end('<html />\n'),
  missing: (response) => response.writeHead(404).end('not here'),
  busy: (response) => response.writeHead(503).end(),
  silent: () => undefined,
  drips: (response, body) => {
    response.setHeader('content-length', body.length);
    const bytes = body.values();
    const timer = setInterval(() => response.write(Buffer.of(bytes.next().value!)), 20);
    response.on('close', () => clearInterval(timer));
  },
  slow: (response, body) => {
    let sent = 0;
    const timer = setInterval(() => {
      response.write(body.subarray(sent, (sent += 10_000)));
      if (sent >= body.length) clearInterval(timer);
    }, 40);
    response.on('close', () => clearInterval(timer));
  },
  hangs: (response, body) => response.setHeader('content-length', body.length).write(body.subarray(0, body.length / 2)),
  endless: (response) => {
    const pour = () => {
      while (response.write(Buffer.alloc(16_384, 1)));
    };
    response.on('drain', pour);
    pour();
  },
  redirects: (response, _, request) => response.writeHead(302, { location: `/moved${request.url}` }).end(),
  redirectsForEver: (response, _, request) => response.writeHead(302, { location: request.url }).end(),
  redirectsToFtp: (response) => response.writeHead(302, { location: 'ftp://127.0.0.1/file' }).end(),
  notHttp: (response) => response.socket?.end('220 welcome\r\n'),
} satisfies Record<string, Answer>;

interface TestServer {
  url: string;
  /** "GET /train.h5 bytes=100-" */
  requests: string[];
  bytesSent: () => number;
}

let folder: string;
let to: string;
let servers: Server[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fetch-course-'));
  to = join(folder, 'data', 'course');
  servers = [];
});

afterEach(async () => {
  vi.unstubAllGlobals();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

/** @param perFile  how to answer for some of the files; the others by `usual` */
async function serve(usual: Answer, perFile: Record<string, Answer> = {}): Promise<TestServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '));
    sockets.add(request.socket);
    const name = request.url?.split('/').at(-1) ?? '';
    const answer = request.url?.startsWith('/moved') ? answers.whole : (perFile[name] ?? usual);
    answer(response, contents[name] ?? Buffer.alloc(0), request);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    bytesSent: () => [...sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
  };
}

async function collect(options: Partial<FetchOptions>): Promise<FetchEvent[]> {
  const events: FetchEvent[] = [];
  for await (const event of fetchCourse({ to, files, ...options })) events.push(event);
  return events;
}

async function refusal(options: Partial<FetchOptions>): Promise<UserError> {
  const error = await collect(options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

async function leave(name: string, bytes: Uint8Array): Promise<void> {
  await mkdir(to, { recursive: true });
  await writeFile(join(to, name), bytes);
}

async function expectInstalled(): Promise<void> {
  expect((await readdir(to)).sort()).toEqual([...names].sort());
  for (const name of names) expect(contents[name]!.equals(await readFile(join(to, name)))).toBe(true);
}

async function expectNothingInstalled(): Promise<void> {
  const found = await readdir(to).catch(() => []);
  expect(found.filter((name) => !name.endsWith('.part'))).toEqual([]);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function kinds(events: readonly FetchEvent[]): string[] {
  return events.filter(({ type }) => type !== 'progress').map(({ type, file }) => `${type} ${file}`);
}

describe('from a server', () => {
  test('both files arrive, with progress up to their sizes, and then get their names', async () => {
    const { url, requests } = await serve(answers.whole);
    const events = await collect({ from: url });
    expect(kinds(events)).toEqual(['try train.h5', 'try test.h5', 'installed train.h5', 'installed test.h5']);
    for (const { name, bytes } of files) {
      const steps = events.flatMap((event) => (event.type === 'progress' && event.file === name ? [event] : []));
      expect(steps[0]).toEqual({ type: 'progress', file: name, from: url + name, bytesDone: 0, bytesTotal: bytes });
      expect(steps.at(-1)?.bytesDone).toBe(bytes);
    }
    expect(requests).toEqual(['GET /train.h5', 'GET /test.h5']);
    await expectInstalled();
  });

  test('an address without a slash at its end is a folder too, and its query is kept', async () => {
    const { url, requests } = await serve(answers.whole);
    const error = await refusal({ from: `${url}a%20b?key=1` });
    expect(requests).toEqual(['GET /a%20b/train.h5?key=1']);
    expect(error.message).toContain(`${url}a%20b/train.h5?key=1: a wrong file`);
  });

  test('files that are there already are kept, and nothing is asked for', async () => {
    for (const name of names) await leave(name, contents[name]!);
    const { url, requests } = await serve(answers.whole);
    expect(kinds(await collect({ from: url }))).toEqual(['present train.h5', 'present test.h5']);
    expect(requests).toEqual([]);
  });

  test('only the missing file is asked for', async () => {
    await leave('train.h5', train);
    const { url, requests } = await serve(answers.whole);
    expect(kinds(await collect({ from: url }))).toEqual(['present train.h5', 'try test.h5', 'installed test.h5']);
    expect(requests).toEqual(['GET /test.h5']);
    await expectInstalled();
  });

  test('another file of the name is refused and left as it is, before anything is asked for', async () => {
    await leave('test.h5', Buffer.from('mine'));
    const { url, requests } = await serve(answers.whole);
    const error = await refusal({ from: url });
    expect(error.kind).toBe('data');
    expect(error.message).toBe(
      `${join(to, 'test.h5')}: a wrong file: expected sha256 ${files[1]!.sha256}, found ${sha256(Buffer.from('mine'))}`,
    );
    expect(error.hint).toContain('Move it away');
    expect(await readFile(join(to, 'test.h5'), 'utf8')).toBe('mine');
    expect(requests).toEqual([]);
  });

  test('a redirect is followed', async () => {
    const { url, requests } = await serve(answers.redirects);
    await collect({ from: url });
    expect(requests.slice(0, 2)).toEqual(['GET /train.h5', 'GET /moved/train.h5']);
    await expectInstalled();
  });

  test('a redirect from https to http is not followed', async () => {
    const { url, requests } = await serve(answers.whole);
    vi.stubGlobal('fetch', async () => new Response(null, { status: 302, headers: { location: `${url}train.h5` } }));
    const error = await refusal({ mirrors: ['https://mirror.invalid/'] });
    expect(error.message).toContain('it redirects from https:// to http://, which is not followed');
    expect(requests).toEqual([]);
  });
});

describe('resuming', () => {
  test('goes on from the bytes that are there, and only the rest is sent', async () => {
    await leave('train.h5.part', train.subarray(0, 199_000));
    const { url, requests, bytesSent } = await serve(answers.ranges);
    const events = await collect({ from: url });
    expect(requests).toEqual(['GET /train.h5 bytes=199000-', 'GET /test.h5']);
    expect(events.find(({ type }) => type === 'progress')).toMatchObject({ file: 'train.h5', bytesDone: 199_000 });
    expect(bytesSent()).toBeGreaterThan(51_000);
    expect(bytesSent()).toBeLessThan(53_000); // the rest of one file, the whole other, and headers
    await expectInstalled();
  });

  test.each(['whole', 'refusesRanges', 'otherRange'] as const)('starts anew with a server that answers %s', async (answer) => {
    await leave('train.h5.part', train.subarray(0, 199_000));
    const { url, requests } = await serve(answers[answer]);
    await collect({ from: url });
    expect(requests[0]).toBe('GET /train.h5 bytes=199000-');
    await expectInstalled();
  });

  test('bytes of another file are thrown away, and the same place is tried from zero', async () => {
    await leave('train.h5.part', Buffer.alloc(1000, 9));
    const { url, requests } = await serve(answers.ranges);
    expect(kinds(await collect({ from: url }))).not.toContain('failed train.h5');
    expect(requests).toEqual(['GET /train.h5 bytes=1000-', 'GET /train.h5', 'GET /test.h5']);
    await expectInstalled();
  });

  test('a .part that is longer than the file, or as long but wrong, is thrown away', async () => {
    await leave('train.h5.part', Buffer.alloc(train.length + 1));
    await leave('test.h5.part', Buffer.alloc(contents['test.h5']!.length));
    const { url, requests } = await serve(answers.ranges);
    await collect({ from: url });
    expect(requests).toEqual(['GET /train.h5', 'GET /test.h5']);
    await expectInstalled();
  });

  test('a complete .part is not asked for again', async () => {
    await leave('train.h5.part', train);
    const { url, requests } = await serve(answers.ranges);
    await collect({ from: url });
    expect(requests).toEqual(['GET /test.h5']);
    await expectInstalled();
  });

  test('an abort half-way leaves the .part, from which the next call goes on', async () => {
    const hanging = await serve(answers.hangs);
    const controller = new AbortController();
    const reason = new UserError('interrupted', 'interrupted');
    const aborted = (async () => {
      for await (const event of fetchCourse({ to, files, from: hanging.url, signal: controller.signal })) {
        if (event.type === 'progress' && event.bytesDone === train.length / 2) setTimeout(() => controller.abort(reason), 20);
      }
    })();
    await expect(aborted).rejects.toBe(reason);
    expect(await readdir(to)).toEqual(['train.h5.part']);
    const { url, requests } = await serve(answers.ranges);
    await collect({ from: url });
    expect(requests[0]).toBe('GET /train.h5 bytes=100000-');
    await expectInstalled();
  });

  test('a caller that stops listening leaves the .part', async () => {
    const { url } = await serve(answers.hangs);
    for await (const event of fetchCourse({ to, files, from: url })) {
      if (event.type === 'progress' && event.bytesDone === train.length / 2) break;
    }
    expect((await readFile(join(to, 'train.h5.part'))).equals(train.subarray(0, train.length / 2))).toBe(true);
  });

  test('a signal that is aborted before asks for nothing', async () => {
    const { url, requests } = await serve(answers.whole);
    await expect(collect({ from: url, signal: AbortSignal.abort('stop') })).rejects.toBe('stop');
    expect(requests).toEqual([]);
  });
});

/** What a bad answer is called, and how much of it stays to be resumed. */
const failures: [keyof typeof answers, string, number | undefined][] = [
  ['cutOff', 'the connection was cut', 100_000],
  ['endsEarly', 'the file ended after 100,000 of 200,000 bytes', 100_000],
  ['wrongBytes', `a wrong file: expected sha256 ${files[0]!.sha256}, found ${sha256(Buffer.alloc(train.length, 1))}`, undefined],
  ['wrongSize', 'a wrong file: expected 200,000 bytes, found 9 bytes', undefined],
  ['missing', 'the server answers 404 (Not Found)', undefined],
  ['busy', 'the server answers 503 (Service Unavailable)', undefined],
  ['silent', 'nothing came for 1.5 seconds', undefined],
  ['hangs', 'nothing came for 1.5 seconds', 100_000],
  ['endless', 'a wrong file: it goes on after the expected 200,000 bytes', undefined],
  ['redirectsForEver', 'more than 5 redirects', undefined],
  ['redirectsToFtp', 'it redirects from http:// to ftp://, which is not followed', undefined],
  ['notHttp', 'it does not answer in HTTP', undefined],
];

describe.each(failures)('a server whose answer is %s', (answer, reason, kept) => {
  test('is a failure with its reason; nothing is installed', async () => {
    const { url } = await serve(answers[answer]);
    const error = await refusal({ from: url, timeoutSeconds: 1.5 });
    expect(error.kind).toBe('data');
    expect(error.message).toBe(`train.h5 could not be had; nothing was installed\n  ${url}train.h5: ${reason}`);
    await expectNothingInstalled();
    const part = await readFile(join(to, 'train.h5.part')).catch(() => undefined);
    expect(part?.length).toBe(kept);
  });

  test('gives way to the next mirror', async () => {
    const bad = await serve(answers[answer]);
    const good = await serve(answers.ranges);
    const events = await collect({ mirrors: [bad.url, good.url], timeoutSeconds: 1.5 });
    expect(events).toContainEqual({ type: 'failed', file: 'train.h5', from: `${bad.url}train.h5`, reason });
    expect(good.requests).toEqual([kept ? `GET /train.h5 bytes=${kept}-` : 'GET /train.h5', 'GET /test.h5']);
    expect(bad.requests.filter((line) => line.includes('test.h5'))).toEqual([]);
    await expectInstalled();
  });
});

describe('a server that sends', () => {
  const limits = { timeoutSeconds: 0.4 };

  test('a byte now and then gives way to the next mirror, which goes on from its bytes', async () => {
    const [bad, good] = [await serve(answers.drips), await serve(answers.ranges)];
    const events = await collect({ mirrors: [bad.url, good.url], ...limits });
    const reason = expect.stringMatching(/^it sends \d+ bytes a second, which takes too long$/);
    expect(events).toContainEqual({ type: 'failed', file: 'train.h5', from: `${bad.url}train.h5`, reason });
    expect(good.requests[0]).toMatch(/^GET \/train\.h5 bytes=\d+-$/);
    await expectInstalled();
  });

  test('slowly, but in good time, is waited for', async () => {
    const { url } = await serve(answers.slow);
    const started = performance.now();
    await collect({ from: url, ...limits });
    expect(performance.now() - started).toBeGreaterThan(2 * 400);
    await expectInstalled();
  });
});

describe('while others fetch into the same folder', () => {
  test('it is locked before the first byte is asked for, and free again however it ends', async () => {
    const log: string[] = [];
    const lock = async () => {
      log.push('locked');
      return async () => void log.push('free');
    };
    const { url, requests } = await serve((response, body) => {
      log.push('asked');
      response.end(body);
    });
    await collect({ from: url, lock });
    expect(log).toEqual(['locked', 'asked', 'asked', 'free']);
    await collect({ from: url, lock });
    expect(log).toHaveLength(4); // all is there: nothing to keep others from
    await rm(to, { recursive: true });
    const missing = await serve(answers.missing);
    await refusal({ from: missing.url, lock });
    expect(log.slice(4)).toEqual(['locked', 'free']);
    const taken = new UserError('usage', 'somebody else fetches');
    await expect(collect({ from: url, lock: () => Promise.reject(taken) })).rejects.toBe(taken);
    expect(requests).toHaveLength(2);
  });

  test('what another process has installed before it was locked is kept', async () => {
    const { url, requests } = await serve(answers.whole);
    const lock = async () => {
      await leave('train.h5', train);
      return async () => {};
    };
    expect(kinds(await collect({ from: url, lock }))).toEqual(['try test.h5', 'installed train.h5', 'installed test.h5']);
    expect(requests).toEqual(['GET /test.h5']);
    await expectInstalled();
  });
});

describe('without success', () => {
  test('one file of two is not installed; it stays as a .part and is not fetched twice', async () => {
    const half = await serve(answers.whole, { 'test.h5': answers.missing });
    await refusal({ from: half.url });
    expect(await readdir(to)).toEqual(['train.h5.part']);
    const whole = await serve(answers.whole);
    await collect({ from: whole.url });
    expect(whole.requests).toEqual(['GET /test.h5']);
    await expectInstalled();
  });

  test('a name that cannot be given takes the other back', async () => {
    const { url } = await serve(answers.whole);
    const fetching = (async () => {
      for await (const event of fetchCourse({ to, files, from: url })) {
        // Something gets the second name while its file is under way.
        if (event.type === 'try' && event.file === 'test.h5') await mkdir(join(to, 'test.h5', 'full'), { recursive: true });
      }
    })();
    await expect(fetching).rejects.toThrow(UserError);
    expect((await readdir(to)).sort()).toEqual(['test.h5', 'test.h5.part', 'train.h5.part']);
  });

  test('every mirror has its reason, and the hint says what to get, from where, to where', async () => {
    const missing = await serve(answers.missing);
    const gone = await serve(answers.whole);
    await new Promise((resolve) => servers.at(-1)!.close(resolve));
    const error = await refusal({ mirrors: [missing.url, gone.url] });
    expect(error.message.split('\n')).toEqual([
      'train.h5 could not be had; nothing was installed',
      `  ${missing.url}train.h5: the server answers 404 (Not Found)`,
      `  ${gone.url}train.h5: the connection was refused`,
    ]);
    expect(linesOf(error.hint!)).toEqual([
      `To get them by hand, download into ${to}, or into a folder that you give with --from FOLDER:`,
      `  train.h5, 200,000 bytes, sha256 ${files[0]!.sha256}`,
      `    ${missing.url}train.h5`,
      `    or ${gone.url}train.h5`,
      `  test.h5, 50,000 bytes, sha256 ${files[1]!.sha256}`,
      `    ${missing.url}test.h5`,
      `    or ${gone.url}test.h5`,
      'A download that broke off goes on where it was when the same command runs again.',
    ]);
  });

  test('a folder that cannot be made is named, and no mirror is blamed', async () => {
    await writeFile(join(folder, 'data'), '');
    const { url, requests } = await serve(answers.whole);
    const error = await refusal({ from: url });
    expect(error.message).toContain('a part of the path is not a folder');
    expect(requests).toEqual([]);
  });
});

describe('from a folder', () => {
  async function fill(some: Record<string, Uint8Array>): Promise<string> {
    const from = join(folder, 'given');
    await mkdir(from);
    for (const [name, bytes] of Object.entries(some)) await writeFile(join(from, name), bytes);
    return from;
  }

  test('the files are copied', async () => {
    const from = await fill(contents);
    await leave('train.h5.part', Buffer.alloc(10));
    expect(kinds(await collect({ from }))).toEqual(['try train.h5', 'try test.h5', 'installed train.h5', 'installed test.h5']);
    await expectInstalled();
    expect((await readdir(from)).sort()).toEqual([...names].sort());
  });

  test('one that lacks a file is refused with its path', async () => {
    const from = await fill({ 'train.h5': train });
    const error = await refusal({ from });
    expect(error.message).toBe(`test.h5 could not be had; nothing was installed\n  ${join(from, 'test.h5')}: no such file`);
    await expectNothingInstalled();
  });

  test('one with a wrong file is refused with both sums', async () => {
    const from = await fill({ ...contents, 'test.h5': Buffer.from('other') });
    const error = await refusal({ from });
    expect(error.message).toContain(`expected sha256 ${files[1]!.sha256}, found ${sha256(Buffer.from('other'))}`);
    await expectNothingInstalled();
  });

  test.each([
    ['nowhere', 'data', '--from nowhere: no such file or folder'],
    ['package.json', 'data', '--from package.json: it is not a folder'],
    ['ftp://host/x', 'usage', '--from: expected a folder or an address beginning with https:// or http://, found ftp://host/x'],
    ['https://', 'usage', '--from: expected a folder or an address beginning with https:// or http://, found https://'],
    ['https://me:secret@host/', 'usage', '--from: an address with a user name or password in it'],
  ])('--from %s is refused', async (from, kind, message) => {
    expect(await refusal({ from })).toMatchObject({ kind, message });
  });
});

describe('the course', () => {
  test('has mirrors with https alone', () => {
    for (const mirror of courseMirrors) expect(mirror).toMatch(/^https:\/\/.+\/$/);
  });

  test('has two files with sizes and sums', () => {
    expect(courseFiles.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['train_catvnoncat.h5', 2_572_022],
      ['test_catvnoncat.h5', 616_958],
    ]);
    for (const { sha256: sum } of courseFiles) expect(sum).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('a failed fetch in words', () => {
  const failed = (cause: unknown) => new TypeError('fetch failed', { cause });
  test.each([
    ['no name server', failed(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })), 'no server of that name is known'],
    [
      'several addresses',
      failed(new AggregateError([Object.assign(new Error(), { code: 'ENETUNREACH' })])),
      'there is no network',
    ],
    ['a proxy', failed(Object.assign(new Error(), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })), 'signed by nobody known'],
    ['another system error', failed(Object.assign(new Error(), { code: 'EMFILE' })), 'too many open files'],
    ['an unknown cause', failed(new Error('bad port')), 'bad port'],
    ['no cause', new TypeError('terminated'), 'terminated'],
  ])('%s', (_, error, words) => {
    expect(networkReason(error)).toContain(words);
  });
});
