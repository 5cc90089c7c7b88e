import { type Finding, type FlaggedImage, findingKinds } from '../data/inspection/findings.ts';
import type { SplitName } from '../data/split.ts';
import type { InspectionResult, PartDifference, ShortcutScore, Spread } from '../results/inspection.ts';
import type { Lines } from '../text.ts';
import { count, percent, percentRange, plural, table } from './table.ts';

/** All that `nn data inspect` found, with the places of the pictures. */
export type Inspection = Omit<InspectionResult, 'findings'> & { findings: Finding[] };

type Style = (style: 'bold' | 'dim' | 'yellow', text: string) => string;

/** @param most  examples of each finding */
export function inspectionText(found: Inspection, { most, style }: { most: number; style: Style }): Lines {
  const { findings, differences, shortcuts, warnings, model } = found;
  const unreadable = found.total - found.readable;
  const readable = unreadable === 0 ? 'all readable' : `${count(unreadable)} unreadable`;
  return [
    `${style('bold', found.source)}: ${plural(found.total, 'picture')}, ${readable}`,
    '',
    table(classRows(found), '  '),
    '',
    table(factRows(found), '  '),
    '',
    ...(findings.length === 0
      ? ['  No unreadable, duplicate, mislabelled, blank, dark, blurred or oddly shaped pictures.']
      : findings.map((finding) => findingText(finding, most, style))),
    ...(differences.length === 0 ? [] : ['', `  ${differenceTitle}`, table(differenceRows(differences), '  ')]),
    ...(shortcuts === null ? [] : ['', `  ${shortcutTitle}`, table(shortcutRows(shortcuts, model), '  ')]),
    ...warnings.flatMap((warning) => ['', `  ${style('yellow', 'warning:')} ${warning}`]),
  ];
}

export const differenceTitle = 'The parts beside each other, light and colour of 255, and what differs by more than chance:';

/** A row for each thing that is compared, a column for each part. */
export function differenceRows(differences: readonly PartDifference[]): string[][] {
  const parts = [...new Set(differences.flatMap((one) => one.parts))];
  const things = [...new Set(differences.map(({ what }) => what))];
  const rows = things.map((what) => {
    const own = differences.filter((one) => one.what === what);
    const show = (value: number | undefined) =>
      value === undefined ? '' : what === 'class' ? percent(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
    const valueIn = (part: SplitName) =>
      own.flatMap((one) => (one.parts.includes(part) ? [one.values[one.parts.indexOf(part)]] : []))[0];
    const different = own.filter(({ differs }) => differs).map((one) => one.parts.join(' and '));
    return [
      own[0]!.title,
      ...parts.map((part) => show(valueIn(part))),
      different.length > 0 ? `${different.join(', ')} differ` : '',
    ];
  });
  return [['', ...parts, ''], ...rows];
}

export const shortcutTitle = 'What logistic regression makes of less than the picture, over 5 folds:';

/** Pictures of each class, and of each part by class. */
export function classRows({ classes, parts, readable }: Inspection): string[][] {
  const names = Object.keys(classes);
  const head = ['', 'pictures', ...names.flatMap((name) => [name, ''])];
  const row = (title: string, counts: Record<string, number>) => {
    const total = names.reduce((sum, name) => sum + counts[name]!, 0);
    return [title, count(total), ...names.flatMap((name) => [count(counts[name]!), percent(counts[name]! / total)])];
  };
  const ofParts = Object.entries(parts ?? {}).map(([part, counts]) => row(part, counts));
  return [head, ...ofParts, ...(ofParts.length === 1 ? [] : [row(`all`, classes)])].filter((_) => readable > 0);
}

export function factRows({ width, height, sizes, bytes, formats, turned }: Inspection): string[][] {
  const spread = ({ min, median, max }: Spread, unit: string) =>
    min === max ? `${count(min)} ${unit} each` : `${count(min)} to ${count(max)} ${unit}, median ${count(median)}`;
  return [
    ['width', spread(width, 'pixels')],
    ['height', spread(height, 'pixels')],
    ['sizes', sizes === 1 ? 'all alike' : `${count(sizes)} different`],
    ['bytes', spread(bytes, 'bytes')],
    [
      'format',
      Object.entries(formats)
        .map(([name, n]) => (name === 'pixels' ? `${count(n)} as pixels` : `${count(n)} ${name}`))
        .join(', '),
    ],
    ...(turned > 0 ? [['turned', `${plural(turned, 'picture')} by EXIF orientation, which nn applies`]] : []),
  ];
}

export function shortcutRows(shortcuts: readonly ShortcutScore[], model: Inspection['model']): string[][] {
  const own = shortcuts.map(({ title, accuracy, accuracyInterval }) => [
    title,
    percent(accuracy),
    percentRange(accuracyInterval),
  ]);
  const baseline = shortcuts[0]?.baseline;
  return [
    ['', 'accuracy', '95% interval'],
    ...own,
    ...(baseline === undefined ? [] : [['larger class', percent(baseline), 'the accuracy of always answering it']]),
    ...(model === null ? [] : [[model.path, percent(model.accuracy), percentRange(model.accuracyInterval)]]),
  ];
}

/** "exact duplicates: 3 groups of 7 pictures", or "blank: 2 pictures". */
export function findingTitle({ kind, groups }: Finding): string {
  const pictures = groups.reduce((sum, group) => sum + group.pictures.length, 0);
  const grouped = groups.some((group) => group.pictures.length > 1);
  const counted = plural(pictures, 'picture');
  return `${findingKinds[kind].title}: ${grouped ? `${counted} in ${plural(groups.length, 'group')}` : counted}`;
}

function findingText(finding: Finding, most: number, style: Style): Lines {
  const { groups, kind } = finding;
  const shown = groups
    .slice(0, most)
    .map(({ pictures, why }) => `    ${pictures.map(imageName).join(' = ')}  ${style('dim', why)}`);
  const rest = groups.length - shown.length;
  return [
    `  ${style('bold', findingTitle(finding))}`,
    `    ${findingKinds[kind].advice}`,
    ...shown,
    ...(rest > 0 ? [`    … and ${count(rest)} more: --all names them`] : []),
  ];
}

/** With its part, where there are parts. */
export function imageName({ name, part }: FlaggedImage): string {
  return part === null ? name : `${name} (${part})`;
}

/** The object of --json. */
export function inspectionJson({ findings, ...rest }: Inspection): InspectionResult {
  return {
    ...rest,
    findings: findings.map(({ kind, groups }) => ({
      kind,
      ...findingKinds[kind],
      pictures: groups.reduce((sum, group) => sum + group.pictures.length, 0),
      groups: groups.map(({ why, pictures }) => ({
        why,
        pictures: pictures.map(({ name, label, part }) => ({ name, label, part })),
      })),
    })),
  };
}
