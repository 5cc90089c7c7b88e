import type { Choice } from '../config/first-config.ts';
import { oneLine } from '../text.ts';
import { settingText } from './setting.ts';
import { leftTable } from './table.ts';

/** What was chosen, and why: a line each, in columns. What is so by itself stands in brackets. */
export function choicesText(choices: readonly Choice[]): string[] {
  const rows = choices.map(({ field, value, reason, isDefault }) => {
    const text = settingText(value);
    return [field, isDefault ? `(${text})` : text, reason];
  });
  return leftTable(rows, '  ');
}

/** Characters of a line of JSON. */
const widest = 120;

/** A config as people write it: an object or a list stands in one line where it fits, else a line for each of its parts. Any text in it
 *  is harmless on a terminal. */
export function configText(config: unknown): string {
  return oneLineEach(written(config, '', 0));
}

const oneLineEach = (text: string) => text.split('\n').map(oneLine).join('\n');

/** @param before  characters that stand in the line already */
function written(value: unknown, indent: string, before: number): string {
  const short = inOneLine(value);
  const isTop = indent === '' && before === 0;
  if (typeof value !== 'object' || value === null || (!isTop && indent.length + before + short.length < widest)) return short;
  const deeper = `${indent}  `;
  const isList = Array.isArray(value);
  const lines = definedEntries(value).map(([key, inner]) => {
    const name = isList ? '' : `${JSON.stringify(key)}: `;
    return `${deeper}${name}${written(inner, deeper, name.length)}`;
  });
  const [open, close] = isList ? '[]' : '{}';
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}

function inOneLine(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(', ')}]`;
  const fields = definedEntries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${inOneLine(inner)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

const definedEntries = (value: object) => Object.entries(value).filter(([, inner]) => inner !== undefined);
