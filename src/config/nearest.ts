import { closest, distance } from 'fastest-levenshtein';

/** The known name that a mistaken one was probably meant to be: letter case aside, at most a third of it differs. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const wanted = name.toLowerCase();
  const best = closest(
    wanted,
    known.map((one) => one.toLowerCase()),
  );
  return distance(wanted, best) <= Math.max(2, name.length / 3) ? known.find((one) => one.toLowerCase() === best) : undefined;
}
