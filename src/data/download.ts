import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { STATUS_CODES } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { DataError, systemReason, UserError } from '../errors.ts';
import { grouped } from '../text.ts';
import { writeAt } from './disk.ts';

export interface Download {
  /** http: or https:; a redirect never leads from https: to anything else */
  url: URL;
  file: KnownFile;
  /** where the bytes gather; what an earlier try left there is gone on from */
  part: string;
  /** the longest wait without a byte; and how long one may come no faster than `leastPace` */
  timeoutSeconds: number;
  signal?: AbortSignal | undefined;
}

/** One place did not give the file: another may. Failures of the own disk are UserErrors instead. */
export class TransferFailure extends Error {
  /** whether bytes of an earlier try may be to blame, so that the same place deserves a try from zero */
  readonly resumed: boolean;

  constructor(reason: string, resumed = false) {
    super(reason);
    this.name = 'TransferFailure';
    this.resumed = resumed;
  }
}

/**
 * Fetches one file into `part`, from where an earlier try stopped if there was one; at the end `part` has the right sum
 * and is on the disk. A file of another content is deleted; one cut short stays, to be resumed at any place that has it.
 * @yields the bytes of `part` so far
 * @throws TransferFailure when this place does not give the file
 * @throws UserError (data) when the disk refuses
 * @throws the signal's reason when it is aborted; `part` keeps what has arrived
 */
export async function* download(wanted: Download): AsyncGenerator<number, void> {
  const arrived = await resumableBytes(wanted);
  try {
    yield* transfer(wanted, arrived);
  } catch (error) {
    if (!(error instanceof TransferFailure && error.resumed)) throw error;
    yield* transfer(wanted, 0);
  }
}

const maximumRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

async function resumableBytes({ part, file }: Download): Promise<number> {
  const size = (await sizeOnDisk(part)) ?? 0;
  return size < file.bytes ? size : 0;
}

/** One request, its answer written to `part` from byte `start` on, the sum checked. */
async function* transfer(wanted: Download, start: number): AsyncGenerator<number, void> {
  const { url, file, part } = wanted;
  const line = openLine(wanted);
  try {
    const response = await line.within(() => request(url, start, line.signal));
    const first = firstByte(response, start, file.bytes);
    const handle = await onDisk(part, () => openPart(part, first));
    try {
      yield* store(line.chunks(response), handle, { ...wanted, first });
      await onDisk(part, () => handle.sync());
    } finally {
      await handle.close();
    }
    const found = await sha256OfFile(part);
    if (found !== file.sha256) await discard(part, `a wrong file: expected sha256 ${file.sha256}, found ${found}`, first > 0);
  } finally {
    line.close();
  }
}

async function request(url: URL, start: number, signal: AbortSignal): Promise<Response> {
  // A compressed body could neither be resumed by its offset nor measured by its Content-Length.
  const headers = { 'accept-encoding': 'identity', ...(start > 0 && { range: `bytes=${start}-` }) };
  let place = url;
  for (let hop = 0; hop <= maximumRedirects; hop++) {
    const response = await fetch(place, { headers, signal, redirect: 'manual' });
    const location = redirects.has(response.status) ? response.headers.get('location') : null;
    if (location === null) return response;
    const next = new URL(location, place);
    // http stays http, where the user began with it; https never becomes less.
    if (next.protocol !== 'https:' && next.protocol !== place.protocol) {
      throw new TransferFailure(`it redirects from ${place.protocol}// to ${next.protocol}//, which is not followed`);
    }
    await response.body?.cancel();
    place = next;
  }
  throw new TransferFailure(`more than ${maximumRedirects} redirects`);
}

/** @returns the offset in the file of the first byte of the answer's body: `start`, or 0 when the server sends it all */
function firstByte(response: Response, start: number, bytes: number): number {
  const { status, headers } = response;
  if (status === 206 && start > 0) {
    const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
    if (Number(first) !== start) throw new TransferFailure('it sends another range than it was asked for', true);
    if (total !== '*' && Number(total) !== bytes) throw wrongSize(Number(total), bytes);
    return start;
  }
  if (status === 416 && start > 0) throw new TransferFailure('it refuses to send the rest', true);
  if (status !== 200) throw new TransferFailure(`the server answers ${status} (${STATUS_CODES[status] ?? 'unknown'})`);
  const length = headers.get('content-length');
  if (length !== null && !headers.has('content-encoding') && Number(length) !== bytes) throw wrongSize(Number(length), bytes);
  return 0;
}

function wrongSize(found: number, expected: number): TransferFailure {
  return new TransferFailure(`a wrong file: expected ${countBytes(expected)}, found ${countBytes(found)}`);
}

/** A new start is a new file, so that another process that has the old one open cannot spoil it. */
async function openPart(part: string, first: number): Promise<FileHandle> {
  if (first === 0) await rm(part, { force: true });
  return open(part, first === 0 ? 'wx' : 'r+');
}

/** Writes the chunks from `first` on and stops at the known size, however much more would come. */
async function* store(
  chunks: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  { part, file, first }: Download & { first: number },
): AsyncGenerator<number, void> {
  let done = first;
  yield done;
  for await (const chunk of chunks) {
    if (done + chunk.length > file.bytes) {
      await discard(part, `a wrong file: it goes on after the expected ${countBytes(file.bytes)}`, first > 0);
    }
    await onDisk(part, () => writeAt(handle, chunk, done));
    done += chunk.length;
    yield done;
    if (done === file.bytes) return;
  }
  throw new TransferFailure(`the file ended after ${grouped(done)} of ${countBytes(file.bytes)}`);
}

async function discard(part: string, reason: string, resumed: boolean): Promise<never> {
  await onDisk(part, () => rm(part, { force: true }));
  throw new TransferFailure(reason, resumed);
}

/** Bytes a second: below it a place is as good as silent. */
const leastPace = 1000;

/** Network calls that end when the user's signal does, and when one of them waits too long; never while we write. */
function openLine({ timeoutSeconds, signal }: Download) {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const relay = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', relay, { once: true });

  async function within<T>(call: () => Promise<T>): Promise<T> {
    const stalled = () => controller.abort(new TransferFailure(`nothing came for ${timeoutSeconds} seconds`));
    const timer = setTimeout(stalled, timeoutSeconds * 1000);
    try {
      return await call();
    } catch (error) {
      if (controller.signal.aborted) throw controller.signal.reason;
      throw error instanceof TransferFailure ? error : new TransferFailure(networkReason(error));
    } finally {
      clearTimeout(timer);
    }
  }

  async function* chunks(response: Response): AsyncGenerator<Uint8Array> {
    const reader = response.body?.getReader();
    let [waited, came] = [0, 0]; // ms, and bytes, since the pace was last looked at
    while (reader) {
      const asked = performance.now();
      const { done, value } = await within(() => reader.read());
      waited += performance.now() - asked;
      if (done) return;
      yield value;
      came += value.length;
      if (waited >= timeoutSeconds * 1000) {
        const pace = (1000 * came) / waited;
        if (pace < leastPace) throw new TransferFailure(`it sends ${Math.round(pace)} bytes a second, which takes too long`);
        [waited, came] = [0, 0];
      }
    }
  }

  function close() {
    signal?.removeEventListener('abort', relay);
    controller.abort(); // lets go of a body that was not read to its end
  }

  return { signal: controller.signal, within, chunks, close };
}

function countBytes(bytes: number): string {
  return `${grouped(bytes)} bytes`;
}

/** The words for a failed fetch. What went wrong stands in its cause, or in the first of several. */
export function networkReason(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const first = cause instanceof AggregateError && !('code' in cause) ? cause.errors[0] : cause;
  const code = (first as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (first instanceof Error && first.name === 'HTTPParserError') return 'it does not answer in HTTP'; // its code goes with Node 24
  return networkReasons[code] ?? systemReason(first);
}

const networkReasons: Record<string, string> = {
  ENOTFOUND: 'no server of that name is known (is there a network?)',
  EAI_AGAIN: "the server's name could not be looked up (is there a network?)",
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ETIMEDOUT: 'the server could not be reached in time',
  UND_ERR_CONNECT_TIMEOUT: 'the server could not be reached in time',
  UND_ERR_HEADERS_TIMEOUT: 'the server did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'the server stopped sending',
  EHOSTUNREACH: 'there is no way to the server',
  ENETUNREACH: 'there is no network',
  ENETDOWN: 'there is no network',
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet (is the clock right?)",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another name",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is signed by itself alone",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is signed by nobody known (a proxy's?)",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the server's certificate is signed by nobody known (a proxy's?)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate is signed by nobody known (a proxy's?)",
};

/** A file whose content is known before it is fetched. */
export interface KnownFile {
  name: string;
  bytes: number;
  /** of the content, 64 hexadecimal digits in lower case */
  sha256: string;
}

/** @returns whether the file at `path` is there and is the known one */
export async function hasContent(path: string, { bytes, sha256 }: KnownFile): Promise<boolean> {
  return (await sizeOnDisk(path)) === bytes && (await sha256OfFile(path)) === sha256;
}

/** @returns the size in bytes, undefined when nothing has that name */
export function sizeOnDisk(path: string): Promise<number | undefined> {
  return onDisk(path, async () => {
    try {
      const status = await stat(path);
      if (!status.isFile()) throw new DataError(`${path}: expected a file, found something else of that name`);
      return status.size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  });
}

/** @returns 64 hexadecimal digits */
export function sha256OfFile(path: string): Promise<string> {
  return onDisk(path, async () => {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  });
}

/** Runs work on the own disk, whose failure no other mirror can mend. */
export async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof UserError ? error : new DataError(`${path}: ${systemReason(error)}`, { cause: error });
  }
}
