import { UserError } from '../errors.ts';

/** Numbers by which files without a colour profile say what their RGB means. @see ITU-T H.273, tables 2 and 3 */
export interface ColourCodes {
  primaries: number;
  transfer: number;
}

const displayP3 = 12;
const wide: Record<number, string> = { 9: 'BT.2020', 10: 'CIE XYZ', 11: 'DCI-P3' };
const notForScreens: Record<number, string> = {
  8: 'linear light',
  9: 'logarithmic light',
  10: 'logarithmic light',
  16: 'HDR (PQ)',
  17: 'ST 428',
  18: 'HDR (HLG)',
};

/** What RGB is to be taken for: what is not known is sRGB, and so are its near relatives, television's.
 *  @throws UserError (data) for what would come out as another picture */
export function colourSpaceOf({ primaries, transfer }: ColourCodes): 'srgb' | 'p3' {
  const found = notForScreens[transfer] ?? wide[primaries];
  if (found !== undefined) throw new UserError('data', `colours of ${found}, which nn can't show: save it as sRGB`);
  return primaries === displayP3 ? 'p3' : 'srgb';
}

/** What a PNG file says of its colours by numbers, before its pixels. @see PNG (third edition), 11.3.2.6 */
export function pngColours(png: Uint8Array): ColourCodes | undefined {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.length);
  for (let at = 8; at + 16 <= bytes.length; ) {
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (type === 'IDAT') return undefined;
    if (type === 'cICP') return { primaries: bytes[at + 8]!, transfer: bytes[at + 9]! };
    at += 12 + bytes.readUInt32BE(at);
  }
  return undefined;
}
