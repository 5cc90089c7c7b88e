import { type FindingGroup, type FlaggedImage, findingKinds } from '../data/inspection/findings.ts';
import { escapeHtml, htmlImage, htmlPage, htmlTable } from './html.ts';
import {
  classRows,
  differenceRows,
  differenceTitle,
  factRows,
  findingTitle,
  type Inspection,
  pictureName,
  shortcutRows,
  shortcutTitle,
} from './inspection.ts';
import { count, plural } from './table.ts';

/** The findings as a page with the pictures in question.
 *  @param thumbnails  JPEG files; a picture without one can't be shown
 *  @param most        groups of each finding */
export function inspectionHtml(found: Inspection, thumbnails: ReadonlyMap<FlaggedImage, Uint8Array>, most: number): string {
  const { findings, differences, shortcuts, model, warnings } = found;
  const group = ({ pictures, why }: FindingGroup) =>
    `<div class="group"><div class="pictures">${pictures.map((picture) => figure(picture, thumbnails.get(picture))).join('')}</div><p>${escapeHtml(why)}</p></div>`;
  const sections = findings.flatMap((finding) => {
    const shown = finding.groups.slice(0, most);
    const rest = finding.groups.length - shown.length;
    return [
      `<h2>${escapeHtml(findingTitle(finding))}</h2>`,
      `<p class="soft">${escapeHtml(findingKinds[finding.kind].advice)}</p>`,
      `<div class="groups">${shown.map(group).join('')}</div>`,
      ...(rest > 0 ? [`<p class="soft">… and ${count(rest)} more: --all shows them.</p>`] : []),
    ];
  });
  return htmlPage(`nn data inspect: ${found.source}`, [
    `<h1>${escapeHtml(found.source)}</h1>`,
    `<p>${plural(found.total, 'picture')}, ${count(found.total - found.readable)} of them unreadable.</p>`,
    ...warnings.map((warning) => `<p class="alarm">${escapeHtml(warning)}</p>`),
    htmlTable(classRows(found)),
    htmlTable([[], ...factRows(found)]),
    ...(differences.length === 0 ? [] : [`<p>${differenceTitle}</p>`, htmlTable(differenceRows(differences))]),
    ...(shortcuts === null ? [] : [`<p>${shortcutTitle}</p>`, htmlTable(shortcutRows(shortcuts, model))]),
    ...(findings.length === 0 ? ['<p>Nothing was found that is wrong with single pictures.</p>'] : sections),
  ]);
}

function figure(picture: FlaggedImage, thumbnail: Uint8Array | undefined): string {
  const shown = thumbnail ? htmlImage(thumbnail, 'jpeg', picture.name) : '<div class="none">can’t be shown</div>';
  return `<figure>${shown}<figcaption>${escapeHtml(pictureName(picture))}<br>${escapeHtml(picture.label)}</figcaption></figure>`;
}
