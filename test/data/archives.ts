import { crc32, deflateRawSync } from 'node:zlib';

/** Archives made for the tests, byte by byte, so that they can be wrong in any way. */

export interface ZipEntry {
  name: string;
  data?: Uint8Array;
  /** 0 stored, 8 deflated */
  method?: number;
  encrypted?: boolean;
  /** of Unix, type of file included */
  mode?: number;
  /** what is stated in place of the truth */
  claims?: { size?: number; crc?: number; method?: number };
}

/** What the end of a ZIP archive states in place of the truth, and what stands around. */
export interface ZipEnd {
  count?: number;
  /** of the directory, in bytes */
  size?: number;
  /** where the directory begins */
  start?: number;
  /** the number of this file, of several that are one archive */
  disk?: number;
  /** as ZIP64 states it: in 64 bits */
  large?: boolean;
  comment?: string;
}

/** A ZIP archive. @see APPNOTE.TXT of PKWARE, 4.3 */
export function zipOf(entries: readonly ZipEntry[], end: ZipEnd = {}): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data = new Uint8Array(0), method = 8, encrypted = false, mode = 0o100644, claims = {} } of entries) {
    const nameBytes = Buffer.from(name);
    const packed = method === 8 ? deflateRawSync(data) : Buffer.from(data);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0); // version needed
    shared.writeUInt16LE((encrypted ? 1 : 0) | 0x800, 2); // names are UTF-8
    shared.writeUInt16LE(claims.method ?? method, 4);
    shared.writeUInt32LE(claims.crc ?? crc32(data), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(claims.size ?? data.length, 18);
    shared.writeUInt16LE(nameBytes.length, 22);
    const file = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), shared, nameBytes, packed]);
    const made = Buffer.from([20, 3]); // by Unix
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), made, shared, rest, nameBytes]));
    files.push(file);
    offset += file.length;
  }
  return Buffer.concat([
    ...files,
    ...directory,
    zipEnd({ count: entries.length, size: Buffer.concat(directory).length, start: offset, ...end }),
  ]);
}

/** What stands behind the directory. */
export function zipEnd({
  count,
  size,
  start,
  disk = 0,
  large = false,
  comment = '',
}: ZipEnd & { count: number; size: number; start: number }): Buffer {
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(disk, 4);
  for (const at of [8, 10]) end.writeUInt16LE(large ? 0xffff : count % 2 ** 16, at);
  end.writeUInt32LE(large ? 0xffffffff : size, 12);
  end.writeUInt32LE(large ? 0xffffffff : start % 2 ** 32, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...(large ? [largeEnd({ count, size, start, disk })] : []), end, Buffer.from(comment, 'latin1')]);
}

/** The end as ZIP64 has it, and what says where that is. */
function largeEnd({ count, size, start, disk }: { count: number; size: number; start: number; disk: number }): Buffer {
  const end = Buffer.alloc(56);
  end.write('PK\x06\x06', 'latin1');
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt32LE(disk, 16);
  for (const [at, value] of [
    [24, count],
    [32, count],
    [40, size],
    [48, start],
  ] as const)
    end.writeBigUInt64LE(BigInt(value), at);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(start + size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([end, locator]);
}

/** The content of an extended header of pax. */
export function paxOf(attributes: Record<string, string>): Buffer {
  const records = Object.entries(attributes).map(([key, value]) => {
    const bytes = Buffer.byteLength(` ${key}=${value}\n`);
    const length = [1, 2, 3, 4].map((digits) => bytes + digits).find((sum, i) => String(sum).length === i + 1);
    return `${length} ${key}=${value}\n`;
  });
  return Buffer.from(records.join(''));
}

export interface TarEntry {
  name: string;
  data?: Uint8Array;
  /** 0 file, 1 hard link, 2 symbolic link, 3 device, 5 folder */
  type?: string;
  link?: string;
  /** of a sparse file of GNU: whether its map goes on, in the header and in each block of it behind */
  map?: readonly boolean[];
  /** what is stated in place of the truth */
  claims?: { size?: number; checksum?: number };
}

/** A tar archive. @see POSIX.1-2017, pax, ustar interchange format */
export function tarOf(entries: readonly TarEntry[], { isEnded = true } = {}): Buffer {
  const blocks = entries.flatMap(({ name, data = new Uint8Array(0), type = '0', link = '', map = [], claims = {} }) => {
    const header = Buffer.alloc(512);
    const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
    header.write(name, 0, 100);
    header.write(octal(0o644, 8), 100);
    header.write(octal(0, 8), 108);
    header.write(octal(0, 8), 116);
    header.write(octal(claims.size ?? data.length, 12), 124);
    header.write(octal(0, 12), 136);
    header.write(' '.repeat(8), 148);
    header.write(type, 156);
    header.write(link, 157, 100);
    header.write('ustar\x0000', 257);
    if (map[0]) header[482] = 1;
    const rest = map.slice(1).map((goesOn) => Buffer.alloc(512).fill(goesOn ? 1 : 0, 504, 505));
    const sum = claims.checksum ?? header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, ...rest, Buffer.from(data), Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(isEnded ? 1024 : 0)]);
}
