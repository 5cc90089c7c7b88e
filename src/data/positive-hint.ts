/** What all classes but the positive one are called together, where there are more than two. */
export const restOf = (positive: string) => `non${positive}`;

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
  const difference = evidence(a, b) - evidence(b, a);
  if (difference === 0) return `Name the class that counts as 1: ${ready(a)} or ${ready(b)}.`;
  const [likely, unlikely] = difference > 0 ? [a, b] : [b, a];
  return `Name the class that counts as 1, probably ${ready(likely)}; or else ${ready(unlikely)}.`;
}

function restHint(names: readonly string[]): string {
  const cats = names.filter((name) => name.toLowerCase() === 'cat');
  const [first, second] = cats.length === 1 ? cats : names;
  const which = second === undefined ? ready(first!) : `${ready(first!)}, ${ready(second)} or another`;
  return (
    `One class can stand against all the others together: write ${which} in the source ` +
    '(--set data.source.positive=NAME; for nn data pack --positive NAME).'
  );
}

const ready = (name: string) => `"positive": ${JSON.stringify(name)}`;
