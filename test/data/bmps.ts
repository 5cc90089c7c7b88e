/** Windows bitmaps made for the tests, as Microsoft describes them; none of it is the reader's. */

export interface BmpShape {
  width: number;
  height: number;
  bits: 1 | 2 | 4 | 8 | 16 | 24 | 32;
  /** bytes of the header behind the file's: 12 for OS/2, 40, 52, 56, 108, 124 */
  header?: number;
  isTopDown?: boolean;
  compression?: 'none' | 'runs' | 'masks' | 'masksWithAlpha';
  /** red, green, blue, alpha */
  masks?: readonly [number, number, number, number];
  palette?: readonly (readonly [red: number, green: number, blue: number])[];
  /** bytes between what is before the pixels and them */
  gap?: number;
  icc?: Uint8Array;
  /** what is stated in place of the truth */
  claims?: { width?: number; height?: number; pixelsAt?: number; colours?: number; compression?: number; bits?: number };
}

/** @param pixelAt  the number of a pixel: an index, or the bits of its channels, as it is stored */
export function bmpOf(shape: BmpShape, pixelAt: (row: number, column: number) => number): Buffer {
  const { width, height, bits, header = 40, isTopDown = false, palette = [], gap = 0, claims = {}, icc } = shape;
  const { compression = 'none', masks = [0, 0, 0, 0] } = shape;
  const isOld = header === 12;
  const colours = Buffer.concat(palette.map(([r, g, b]) => Buffer.from(isOld ? [b, g, r] : [b, g, r, 0])));
  const behind = header === 40 ? { none: 0, runs: 0, masks: 3, masksWithAlpha: 4 }[compression] : 0;
  const maskBytes = Buffer.alloc(4 * behind);
  for (let i = 0; i < behind; i++) maskBytes.writeUInt32LE(masks[i]!, 4 * i);
  const rows = Array.from({ length: height }, (_, i) => {
    const row = isTopDown ? i : height - 1 - i;
    return Array.from({ length: width }, (_, column) => pixelAt(row, column));
  });
  const pixels = compression === 'runs' ? runsOf(rows, bits) : Buffer.concat(rows.map((row) => lineOf(row, bits)));
  const pixelsAt = 14 + header + maskBytes.length + colours.length + gap;
  const head = Buffer.alloc(header);
  head.writeUInt32LE(header, 0);
  if (isOld) {
    head.writeUInt16LE(claims.width ?? width, 4);
    head.writeUInt16LE(claims.height ?? height, 6);
    head.writeUInt16LE(1, 8);
    head.writeUInt16LE(claims.bits ?? bits, 10);
  } else {
    head.writeInt32LE(claims.width ?? width, 4);
    head.writeInt32LE((claims.height ?? height) * (isTopDown ? -1 : 1), 8);
    head.writeUInt16LE(1, 12);
    head.writeUInt16LE(claims.bits ?? bits, 14);
    head.writeUInt32LE(claims.compression ?? { none: 0, runs: bits === 8 ? 1 : 2, masks: 3, masksWithAlpha: 6 }[compression], 16);
    head.writeUInt32LE(claims.colours ?? palette.length, 32);
    for (let i = 0; 40 + 4 * i + 4 <= Math.min(header, 56); i++) head.writeUInt32LE(masks[i]!, 40 + 4 * i);
    if (icc) {
      head.writeUInt32LE(0x4d424544, 56); // PROFILE_EMBEDDED
      head.writeUInt32LE(pixelsAt - 14 + pixels.length, 112);
      head.writeUInt32LE(icc.length, 116);
    }
  }
  const file = Buffer.alloc(14);
  file.write('BM');
  file.writeUInt32LE(pixelsAt + pixels.length + (icc?.length ?? 0), 2);
  file.writeUInt32LE(claims.pixelsAt ?? pixelsAt, 10);
  return Buffer.concat([file, head, maskBytes, colours, Buffer.alloc(gap, 0xee), pixels, ...(icc ? [icc] : [])]);
}

/** A row, filled up to a multiple of 4 bytes. */
function lineOf(row: readonly number[], bits: number): Buffer {
  const bytes: number[] = [];
  if (bits >= 8)
    for (const pixel of row) for (let shift = 0; shift < bits; shift += 8) bytes.push(Math.floor(pixel / 2 ** shift) & 255);
  else {
    const text = row.map((pixel) => pixel.toString(2).padStart(bits, '0')).join('');
    for (let at = 0; at < text.length; at += 8) bytes.push(Number.parseInt(text.slice(at, at + 8).padEnd(8, '0'), 2));
  }
  while (bytes.length % 4 > 0) bytes.push(0xaa);
  return Buffer.from(bytes);
}

/** Rows in runs: repeated ones, single ones and skips in turns, so that all kinds stand in each file. */
function runsOf(rows: readonly (readonly number[])[], bits: number): Buffer {
  const out: number[] = [];
  const packed = (pixels: readonly number[]) =>
    bits === 8
      ? [...pixels]
      : Array.from({ length: Math.ceil(pixels.length / 2) }, (_, i) => pixels[2 * i]! * 16 + (pixels[2 * i + 1] ?? 0));
  for (const row of rows) {
    for (let at = 0, turn = 0; at < row.length; turn++) {
      let same = 1;
      while (at + same < row.length && row[at + same] === row[at] && same < 255) same++;
      if (row[at] === 0 && same > 1 && turn % 2 === 1) {
        out.push(0, 2, same, 0);
        at += same;
      } else if (same >= 3 || row.length - at < 3) {
        out.push(same, bits === 8 ? row[at]! : row[at]! * 17);
        at += same;
      } else {
        const pixels = row.slice(at, at + 3 + (turn % 4));
        const bytes = packed(pixels);
        out.push(0, pixels.length, ...bytes, ...(bytes.length % 2 === 1 ? [0] : []));
        at += pixels.length;
      }
    }
    out.push(0, 0);
  }
  out.push(0, 1);
  return Buffer.from(out);
}
