/** What JSON.parse does with texts that was probably not meant. */

/** The first name that stands twice in an object of a JSON text: the last value alone would count.
 *  @param text  JSON
 *  @returns the name, and the lines that it stands in */
export function repeatedName(text: string): { name: string; lines: [first: number, second: number] } | null {
  const open: Map<string, number>[] = []; // of each bracket that is open: names, and where they stand
  for (const { 0: token, index } of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*:)?|[{}[\]]/gs)) {
    if (token === '{' || token === '[') open.push(new Map());
    else if (token === '}' || token === ']') open.pop();
    else if (token.endsWith(':')) {
      const name = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string;
      const before = open.at(-1)?.get(name);
      if (before !== undefined) return { name, lines: [lineAt(text, before), lineAt(text, index)] };
      open.at(-1)?.set(name, index);
    }
  }
  return null;
}

/** A JSON text with a backslash in a line, where it stops to be JSON: a path of Windows is meant. @param line  from 1 */
export function hasBackslash(text: string, line: number): boolean {
  return text.split('\n')[line - 1]?.includes('\\') ?? false;
}

/** Texts in which \t, \n, \r, \b or \f came out as what they stand for in JSON, as in "C:\temp", with the path of each. */
export function escapedTexts(value: unknown, path: readonly string[] = []): { path: string; text: string }[] {
  if (typeof value === 'string') return /[\b\t\n\f\r]/.test(value) ? [{ path: path.join('.'), text: value }] : [];
  if (typeof value !== 'object' || value === null || path.length > deepest) return [];
  return Object.entries(value).flatMap(([key, inner]) => escapedTexts(inner, [...path, key]));
}

/** No field of a config lies deeper. */
const deepest = 10;

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}
