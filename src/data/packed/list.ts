import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import { UserError } from '../../errors.ts';
import type { PackedDescription } from './format.ts';

/**
 * What stands beside a file that is being packed: a line of JSON for each picture, in groups. A group's last line has the
 * checksums of its pixels and of its lines, so that after a power cut what is whole can be told from what is not.
 */

/** What makes two packings the same one. */
export interface PackSettings extends Omit<PackedDescription, 'unreadable'> {
  /** pictures of the source, readable or not */
  count: number;
}

/** A picture that was packed, with its label as the file has it, or one that could not be read. */
export type Item = { name: string; label: number; hash: string } | { name: string; reason: string };

export interface Group {
  items: Item[];
  /** checksum of the pixels of those that were packed, row after row */
  pixels: number;
  /** bytes of the list up to the end of this group */
  end: number;
}

const listVersion = 1;

/** The first line. */
export function encodeSettings(settings: PackSettings): Buffer {
  return Buffer.from(`${JSON.stringify({ packing: listVersion, ...settings })}\n`);
}

export function encodeGroup(items: readonly Item[], pixels: number): Buffer {
  const lines = Buffer.from(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  return Buffer.concat([lines, Buffer.from(`${JSON.stringify({ pixels, lines: crc32(lines) })}\n`)]);
}

/** The groups of a list, as far as it is sound; none where there is no list.
 *  @throws UserError (usage) where it is that of another packing */
export async function* readGroups(path: string, settings: PackSettings): AsyncGenerator<Group> {
  const first = encodeSettings(settings);
  let at = 0;
  let items: Item[] = [];
  let checksum = 0;
  for await (const line of readLines(path)) {
    at += line.length;
    if (at === line.length) {
      if (!line.equals(first)) throw anotherPacking(path);
      continue;
    }
    const parsed = parseLine(line);
    if (parsed === undefined) return;
    if ('lines' in parsed) {
      if (parsed.lines !== checksum) return;
      yield { items, pixels: parsed.pixels, end: at };
      items = [];
      checksum = 0;
    } else {
      items.push(parsed);
      checksum = crc32(line, checksum);
    }
  }
}

function anotherPacking(path: string): UserError {
  return new UserError('usage', `${path}: expected to go on with a packing of this source and these settings, found another`, {
    hint: 'Give the words of that packing to end it, another --out, or --force to begin anew.',
  });
}

/** A line that is cut off or damaged ends what is sound: that is what the checksums are for. */
function parseLine(line: Buffer): Item | { pixels: number; lines: number } | undefined {
  try {
    const value: unknown = JSON.parse(line.toString());
    return typeof value === 'object' && value !== null ? (value as Item) : undefined;
  } catch {
    return undefined;
  }
}

/** Lines with their ends; what comes after the last line end is none. */
async function* readLines(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path)) {
    const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield bytes.subarray(start, end + 1);
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
}
