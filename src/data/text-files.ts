/** Texts that people and their programs wrote: as UTF-8 or in UTF-16 (as PowerShell and Excel do), which a mark at the beginning says, or zeros in every
 *  second of the first bytes. The mark is no part of the text.
 *  @see the Encoding Standard, 6: BOM sniff */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(encodings.find(({ begins }) => begins(bytes))?.name ?? 'utf-8').decode(bytes);
}

const encodings: { name: string; begins(bytes: Uint8Array): boolean }[] = [
  { name: 'utf-16le', begins: ([a, b]) => a === 0xff && b === 0xfe },
  { name: 'utf-16be', begins: ([a, b]) => a === 0xfe && b === 0xff },
  { name: 'utf-16le', begins: ([a, b, c, d]) => !!a && b === 0 && !!c && d === 0 },
  { name: 'utf-16be', begins: ([a, b, c, d]) => a === 0 && !!b && c === 0 && !!d },
];

/** The paths of a list: one a line, without the quotes that Explorer copies around it; or with a zero behind each, as find -print0 writes them:
 *  then every other sign is a letter of a name. */
export function pathsInList(text: string): string[] {
  const lines = text.split(text.includes('\n') ? /\r?\n/ : '\r').map((line) => line.replace(/^"(.*)"$/, '$1'));
  return (text.includes('\0') ? text.split('\0') : lines).filter((path) => path !== '');
}

/** Why a text is none that people read; null where it is one. */
export function problemOf(text: string): string | null {
  return text.includes('\0') ? 'bytes of zero, as a file that is no text has them' : null;
}

/** In a text of UTF-8: the line, from 1, with the first bytes that are none; null where all are.
 *  @param text  of `decodeText`, which has a sign in their place */
export function lineOfWrongBytes(text: string): number | null {
  const at = text.indexOf('\ufffd');
  return at < 0 ? null : text.slice(0, at).split(/\r\n|\n|\r/).length;
}

const delimiters = [',', ';', '\t', '|'];

/** What stands between the values of a table, by the line that names its columns: commas, or what Excel writes where commas stand in numbers.
 *  @param columns  that it must have; a comma where no other gives them */
export function delimiterOf(text: string, columns: readonly string[]): string {
  const [header = ''] = text.split(/\r\n|\n|\r/, 1000).filter((line) => line.trim() !== '');
  const namesBy = (delimiter: string) => header.split(delimiter).map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
  return delimiters.find((delimiter) => columns.every((column) => namesBy(delimiter).includes(column))) ?? ',';
}

/** A value as RFC 4180 has it: quoted where it must be. */
export function csvField(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
