export interface JsonMistake {
  line: number;
  expected: string;
  found: string;
  /** what JSON asks for, in the words after "A config is JSON" */
  advice: string;
}

/** Where a text stops to be JSON, and what stands there: the same words on every version of Node.
 *  @returns null where it is JSON */
export function jsonMistake(text: string): JsonMistake | null {
  const closers: string[] = [];
  let expecting: State = 'value';
  let at = 0;
  for (;;) {
    at = skipSpace(text, at);
    if (at === text.length && expecting === 'end') return null;
    token.lastIndex = at;
    const word = token.exec(text)?.[0] ?? '';
    const kind = kindOf(word);
    const next: State | undefined = kind && step(expecting, kind, closers);
    if (next === undefined) {
      const line = lineAt(text, at);
      // within an array a first value is looked for under another name
      const afterComma = expecting === 'key' || (expecting === 'value' && closers.at(-1) === ']');
      const advice =
        afterComma && kind === closers.at(-1) ? ': take away the comma before it.' : adviceOn(text.slice(at, at + 80), expecting);
      return { line, advice, expected: expectations[expecting](closers.at(-1) ?? ''), found: shown(text, at) };
    }
    expecting = next;
    at += word.length;
  }
}

/** What other languages allow. */
const habits: readonly (readonly [RegExp, string])[] = [
  [/^(\/\/|\/\*|#)/, ', which has no comments: take it away.'],
  [/^'/, ': texts and names stand in double quotes.'],
  [/^[\p{L}_$][\w$]*\s*[:=]/u, ': names stand in double quotes, and a colon behind them.'],
  [
    /^(True|False|None|NaN|[-+]?Infinity|undefined|yes|no|on|off)\b/i,
    ': it knows true, false, null, numbers, and texts in double quotes.',
  ],
  [/^[-+]?[.\d]/, ': numbers are written as 10, 0.5 or 1e-4.'],
];

function adviceOn(rest: string, expecting: State): string {
  const isOpen = /value|key/i.test(expecting); // elsewhere nothing but a comma, a bracket or a colon is wanted
  return habits.slice(0, isOpen ? habits.length : 1).find(([pattern]) => pattern.test(rest))?.[1] ?? '.';
}

type State = 'value' | 'firstValue' | 'firstKey' | 'key' | 'colon' | 'comma' | 'end';
type Kind = 'scalar' | 'string' | '{' | '[' | '}' | ']' | ',' | ':';

const token =
  /"[^"\\\r\n\t]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\r\n\t]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b|[{}[\],:]/y; // RFC 8259
const space = /[ \t\r\n]*/y;

const expectations: Record<State, (closer: string) => string> = {
  value: () => 'a value',
  firstValue: () => 'a value or ]',
  firstKey: () => 'a name in double quotes or }',
  key: () => 'a name in double quotes',
  colon: () => 'a colon',
  comma: (closer) => `a comma or ${closer}`,
  end: () => 'nothing more',
};

function kindOf(word: string): Kind | undefined {
  if (word === '') return undefined;
  if (word.startsWith('"')) return 'string';
  return '{}[],:'.includes(word) ? (word as Kind) : 'scalar';
}

/** What may follow; undefined where the token may not stand here. */
function step(state: State, kind: Kind, closers: string[]): State | undefined {
  const done = (): State => (closers.length === 0 ? 'end' : 'comma');
  if (kind === closers.at(-1) && (state === 'comma' || state === (kind === '}' ? 'firstKey' : 'firstValue'))) {
    closers.pop();
    return done();
  }
  if (state === 'value' || state === 'firstValue') {
    if (kind === '{' || kind === '[') closers.push(kind === '{' ? '}' : ']');
    return kind === '{' ? 'firstKey' : kind === '[' ? 'firstValue' : kind === 'string' || kind === 'scalar' ? done() : undefined;
  }
  if (state === 'key' || state === 'firstKey') return kind === 'string' ? 'colon' : undefined;
  if (state === 'colon') return kind === ':' ? 'value' : undefined;
  if (state === 'comma' && kind === ',') return closers.at(-1) === '}' ? 'key' : 'value';
  return undefined;
}

function skipSpace(text: string, at: number): number {
  space.lastIndex = at;
  return at + space.exec(text)![0].length;
}

function shown(text: string, at: number): string {
  if (at >= text.length) return 'the end of the file';
  const rest = /^[^\n]*/.exec(text.slice(at, at + 40))![0].trimEnd();
  return rest.length > 20 ? `${rest.slice(0, 19)}…` : rest;
}

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
