/** HEIF files made for the tests, box by box, so that what they say of their pictures can be anything.
 *  @see ISO/IEC 14496-12 and 23008-12 */

/** A picture, or what is made of pictures, in a file. */
export interface HeifItem {
  /** hvc1, av01, grid, iovl, Exif … */
  type: string;
  data: Uint8Array;
  /** what it is made of, or belongs to: the kind of reference and the numbers of other items, from 1 */
  refers?: readonly [kind: string, ...items: number[]];
  properties?: readonly HeifProperty[];
}

export interface HeifProperty {
  box: Buffer;
  /** who does not know it may not show the picture */
  essential?: boolean;
}

/** @param items     numbered from 1; the first is the one to show
 *  @param brands    the major one first */
export function heifOf(items: readonly HeifItem[], brands: readonly string[] = ['heic', 'mif1', 'heic']): Buffer {
  const ftyp = box('ftyp', ascii(brands[0]!), u32(0), ...brands.slice(1).map(ascii));
  const mdat = box('mdat', ...items.map(({ data }) => data));
  const properties = items.flatMap(({ properties = [] }) => properties);
  let [offset, property] = [ftyp.length + 8, 0];
  const located = items.map(({ data }, i) => {
    const entry = Buffer.concat([u16(i + 1), u16(0), u16(0), u16(1), u32(offset), u32(data.length)]);
    offset += data.length;
    return entry;
  });
  const associations = items.map(({ properties: own = [] }, i) =>
    Buffer.concat([u16(i + 1), u8(own.length), ...own.map(({ essential }) => u8(++property | (essential ? 0x80 : 0)))]),
  );
  const references = items.flatMap(({ refers }, i) =>
    refers ? [box(refers[0], u16(i + 1), u16(refers.length - 1), ...refers.slice(1).map((to) => u16(to as number)))] : [],
  );
  const meta = fullBox(
    'meta',
    0,
    fullBox('hdlr', 0, u32(0), ascii('pict'), Buffer.alloc(13)),
    fullBox('pitm', 0, u16(1)),
    fullBox('iloc', 1, u8(0x44), u8(0), u16(items.length), ...located),
    fullBox(
      'iinf',
      0,
      u16(items.length),
      ...items.map(({ type }, i) => fullBox('infe', 2, u16(i + 1), u16(0), ascii(type), u8(0))),
    ),
    ...(references.length > 0 ? [fullBox('iref', 0, ...references)] : []),
    box('iprp', box('ipco', ...properties.map((one) => one.box)), fullBox('ipma', 0, u32(items.length), ...associations)),
  );
  return Buffer.concat([ftyp, mdat, meta]);
}

export const sizeOf = (width: number, height: number): HeifProperty => ({ box: fullBox('ispe', 0, u32(width), u32(height)) });
/** @param quarters  turns of 90 degrees, against the clock */
export const rotated = (quarters: number): HeifProperty => ({ box: box('irot', u8(quarters)), essential: true });
/** @param axis  0: upside down, 1: left and right exchanged */
export const mirrored = (axis: 0 | 1): HeifProperty => ({ box: box('imir', u8(axis)), essential: true });
export const profiled = (icc: Uint8Array): HeifProperty => ({ box: box('colr', ascii('prof'), icc) });
/** @see ITU-T H.273 for the numbers */
export const colours = (primaries: number, transfer: number, matrix: number, isFull = true): HeifProperty => ({
  box: box('colr', ascii('nclx'), u16(primaries), u16(transfer), u16(matrix), u8(isFull ? 0x80 : 0)),
});
export const auxiliary = (urn: string): HeifProperty => ({ box: fullBox('auxC', 0, ascii(`${urn}\0`)) });
export const rawProperty = (bytes: Uint8Array): HeifProperty => ({ box: Buffer.from(bytes), essential: true });

/** What `grid` items hold. */
export const gridOf = (rows: number, columns: number, width: number, height: number): Buffer =>
  Buffer.concat([u8(0), u8(0), u8(rows - 1), u8(columns - 1), u16(width), u16(height)]);

/** What `iovl` items hold: pictures laid over a canvas, all at its corner. */
export const overlayOf = (count: number, width: number, height: number): Buffer =>
  Buffer.concat([u8(0), u8(0), Buffer.alloc(8, 0xff), u16(width), u16(height), Buffer.alloc(4 * count)]);

/** The coded picture of a HEIF file that holds one, and the box that says how it is coded.
 *  @param configuration  hvcC or av1C */
export function codedOf(file: Buffer, configuration: string): { data: Buffer; coding: HeifProperty } {
  const find = (type: string) => {
    const at = file.indexOf(ascii(type)) - 4;
    return file.subarray(at, at + file.readUInt32BE(at));
  };
  return { data: find('mdat').subarray(8), coding: rawProperty(find(configuration)) };
}

export function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length + 8), ascii(type), body]);
}

function fullBox(type: string, version: number, ...parts: readonly Uint8Array[]): Buffer {
  return box(type, u32(version * 2 ** 24), ...parts);
}

const ascii = (text: string) => Buffer.from(text, 'latin1');
const u8 = (value: number) => Buffer.of(value);
const u16 = (value: number) => Buffer.of(value >> 8, value & 255);
function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
