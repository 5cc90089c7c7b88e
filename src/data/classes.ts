import { DataError, UserError } from '../errors.ts';

/** Two names; which of them is 1. */
export interface Classes {
  positive: string;
  negative: string;
}

/** The classes among names, each once and sorted by UTF-16 code units, so the same on every system; and the place of each. */
export function classesAmong(names: readonly string[]): { classes: string[]; placeOf(name: string): number } {
  const classes = [...new Set(names)].sort();
  const places = new Map(classes.map((name, place) => [name, place]));
  return { classes, placeOf: (name) => places.get(name)! };
}

/** Which of a source's classes is 1. Where there are more than two, that one stands against all the others together.
 *  @param names     of the classes, sorted by UTF-16 code units, so the same on every system
 *  @param positive  the config's word, if any
 *  @param options.many   whether the negative class is all that is not positive, though this source may have two classes alone
 *  @param options.notes  what the source passed over: where a class is missing, it may be among that
 *  @throws UserError (data) on fewer than two classes, on more where none is named, and on names that would be taken for each other;
 *                    (usage) where none of them is called cat and none is named */
export function orderClasses(
  names: readonly string[],
  positive: string | undefined,
  where: string,
  { many = names.length > 2, notes = [] }: { many?: boolean; notes?: readonly string[] } = {},
): Classes {
  if (names.length < 2 || (names.length > 2 && positive === undefined)) throw notTwoClasses(names, where, notes);
  const called = names.filter((name) => (positive === undefined ? name.toLowerCase() === 'cat' : name === positive));
  const [chosen] = called;
  if (chosen === undefined || called.length > 1) {
    const expected =
      positive === undefined ? 'one class called cat, or the field positive' : `one class called ${JSON.stringify(positive)}`;
    throw new UserError('usage', `${where}: expected ${expected}, found ${listNames(names, names.length > 2 ? ', ' : ' and ')}`, {
      hint: hintForSplits(names) ?? positiveHint(names, positive),
    });
  }
  if (!many) return { positive: chosen, negative: names.find((name) => name !== chosen)! };
  const classes = { positive: chosen, negative: complementName(chosen) };
  refuseMistakable(names, classes, where);
  return classes;
}

function notTwoClasses(names: readonly string[], where: string, notes: readonly string[]): UserError {
  const found = names.length === 0 ? 'none' : `${names.length}: ${listNames(names, ', ')}`;
  const [only] = names;
  const folders = 'Put the pictures into one folder for each class, such as';
  const hints = [
    `${folders} cat and noncat.`,
    `${folders} ${complementName(only!)} beside ${only}: what is learnt is what tells them apart.`,
  ];
  const hint = hintForSplits(names) ?? hints[names.length] ?? positiveHint(names);
  const passedOver = names.length < 2 && notes.length > 0 ? ` (${notes.join('; ')})` : '';
  return new DataError(`${where}: expected two classes, found ${found}`, { hint: `${hint}${passedOver}` });
}

/** Where all classes but one are taken together, none of them may be taken for that one, or for all of them.
 *  @throws UserError (data) */
export function refuseMistakable(names: readonly string[], { positive, negative }: Classes, where: string): void {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  const twin = names.find((name) => name !== positive && same(name, positive));
  if (twin !== undefined) {
    throw new DataError(`${where}: expected one class called ${positive}, found ${twin} as well`, {
      hint: 'Give both the same name, if they are one class, or names that differ in more than their case.',
    });
  }
  const rest = names.length > 2 ? names.find((name) => same(name, negative)) : undefined;
  if (rest !== undefined) {
    const others = names.filter((name) => name !== positive && name !== rest);
    throw new DataError(
      `${where}: expected no class called ${negative}, which is what all but ${positive} are called together, found ${rest} beside ${listNames(others, ', ')}`,
      { hint: 'Give that class another name, such as other.' },
    );
  }
}

/** Names for a sentence: so many at most. */
export function listNames(names: readonly string[], between: string): string {
  return `${names.slice(0, mostNames).join(between)}${names.length > mostNames ? `${between}…` : ''}`;
}

const mostNames = 10;

/** For folders that were made for another layout. */
function hintForSplits(names: readonly string[]): string | undefined {
  return areSplitNames(names) ? splitsHint : undefined;
}

export function areSplitNames(names: readonly string[]): boolean {
  return names.length > 0 && names.every((name) => partNamed(name) !== undefined);
}

/** The part that a name means in any layout, if it means one. */
export function partNamed(name: string): 'train' | 'dev' | 'test' | undefined {
  return (['train', 'dev', 'test'] as const).find((part) => partNames[part].test(name));
}

const partNames = { train: /^train(ing)?$/i, dev: /^(dev|val|valid|validation)$/i, test: /^test(ing)?$/i };

const splitsHint = 'These look like parts, not classes: give each its own source, as data.train, data.dev and data.test.';
/** What all classes but the positive one are called together, where there are more than two. */
export const complementName = (positive: string) => `non${positive}`;

/** Words that say that what is looked for is not there, or is; as a whole name or as its first word. */
const negativeWords =
  'not no n non none without false negative neg normal healthy background benign other others off absent rest 0';
const positiveWords = 'with yes y true positive pos malignant abnormal on present 1';
const wordEvidence = new Map([
  ...negativeWords.split(' ').map((word) => [word, -1] as const),
  ...positiveWords.split(' ').map((word) => [word, 1] as const),
]);

/** The name of one class says no to that of the other: NORUST to RUST, unripe to ripe. */
const denials = ['non', 'no', 'not', 'un', 'in'];

/** Whether a name sounds like the class that is looked for: 1 if it does, −1 if it sounds like its absence, 0 if nothing tells. */
function evidence(name: string, other: string): number {
  const [word, against] = [name.toLowerCase(), other.toLowerCase()];
  const whole = wordEvidence.get(word.split(/[^\p{L}\p{N}]+/u).find((part) => part !== '') ?? '') ?? 0;
  if (whole !== 0) return whole;
  const denied = denials.some((denial) => word === denial + against);
  return denied ? -(wordEvidence.get(against) ?? 1) : 0;
}

/** Ready words for the class that counts as 1, of two or more: that which sounds like it first. It is never taken by itself.
 *  @param wrong  what the config calls it */
export function positiveHint(names: readonly string[], wrong?: string): string {
  const near = names.filter((name) => name.toLowerCase() === wrong?.toLowerCase());
  if (near.length === 1) return `Did you mean ${ready(near[0]!)}?`;
  const [a, b] = names as [string, string];
  if (names.length > 2) return restHint(names);
  const likely = likelyPositive(a, b);
  if (likely === undefined) return `Name the class that counts as 1: ${ready(a)} or ${ready(b)}.`;
  const unlikely = likely === a ? b : a;
  return `Name the class that counts as 1, probably ${ready(likely)}; or else ${ready(unlikely)}.`;
}

/** Which of two classes sounds like what is looked for; undefined where nothing tells. */
export function likelyPositive(a: string, b: string): string | undefined {
  const difference = evidence(a, b) - evidence(b, a);
  return difference === 0 ? undefined : difference > 0 ? a : b;
}

function restHint(names: readonly string[]): string {
  const cats = names.filter((name) => name.toLowerCase() === 'cat');
  const [first, second] = cats.length === 1 ? cats : names;
  const which = second === undefined ? ready(first!) : `${ready(first!)}, ${ready(second)} or another`;
  return (
    `One class can stand against all the others together: write ${which} in the source ` +
    '(--set data.source.positive=NAME; for nn data pack and nn config init --positive NAME).'
  );
}

const ready = (name: string) => `"positive": ${JSON.stringify(name)}`;
