import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { formatNamed, formatOf, imageFormats, isImageName, otherFormatOf } from '../../src/data/image-formats.ts';
import { bmpOf } from './bmps.ts';
import { heic8, heic10 } from './heic-files.ts';
import { box } from './heifs.ts';
import { picture } from './pictures.ts';
import { tiffOf } from './tiffs.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const nameOf = (file: Uint8Array) => formatOf(file)?.name;
const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"/>';

describe('what sharp writes is told as sharp tells it', () => {
  const source = () => picture(16, 16, (row, column) => [row * 9, column * 9, 60]);
  const frames = async () =>
    sharp([await source().png().toBuffer(), await source().png().toBuffer()], { join: { animated: true } });
  test.each<[string, () => Promise<Buffer>]>([
    ['JPEG', () => source().jpeg().toBuffer()],
    ['progressive JPEG', () => source().jpeg({ progressive: true }).toBuffer()],
    ['PNG', () => source().png().toBuffer()],
    ['GIF', () => source().gif().toBuffer()],
    ['WebP', () => source().webp().toBuffer()],
    ['lossless WebP', () => source().webp({ lossless: true }).toBuffer()],
    ['animated WebP', async () => (await frames()).webp().toBuffer()],
    ['animated GIF', async () => (await frames()).gif().toBuffer()],
    ['TIFF', () => source().tiff().toBuffer()],
    ['BigTIFF', () => source().tiff({ bigtiff: true }).toBuffer()],
    ['AVIF', () => source().avif({ effort: 0 }).toBuffer()],
    [
      'Motorola TIFF',
      async () => tiffOf({ width: 9, height: 9, bits: 8, photometric: 'rgb', samples: 3, bigEndian: true }, () => 1),
    ],
    ['HEIC', async () => heic8],
    ['SVG', async () => latin1(svg)],
  ])('%s', async (_, make) => {
    const file = await make();
    expect(nameOf(file)).toBe((await sharp(file).metadata()).format);
  });
});

describe('what may be a program is not decoded in this process', () => {
  /** Texts that begin as formats of pixels do, or nearly. */
  const disguises = [
    '<!--ftyp-->',
    '    ftypavif',
    '<!--ftypheic',
    'GIF8',
    'GIF89a',
    'RIFF<!--WEBP',
    'RIFF    WEBPVP8 ',
    'II*',
    'MM *',
    'BM',
    '\xff\xd8',
    '\x89PNG',
    '\0\0\0\x20ftyp',
  ];

  test('an SVG behind any of them', async () => {
    for (const start of ['', ...disguises]) {
      for (const file of [latin1(start + svg), latin1(`${start}\n${svg}`), latin1(`<?xml version="1.0"?>${start}${svg}`)]) {
        const told = await sharp(file)
          .metadata()
          .then(
            ({ format }) => format,
            () => undefined,
          );
        if (told === 'svg') expect(formatOf(file)?.here ?? false, JSON.stringify(start)).toBe(false);
      }
    }
  });

  test('an SVG whose first bytes are any at all', async () => {
    const start = fc.oneof(
      fc.constantFrom(...disguises),
      fc.string({ maxLength: 12 }),
      fc.uint8Array({ maxLength: 12 }).map((b) => latin1(String.fromCharCode(...b)).toString('latin1')),
    );
    await fc.assert(
      fc.asyncProperty(start, start, async (a, b) => {
        const file = latin1(`${a}${b}${svg}`);
        if (!formatOf(file)?.here) return;
        const told = await sharp(file)
          .metadata()
          .then(
            ({ format }) => format as string,
            () => 'none',
          );
        expect(told).not.toBe('svg');
      }),
      { numRuns: 500 },
    );
  });

  test('HEIF is a box of a length, with a brand that is known', () => {
    const ftyp = (...brands: string[]) => box('ftyp', latin1(brands[0]!), Buffer.alloc(4), ...brands.slice(1).map(latin1));
    const heif = [ftyp('avif', 'mif1'), ftyp('heic'), ftyp('mif1', 'heic', 'miaf'), ftyp('XYZ ', 'abcd', 'heix'), heic10];
    for (const file of heif) expect(nameOf(Buffer.concat([file, Buffer.alloc(32)]))).toBe('heif');
    const isnt = [
      ftyp('isom', 'mp42'),
      ftyp('qt  '),
      latin1('\0\0\0\x0bftypheicmif1'), // no length of brands
      latin1('\0\0\0\x0cftypheic'),
      latin1('\x20\x20\x20\x20ftypheicmif1'),
      latin1('\0\0\x40\0ftypheicmif1'),
      box('meta', latin1('heicmif1')),
    ];
    for (const file of isnt) expect(nameOf(Buffer.concat([file, Buffer.alloc(32)])), file.toString('latin1')).toBeUndefined();
  });
});

describe('SVG is told by its first element', () => {
  test.each([
    svg,
    `\xef\xbb\xbf${svg}`,
    `  \n${svg}`,
    `<?xml version="1.0"?>\n${svg}`,
    `<!-- a > b --><?pi <svg ?>\n<!-- <html> -->${svg}`,
    `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">${svg}`,
    `<!DOCTYPE svg [<!ENTITY a "b">]>${svg}`,
    '<s:svg xmlns:s="http://www.w3.org/2000/svg"/>',
    '<svg/>',
  ])('%s', (text) => {
    expect(nameOf(latin1(text))).toBe('svg');
  });

  test.each([
    `<html><body>${svg}</body></html>`,
    `<!DOCTYPE html><html>${svg}`,
    `text ${svg}`,
    `<svgx/>`,
    `<!-- ${svg}`,
    `<!-- ${svg} -->`,
    `<?xml ${svg}`,
    '',
  ])('not by what stands elsewhere: %s', (text) => {
    expect(nameOf(latin1(text))).toBeUndefined();
  });

  test('in no time, whatever the text', () => {
    const begun = performance.now();
    for (const piece of ['<!---->', '<??>', '<!--', '-->', '<!DOCTYPE a[]>', '<!DOCTYPE', ' ', '\n\t', '<?', '<!-- -- > '])
      for (const end of ['', '<sv', 'x']) expect(nameOf(latin1(piece.repeat(4000) + end))).toBeUndefined();
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});

test('every name that is taken for an image is of one format', () => {
  const all = imageFormats.flatMap(({ extensions }) => extensions);
  expect(new Set(all).size).toBe(all.length);
  for (const { name, extensions } of imageFormats)
    for (const extension of extensions) expect(formatNamed(`a/b.c${extension.toUpperCase()}`)).toBe(name);
  for (const name of ['a.mov', 'jpg', 'a.jpg/b', 'Thumbs.db', '.png']) expect(isImageName(name), name).toBe(false);
});

test.each<[string, string | Buffer]>([
  ['a JPEG XL image', '\xff\x0a\xfa\x7f'],
  ['a JPEG XL image', '\0\0\0\x0cJXL \r\n\x87\n\0\0'],
  ['a JPEG 2000 image', '\0\0\0\x0cjP  \r\n\x87\n\0\0'],
  ['a Photoshop image', '8BPS\0\x01\0\0'],
  ['an OpenEXR image', '\x76\x2f\x31\x01\x02'],
  ['a Radiance image', '#?RADIANCE\n'],
  ['a netpbm image', 'P6\n16 16\n255\n'],
  ['an icon', '\0\0\x01\0\x02\0\x20\x20'],
  ['a DICOM image', `${'\0'.repeat(128)}DICM`],
  ['a raw image of a camera', '\0\0\0\x18ftypcrx \0\0\0\x01'],
  ['a film', box('ftyp', latin1('qt  \0\0\0\0qt  '))],
  ['a film', 'RIFF\x10\0\0\0AVI LIST'],
  ['a PDF', '%PDF-1.7'],
])('what is not decoded is named: %s', (title, start) => {
  const file = typeof start === 'string' ? latin1(start) : start;
  expect(nameOf(file)).toBeUndefined();
  expect(otherFormatOf(file)).toBe(title);
});

test('what is no image has no name of one', () => {
  for (const text of ['', 'P', 'BM is a text', 'a text', '<html>', '{"a":1}', '\0\0\0\0\0\0\0\0', 'II', 'GIF87b', '\xff\xd8'])
    expect([nameOf(latin1(text)), otherFormatOf(latin1(text))], text).toEqual([undefined, undefined]);
  expect(nameOf(bmpOf({ width: 8, height: 8, bits: 24 }, () => 1))).toBe('bmp');
});
