/** 12288 becomes 12,288. Of numbers with three decimals at most; toLocaleString would do it too, and take 20 ms when it is first called. */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** 1,500,000,000 becomes 1.5 GB, 512 becomes 512 bytes. */
export function byteText(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  for (; amount >= 1000 && unit < units.length - 1; unit++) amount /= 1000;
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}

/** Two sizes of which one is too much for the other, told so exactly that they differ. */
export function byteTexts(one: number, other: number): [string, string] {
  const rough: [string, string] = [byteText(one), byteText(other)];
  return rough[0] === rough[1] ? [`${grouped(one)} bytes`, `${grouped(other)} bytes`] : rough;
}
/** A text in lines, which may lie within each other, as a table does among sentences. A string is one line, whatever is in it: a name
 *  from outside begins no line of its own. */
export type Lines = string | readonly Lines[];

export function linesOf(text: Lines): string[] {
  return typeof text === 'string' ? [text] : text.flatMap(linesOf);
}

/** A text that may hold anything from outside, as one line that commands no terminal and hides nothing: control characters, those that
 *  turn the direction of writing and those that are not seen become escapes. They are JSON's, so that JSON says what it said before. */
export function oneLine(text: string): string {
  return text.replace(commanding, escaped);
}

// controls (with ESC, C1, tabs and line ends), formats (with those of direction), separators of lines, half characters; but for the two
// joiners, without which Persian and emoji read wrongly
const commanding = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const short: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

function escaped(character: string): string {
  const unit = (i: number) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return short[character] ?? Array.from({ length: character.length }, (_, i) => unit(i)).join('');
}

/** A word as the shell takes it, and a terminal. */
export function shellWord(text: string): string {
  if (/^[\w.=:,/+-]+$/.test(text)) return text;
  const escapes = text.search(commanding) >= 0; // which bash and zsh read as JSON does
  return escapes ? `$'${oneLine(text.replace(/[\\']/g, '\\$&'))}'` : `'${text.replaceAll("'", "'\\''")}'`;
}
