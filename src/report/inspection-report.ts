import { type Finding, type FindingGroup, type FlaggedImage, findingKinds } from '../data/inspection/findings.ts';
import type { ShortcutScore } from '../results/inspection.ts';
import { escapeHtml, htmlImage, htmlPage, htmlTable } from './html.ts';
import {
  classRows,
  differenceRows,
  differenceTitle,
  factRows,
  findingTitle,
  type Inspection,
  imageName,
  shortcutRows,
  shortcutTitle,
} from './inspection.ts';
import { pngUrl } from './png.ts';
import { count, percent, plural } from './table.ts';

/** The page of `nn data inspect`: a function from what was found, and pictures of it, to text. */

interface Square {
  side: number;
  /** side · side · 3 bytes */
  pixels: Uint8Array;
}

/** What a page shows beside what was found. */
export interface InspectionImages {
  /** JPEG files; a picture without one can't be shown */
  thumbnails: ReadonlyMap<FlaggedImage, Uint8Array>;
  /** of each class some pictures, chosen by the seed, and the mean of all squares */
  classes: { label: string; total: number; samples: FlaggedImage[]; mean: Square }[];
  /** what is behind each shortcut that was found, by its name */
  shortcuts: ReadonlyMap<string, ShortcutGroup[]>;
}

/** Pictures of one class at one end of what a shortcut measures. */
export interface ShortcutGroup {
  title: string;
  images: { picture: FlaggedImage; words: string; square: Square | null }[];
}

/** @param most  groups of each finding */
export function inspectionHtml(found: Inspection, images: InspectionImages, most: number): string {
  const { thumbnails } = images;
  // those of shortcuts stand beside their pictures
  const warnings = found.warnings.filter((text) => !found.shortcuts?.some(({ warning }) => warning === text));
  return htmlPage(`nn data inspect: ${found.source}`, [
    `<h1>${escapeHtml(found.source)}</h1>`,
    `<p class="soft">${plural(found.total, 'picture')}, ${found.total === found.readable ? 'all readable' : `${count(found.total - found.readable)} unreadable`}. nn data inspect, ${found.seconds.toFixed(1)} s</p>`,
    verdictHtml(found),
    htmlTable(classRows(found)),
    ...(warnings.length === 0
      ? []
      : [`<ul>${warnings.map((warning) => `<li class="alarm">${escapeHtml(warning)}</li>`).join('')}</ul>`]),
    ...classesHtml(images),
    ...shortcutsHtml(found, images),
    ...(found.differences.length === 0
      ? []
      : ['<h2>The parts beside each other</h2>', htmlTable(differenceRows(found.differences), differenceTitle)]),
    '<h2>What is wrong with single pictures</h2>',
    ...(found.findings.length === 0
      ? ['<p>Nothing was found: no unreadable, duplicate, mislabelled, blank, dark, blurred or oddly shaped pictures.</p>']
      : found.findings.flatMap((finding) => findingHtml(finding, thumbnails, most))),
    '<h2>Sizes and formats</h2>',
    htmlTable([[], ...factRows(found)]),
  ]);
}

const isStrong = ({ warning }: ShortcutScore) => warning !== null;

/** All that was found, in a sentence. */
function verdictHtml({ findings, shortcuts, differences }: Inspection): string {
  const strong = (shortcuts ?? []).filter(isStrong).map(({ title }) => title);
  const different = differences.filter(({ differs }) => differs).length;
  const sentences = [
    ...(findings.length > 0 ? [`${findings.map(findingTitle).join('; ')}.`] : []),
    ...(strong.length > 0 ? [`The classes are told apart by ${strong.join(', ')}: a network may learn that instead.`] : []),
    ...(different > 0 ? [`The parts differ in ${plural(different, 'measure')}.`] : []),
  ];
  const bad = sentences.length > 0;
  const head = bad ? 'Look at these before training.' : 'Nothing was found that is wrong.';
  const [first, rest] = [`<strong>${head}</strong>`, sentences.map((text) => text[0]!.toUpperCase() + text.slice(1)).join(' ')];
  return `<p class="verdict${bad ? ' bad' : ''}">${first}${rest === '' ? '' : ` ${escapeHtml(rest)}`}</p>`;
}

function classesHtml({ classes, thumbnails }: InspectionImages): string[] {
  const samples = classes.flatMap(({ label, total, samples }) => [
    `<h3>${escapeHtml(label)}</h3>`,
    `<p class="soft">${samples.length < total ? `${count(samples.length)} of ${plural(total, 'picture')}, chosen at random.` : `${plural(total, 'picture')}.`}</p>`,
    `<div class="pictures">${samples.map((picture) => figure(picture, thumbnails, { words: picture.label === label ? '' : picture.label, square: null })).join('')}</div>`,
  ]);
  const means = classes.map(
    ({ label, total, mean }) =>
      `<figure><img src="${pngUrl(mean.pixels, mean.side)}" alt="${escapeHtml(`the mean picture of ${label}`)}"><figcaption>${escapeHtml(label)}<br>mean of ${plural(total, 'square')}</figcaption></figure>`,
  );
  return [
    '<h2>Samples of each class</h2>',
    ...samples,
    '<h2>The mean picture of each class</h2>',
    '<p class="soft">All squares that were read, laid over each other. Of pictures that were taken anyhow little is to be seen; a frame, a caption, one background or one light shows.</p>',
    `<div class="pictures squares">${means.join('')}</div>`,
  ];
}

function shortcutsHtml({ shortcuts, model }: Inspection, images: InspectionImages): string[] {
  if (shortcuts === null) return ['<h2>Shortcuts</h2>', '<p>There are too few pictures of a class to look for shortcuts.</p>'];
  const strong = shortcuts.filter(isStrong);
  return [
    '<h2>Shortcuts</h2>',
    htmlTable(shortcutRows(shortcuts, model), shortcutTitle),
    ...(strong.length === 0
      ? ['<p>None of them tells the classes apart so well that a network would be tempted.</p>']
      : strong.flatMap((score) => shortcutHtml(score, images))),
  ];
}

function shortcutHtml({ name, title, accuracy, warning }: ShortcutScore, { shortcuts, thumbnails }: InspectionImages): string[] {
  const group = ({ title, images }: ShortcutGroup) => {
    const figures = images.map(({ picture, words, square }) => figure(picture, thumbnails, { words, square }));
    return `<div class="group"><h4>${escapeHtml(title)}</h4><div class="pictures small">${figures.join('')}</div></div>`;
  };
  return [
    `<h3>${escapeHtml(title[0]!.toUpperCase() + title.slice(1))}: ${percent(accuracy)} right</h3>`,
    `<p class="alarm">${escapeHtml(warning!)}</p>`,
    '<p class="soft">Of each class the pictures at both ends, as the shortcut sees them: those that it is surest of, and those that it takes for the other class or nearly so.</p>',
    `<div class="ends">${(shortcuts.get(name) ?? []).map(group).join('')}</div>`,
  ];
}

function findingHtml(finding: Finding, thumbnails: InspectionImages['thumbnails'], most: number): string[] {
  const shown = finding.groups.slice(0, most);
  const rest = finding.groups.length - shown.length;
  const group = ({ pictures, why }: FindingGroup) =>
    `<div class="group"><div class="pictures">${pictures.map((picture) => figure(picture, thumbnails)).join('')}</div><p>${escapeHtml(why)}</p></div>`;
  const title = findingTitle(finding);
  return [
    `<h3>${escapeHtml(title[0]!.toUpperCase() + title.slice(1))}</h3>`,
    `<p class="soft">${escapeHtml(findingKinds[finding.kind].advice)}</p>`,
    `<div class="groups">${shown.map(group).join('')}</div>`,
    ...(rest > 0 ? [`<p class="soft">… and ${count(rest)} more: --all shows them.</p>`] : []),
  ];
}

/** @param seen  what is said below it, its class where nothing else is; and what a shortcut sees of it */
function figure(
  picture: FlaggedImage,
  thumbnails: InspectionImages['thumbnails'],
  seen?: { words: string; square: Square | null },
): string {
  const thumbnail = thumbnails.get(picture);
  const shown = thumbnail ? htmlImage(thumbnail, 'jpeg', picture.name) : '<div class="none">can’t be shown</div>';
  const square = seen?.square
    ? `<img class="seen" src="${pngUrl(seen.square.pixels, seen.square.side)}" alt="what the shortcut sees of it">`
    : '';
  const words = seen ? (seen.words === '' ? [] : [seen.words]) : [picture.label];
  const caption = [imageName(picture), ...words].map(escapeHtml).join('<br>');
  return `<figure>${shown}${square}<figcaption>${caption}</figcaption></figure>`;
}
