import { createHash } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { openPlainFile } from '../data/disk.ts';
import { shown, systemReason, UserError } from '../errors.ts';
import { lengthBytes } from '../safetensors.ts';
import { writePiecesAtomically } from './atomic-write.ts';
import { decodeTensors, type TensorArray, tensorPieces } from './tensor-file.ts';

/** Of a run's folder: the newest, and the one before it, which stays until the newest is whole. */
export const checkpointNames = ['checkpoint.safetensors', 'checkpoint-previous.safetensors'] as const;
const format = 'cat-nn checkpoint';
/** Raised with every change of what a checkpoint must hold. Version 2 has room for moving averages of the weights (training/state.ts); what has none is as
 *  version 1 was, and is read as such. */
const version = 2;
const readVersions = ['1', '2'];
/** What Node reads at once. */
const maximumBytes = 2 ** 31 - 1;
const noDigest = '0'.repeat(64);

/** What a checkpoint file holds. */
export interface StoredCheckpoint {
  /** JSON */
  content: unknown;
  tensors: Record<string, TensorArray>;
}

/** Writes the newest checkpoint of a folder, whole or not at all; what was the newest becomes the one before.
 *  @throws UserError (data) where it can't be written */
export async function saveCheckpoint(folder: string, { content, tensors }: StoredCheckpoint): Promise<void> {
  const metadata = { sha256: noDigest, format, version: String(version), content: JSON.stringify(content) };
  const shaped = Object.entries(tensors).map(([name, data]) => [name, { shape: [data.length], data }] as const);
  const pieces = tensorPieces({ metadata, tensors: Object.fromEntries(shaped) });
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const [newest, previous] = checkpointNames;
  if (bytes > maximumBytes) {
    throw new UserError('data', `${join(folder, newest)}: can't be written: it would have ${bytes} bytes, over ${maximumBytes}`);
  }
  digestPlace(pieces[0]).set(Buffer.from(digestOf(pieces)));
  await writePiecesAtomically(join(folder, newest), pieces, { previous: join(folder, previous) });
}

/** The newest checkpoint of a folder that is whole.
 *  @param accept  looks into one. @throws UserError where it is not fit to be gone on from
 *  @returns what `accept` made of it, and what was wrong with a newer one; null where there is none at all
 *  @throws UserError (model) where there are some, and none is whole */
export async function loadCheckpoint<Accepted>(
  folder: string,
  accept: (checkpoint: StoredCheckpoint, file: string) => Promise<Accepted>,
): Promise<{ accepted: Accepted; damage: string | null } | null> {
  const damage: string[] = [];
  for (const name of checkpointNames) {
    const file = join(folder, name);
    try {
      const bytes = await readCheckpoint(file);
      if (bytes === null) continue;
      const accepted = await accept(decode(bytes, file), file);
      const missing = name !== checkpointNames[0] ? `${join(folder, checkpointNames[0])}: no such file` : null;
      return { accepted, damage: damage[0] ?? missing };
    } catch (error) {
      if (!(error instanceof UserError) || error.kind !== 'model') throw error;
      damage.push(error.message);
    }
  }
  if (damage.length === 0) return null;
  throw new UserError('model', damage, {
    hint: `Nothing is left to go on from. Train again: nn train --config ${join(folder, 'config.json')} --output ${folder} --force`,
  });
}

/** Puts the checkpoint before the newest into its place: where the newest is damaged, the next one to be written must not push
 *  the last good one out.
 *  @throws UserError (data) where it can't be moved */
export async function dropNewest(folder: string): Promise<void> {
  const [newest, previous] = checkpointNames;
  const file = join(folder, newest);
  try {
    await rename(join(folder, previous), file);
  } catch (error) {
    throw new UserError('data', `${file}: can't be replaced by ${previous}: ${systemReason(error)}`, {
      hint: 'Take it away yourself, and try again.',
      cause: error,
    });
  }
}

/** null where there is no such file. */
async function readCheckpoint(file: string): Promise<Uint8Array | null> {
  try {
    const handle = await openPlainFile(file);
    try {
      const { size } = await handle.stat();
      if (size > maximumBytes) throw refusal(file, `expected a checkpoint of at most ${maximumBytes} bytes, found ${size}`);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UserError('model', `${file}: can't be read: ${systemReason(error)}`, { cause: error });
  }
}

function decode(bytes: Uint8Array, file: string): StoredCheckpoint {
  const { metadata, tensors } = decodeTensors(bytes, file);
  if (metadata['format'] !== format)
    throw refusal(file, `expected a checkpoint of nn, found ${shown(metadata['format'] ?? 'another safetensors file')}`);
  const place = digestPlace(bytes);
  const found = Buffer.from(place).toString('latin1');
  place.set(Buffer.from(noDigest));
  if (digestOf([bytes]) !== found) throw refusal(file, 'expected the bytes that its checksum is of, found others: it is damaged');
  if (!readVersions.includes(metadata['version'] ?? ''))
    throw refusal(file, `expected version ${readVersions.join(' or ')} of the format, found ${metadata['version']}`);
  const arrays = Object.entries(tensors).map(([name, { data }]) => [name, data] as const);
  return { content: parse(metadata['content'], file), tensors: Object.fromEntries(arrays) };
}

function parse(text: string | undefined, file: string): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch (error) {
    throw new UserError('model', `${file}: expected its content in JSON, found none`, { cause: error });
  }
}

/** Where the digest stands in a file: the first thing in the header. It is that of the file with zeros in its place. */
function digestPlace(bytes: Uint8Array): Uint8Array {
  const start = lengthBytes + '{"__metadata__":{"sha256":"'.length;
  return bytes.subarray(start, start + noDigest.length);
}

function digestOf(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

function refusal(file: string, text: string): UserError {
  return new UserError('model', `${file}: ${text}`);
}
