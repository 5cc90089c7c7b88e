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

/** A ZIP archive. @see APPNOTE.TXT of PKWARE, 4.3 */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
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
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, ...directory, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

export interface TarEntry {
  name: string;
  data?: Uint8Array;
  /** 0 file, 1 hard link, 2 symbolic link, 3 device, 5 folder */
  type?: string;
  link?: string;
  /** what is stated in place of the truth */
  claims?: { size?: number; checksum?: number };
}

/** A tar archive. @see POSIX.1-2017, pax, ustar interchange format */
export function tarOf(entries: readonly TarEntry[], { isEnded = true } = {}): Buffer {
  const blocks = entries.flatMap(({ name, data = new Uint8Array(0), type = '0', link = '', claims = {} }) => {
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
    const sum = claims.checksum ?? header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, Buffer.from(data), Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(isEnded ? 1024 : 0)]);
}
