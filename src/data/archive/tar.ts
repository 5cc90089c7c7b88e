import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ParsedTarEntry } from 'modern-tar';
import { UserError } from '../../errors.ts';
import { firstBytes } from '../disk.ts';
import { type Archive, type ArchiveEntry, archiveLimits, brokenArchive, entryCheck, mostBytes, tooMuch } from './archive.ts';
import { inOnePass } from './one-pass.ts';

/** Opens a tar archive, packed with gzip or not. It has no directory: it is read once to list it, and from its start for
 *  the files themselves.
 *  @throws UserError (data) where it is damaged or a bomb */
export async function openTar(path: string): Promise<Archive> {
  try {
    const { size } = await stat(path);
    const check = entryCheck(path, size);
    const entries: ArchiveEntry[] = [];
    for await (const { header, body } of files(path, size)) {
      await body.cancel();
      const problem = header.type === 'file' ? undefined : problems[header.type!];
      entries.push(check({ path: header.name, bytes: header.size, problem: problem ?? sizeProblem(header.size) }));
    }
    const read = inOnePass(() => contents(path, size, entries));
    return {
      entries,
      read: async (index) => {
        const { problem } = entries[index]!;
        if (problem !== undefined) throw new UserError('data', problem);
        return read(index).catch((error) => {
          throw brokenArchive(path, error);
        });
      },
    };
  } catch (error) {
    throw brokenArchive(path, error);
  }
}

type FileType = NonNullable<ParsedTarEntry['header']['type']>;

const problems: Partial<Record<FileType, string>> = {
  link: 'a link, which is not followed',
  symlink: 'a link, which is not followed',
  'character-device': 'a device',
  'block-device': 'a device',
  fifo: 'a pipe',
};

/** Sizes may be written as negative numbers. */
function sizeProblem(bytes: number): string | undefined {
  return bytes < 0 ? 'a size below 0' : undefined;
}

/** All that is no folder, in order. The body of each is read or cancelled before the next. */
async function* files(path: string, size: number): AsyncGenerator<ParsedTarEntry> {
  const { createTarDecoder } = await import('modern-tar');
  const bytes = Readable.toWeb(await unpacked(path, size)) as ReadableStream<Uint8Array>;
  for await (const entry of bytes.pipeThrough(createTarDecoder({ strict: true }))) {
    if (entry.header.type === 'directory') await entry.body.cancel();
    else yield entry;
  }
}

/** Files of an archive that has been listed, each with its index among them. */
async function* contents(path: string, size: number, entries: readonly ArchiveEntry[]) {
  let index = 0;
  for await (const { header, body } of files(path, size)) {
    if (entries[index]?.bytes !== header.size) throw new UserError('data', `${path}: it changed while it was read`);
    yield { index: index++, read: () => gather(body, header.size), skip: () => body.cancel() };
  }
}

async function gather(body: ReadableStream<Uint8Array>, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const chunk of body) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** The bytes of the tar file itself, however it is packed. */
async function unpacked(path: string, size: number): Promise<Readable> {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  if (!(await isGzip(path))) return file;
  const ignore = () => {}; // the error reaches whoever reads the last stream
  return pipeline(file, createGunzip({ chunkSize: 1 << 18 }), atMost(path, size), ignore);
}

async function isGzip(path: string): Promise<boolean> {
  return (await firstBytes(path, 2)).toString('hex') === '1f8b';
}

/** Ends with an error where more comes than an archive may hold: zeros pack a thousand times. */
function atMost(path: string, size: number): Transform {
  let left = mostBytes(size) + archiveLimits.smallFile; // headers and padding
  return new Transform({
    transform(chunk: Buffer, _, done) {
      left -= chunk.length;
      if (left < 0) done(tooMuch(path, size));
      else done(null, chunk);
    },
  });
}
