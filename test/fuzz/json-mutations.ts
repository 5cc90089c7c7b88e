import type { Random } from '../../src/random.ts';
import { largestInput, oneIn, pick } from './mutations.ts';

/** Changes to JSON that leave it JSON, or nearly: other values, names and numbers than a reader expects. */

/** Text that stands in the JSON as it is: what JSON.stringify can't write. */
const raw = {
  'beyond doubles': '1e999',
  'below doubles': '-1e999',
  'many digits': `1${'0'.repeat(400)}`,
  'minus nothing': '-0',
  'no number': 'NaN',
  'a deep list': `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  'a deep object': `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
  'a list less deep': `${'['.repeat(2000)}${']'.repeat(2000)}`,
  'half a character': '"\\ud800"',
  'a control character': '"\\u0000\\u001b[2J"',
} as const;
const rawMark = (name: string) => `@raw ${name}@`;
/** A key behind this mark loses it when it is written: so a key may stand twice. */
const twiceMark = '@twice@';

const values: unknown[] = [
  ...[null, true, false, 0, 1, -1, 0.5, 1e-320, 1e308, 2 ** 31, 2 ** 53, 2 ** 53 - 1, '', 'x', '__proto__', '../../etc/passwd'],
  ...[[], {}, [null], [[]], { a: { b: [] } }, 'y'.repeat(20_000), Array(3000).fill(0)],
  ...Object.keys(raw).map(rawMark),
];
const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', '', '0', 'name', 'type', 'path'];

/** The text of a value that differs from the given one in a few places. */
export function mutatedJson(random: Random, value: unknown): string {
  let out = structuredClone(value);
  const changes = oneIn(random, 3) ? 2 + random.integer(3) : 1;
  for (let i = 0; i < changes; i++) out = changed(random, out);
  return written(out);
}

export function written(value: unknown): string {
  const text = JSON.stringify(value).replaceAll(twiceMark, '');
  const once = Object.entries(raw).reduce((all, [name, token]) => all.replace(JSON.stringify(rawMark(name)), token), text);
  return once.length <= largestInput ? once : text;
}

/** A copy: one input's changes must not reach the next. */
const someValue = (random: Random): unknown => structuredClone(pick(random, values));

type Container = Record<string, unknown> | unknown[];

function changed(random: Random, root: unknown): unknown {
  const containers = containersIn(root);
  if (containers.length === 0 || oneIn(random, 20)) return someValue(random);
  const target = pick(random, containers);
  if (Array.isArray(target)) changeList(random, target);
  else changeObject(random, target);
  return root;
}

function changeList(random: Random, list: unknown[]): void {
  const at = random.integer(list.length);
  const change = random.integer(3);
  if (change === 0) list.splice(at, 1);
  else if (change === 1) list.splice(at, 0, someValue(random));
  else if (change === 2 && list.length > 0) list.push(...Array(pick(random, [1, 2, 1500])).fill(list[at % list.length]));
  else if (list.length > 0) list[at % list.length] = someValue(random);
}

function changeObject(random: Random, object: Record<string, unknown>): void {
  const known = Object.keys(object);
  const key = known.length === 0 ? 'a' : pick(random, known);
  const change = random.integer(6);
  const set = (name: string, value: unknown) =>
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  if (change === 0) delete object[key];
  else if (change === 1) set(pick(random, keys), structuredClone(pick(random, [object[key], ...values])));
  else if (change === 2) set(`${twiceMark}${key}`, oneIn(random, 2) ? structuredClone(object[key]) : someValue(random));
  else if (change === 3) {
    set(pick(random, keys), object[key]);
    delete object[key];
  } else if (change === 4 && known.length > 0) set(key, structuredClone(object[pick(random, known)]));
  else if (change === 5 && typeof object[key] === 'number') set(key, (object[key] as number) * pick(random, [-1, 2, 0.5, 1e9]));
  else set(key, someValue(random));
}

/** Every list and object within a value. */
function containersIn(value: unknown): Container[] {
  if (typeof value !== 'object' || value === null) return [];
  const found: Container[] = [value as Container];
  for (const one of found) {
    if (found.length > 500) break;
    for (const inner of Object.values(one)) if (typeof inner === 'object' && inner !== null) found.push(inner as Container);
  }
  return found;
}
