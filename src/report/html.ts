import { createHash } from 'node:crypto';
import { isFigure } from './table.ts';

/** What some pages have more. */
export interface PageExtras {
  /** what kind of page it is, for programs, in its first 64 bytes */
  kind?: string;
  /** rules behind those of all pages */
  style?: string;
  /** what the script reads: JSON, in an element of that id */
  data?: { id: string; json: string };
  /** whether the script runs WebAssembly, and shows pictures that the reader gives it */
  computes?: boolean;
}

/** One page that needs nothing beside it: nothing from outside, light and dark as the reader's system is, for a screen, a phone and paper.
 *  @param body    HTML; whoever makes it escapes what comes from data with `escapeHtml`
 *  @param script  what adds to a page that is whole without it; no other script runs */
export function htmlPage(title: string, body: readonly string[], script = '', extras: PageExtras = {}): string {
  const { kind, style: own = '', data, computes = false } = extras;
  const hash = `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
  const allowed = script === '' ? '' : `; script-src ${hash}${computes ? " 'wasm-unsafe-eval'" : ''}`;
  const images = computes ? 'data: blob:' : 'data:';
  return [
    '<!doctype html>',
    `<html lang="en"${kind === undefined ? '' : ` data-kind="${escapeHtml(kind)}"`}>`,
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src ${images}; style-src 'unsafe-inline'${allowed}">`,
    `<title>${escapeHtml(title)}</title>`,
    `<style>${style}${own}</style>`,
    '</head>',
    '<body>',
    '<main>',
    withContents(body.join('\n')),
    '</main>',
    ...(data === undefined ? [] : [dataElement(data)]),
    ...(script === '' ? [] : [`<script>${script}</script>`]),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** Fewer headings than this are seen without a list of them. */
const headingsToList = 4;

/** The body with a list of its sections before the first: on a phone a report is ten screens long. */
function withContents(body: string): string {
  const titles = Array.from(body.matchAll(/<h2>(.*?)<\/h2>/gs), ([, title]) => title);
  if (titles.length < headingsToList) return body;
  const links = titles.map((title, i) => `<a href="#section-${i + 1}">${title}</a>`);
  let section = 0;
  const numbered = body.replace(/<h2>/g, () => `<h2 id="section-${++section}">`);
  return numbered.replace('<h2 ', () => `<nav aria-label="On this page">${links.join(' ')}</nav>\n<h2 `);
}

/** JSON has no other place for a < than its texts, where it may be written so. */
const dataElement = ({ id, json }: { id: string; json: string }) =>
  `<script type="application/json" id="${id}">${json.replaceAll('<', '\\u003c')}</script>`;

/** Text as it may stand between tags and within quoted attributes. Control characters, which HTML has no way to write,
 *  and marks that turn the direction of text around, become the replacement character. */
export function escapeHtml(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;')
    .replace(/[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

/** A picture within the page. @param file  the bytes of a JPEG or PNG file */
export function htmlImage(
  file: Uint8Array,
  type: 'jpeg' | 'png',
  name: string,
  size?: { width: number; height: number },
): string {
  const sides = size === undefined ? '' : ` width="${size.width}" height="${size.height}"`;
  return `<img src="data:image/${type};base64,${Buffer.from(file).toString('base64')}" alt="${escapeHtml(name)}"${sides}>`;
}

/** A cell of figures: one, a range of two, or one that is written with a power of ten. */
const isOfFigures = (cell: string) =>
  cell.split(' to ').every((one) => isFigure(one) || /^-?[\d.]+e[+-]\d+$|^NaN$|^-?Infinity$/.test(one));

/** Rows of text; the first is the head, which may be empty. Columns of nothing but figures stand to the right.
 *  @param caption  what the table shows */
export function htmlTable(rows: readonly (readonly string[])[], caption = ''): string {
  const [head = [], ...body] = rows;
  const ofFigures = (column: number) => body.every((row) => isOfFigures(row[column] ?? '') || (row[column] ?? '') === '');
  const line = (row: readonly string[], tag: string) => {
    const cells = row.map((text, i) => {
      const own = tag === 'th' && text === '' ? 'td' : tag;
      return `<${own}${ofFigures(i) ? ' class="figure"' : ''}>${escapeHtml(text)}</${own}>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  };
  const top = head.some((text) => text !== '') ? `<thead>${line(head, 'th')}</thead>` : '';
  const titled = caption === '' ? '' : captionHtml(caption);
  return `<div class="scroll" tabindex="0"><table>${titled}${top}<tbody>${body.map((row) => line(row, 'td')).join('')}</tbody></table></div>`;
}

/** Of a table that may be wider than the window: its words stay within that. */
export const captionHtml = (text: string) => `<caption><span>${escapeHtml(text)}</span></caption>`;

const style = `
:root{color-scheme:light dark;--text:#1c2530;--soft:#526070;--ground:#fff;--card:#f5f7f9;--line:#d3dae1;--grid:#e7ebef;--alarm:#a03c00;--good:#11643f;--link:#0a5aa8;
--s1:#0b62a8;--s2:#c05000;--s3:#14734d;--s4:#8a3390;--on1:#fff}
@media (prefers-color-scheme:dark){:root{--text:#e6eaee;--soft:#a3afbc;--ground:#13171c;--card:#1c222a;--line:#3a4450;--grid:#29313a;--alarm:#ffab70;--good:#6fd6a4;--link:#7cbcff;
--s1:#6fb6ff;--s2:#ffa552;--s3:#5fd3a2;--s4:#dc9be6;--on1:#0b1017}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.6rem clamp(.8rem,3vw,2rem) 4rem;max-width:74rem;font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--text);background:var(--ground);overflow-wrap:break-word}
h1{font-size:1.55rem;line-height:1.25;margin:0 0 .3rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;line-height:1.3;margin:2.6rem 0 .4rem;padding-top:.9rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.2rem 0 .2rem;font-weight:600}
p{margin:.2rem 0 .7rem;max-width:46rem}
nav{display:flex;flex-wrap:wrap;gap:.35rem 1.2rem;margin:1.2rem 0 -1rem;font-size:.9rem}nav a{overflow-wrap:anywhere}
a{color:var(--link)}
code,pre{font:.86rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.6rem .8rem;margin:.3rem 0 .8rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
pre[data-copy]{white-space:pre}
.soft,figcaption{color:var(--soft)}
.alarm{color:var(--alarm)}
.verdict{font-size:1.15rem;max-width:52rem;border-left:4px solid var(--s1);padding:.1rem 0 .1rem .8rem;margin:.8rem 0 1.2rem}
.verdict.bad{border-color:var(--s2)}
.scroll{overflow-x:auto}
.tight th,.tight td{white-space:nowrap}
table{border-collapse:collapse;margin:.4rem 0 .9rem}
th,td{padding:.22rem 1.1rem .22rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600}
caption{text-align:left;color:var(--soft);padding-bottom:.2rem}caption span{display:block;max-width:min(46rem,calc(100vw - 3rem))}
.figure{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,23rem),1fr));gap:.4rem 2rem;align-items:start}
.chart{margin:.4rem 0 .6rem;width:auto;max-width:36rem;position:relative}
.chart h3{margin:.3rem 0 0}
.chart svg{display:block;width:100%;height:auto;overflow:visible}
.chart svg text{font-size:13.5px;fill:var(--text);font-variant-numeric:tabular-nums}
.chart svg text.soft{fill:var(--soft)}
.mid{text-anchor:middle}.end{text-anchor:end}
.grid{stroke:var(--grid)}.axis{stroke:var(--soft);fill:none}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.guide{stroke:var(--soft);stroke-width:1.3;stroke-dasharray:2 4;fill:none}
.line.s1{stroke:var(--s1)}.line.s2{stroke:var(--s2);stroke-dasharray:7 3}.line.s3{stroke:var(--s3);stroke-dasharray:2 2}.line.s4{stroke:var(--s4);stroke-dasharray:9 3 2 3}
.fill{fill-opacity:.3;stroke-width:1.5}.fill.s1{fill:var(--s1);stroke:var(--s1)}.fill.s2{fill:var(--s2);stroke:var(--s2);stroke-dasharray:5 2}
rect.s1{fill:var(--s1)}rect.s2{fill:var(--s2)}rect.s3{fill:var(--s3)}
circle.s1{fill:var(--s1)}circle.s2{fill:var(--s2)}circle.s3{fill:var(--s3)}circle.s4{fill:var(--s4)}
.point.s2{fill:var(--s2)}.point.s3{fill:var(--s3)}.point.s4{fill:var(--s4)}
.bar{stroke-width:1.6}.bar.s1{stroke:var(--s1)}.bar.s2{stroke:var(--s2)}.bar.s3{stroke:var(--s3)}.bar.s4{stroke:var(--s4)}
.mark path{stroke:var(--s3);stroke-dasharray:4 3}.mark.bad path{stroke:var(--s2)}
.legend{display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;font-size:.85rem;color:var(--soft);margin:.1rem 0 .2rem}.legend span{min-width:0;overflow-wrap:anywhere}
.swatch{display:inline-block;width:1.5em;height:0;border-top:3px solid;vertical-align:middle;margin-right:.4em}
.swatch.s1{color:var(--s1)}.swatch.s2{color:var(--s2);border-top-style:dashed}.swatch.s3{color:var(--s3);border-top-style:dotted}.swatch.s4{color:var(--s4);border-top-style:dashed}.swatch.guide{color:var(--soft);border-top:2px dotted}
.swatch.dot{width:.65em;height:.65em;border:0;border-radius:50%;background:currentColor}
.swatch.dot.s2{border-radius:0;transform:rotate(45deg) scale(.85)}.swatch.dot.s3{border-radius:0}.swatch.dot.s4{border-radius:0;clip-path:polygon(50% 0,100% 100%,0 100%)}
.swatch.box{width:.9em;height:.8em;border:1px solid;background:color-mix(in srgb,currentColor 30%,transparent)}
.tip{position:absolute;pointer-events:none;background:var(--text);color:var(--ground);font-size:.8rem;line-height:1.35;padding:.25rem .5rem;border-radius:4px;white-space:pre;z-index:2}
.groups{display:flex;flex-wrap:wrap;gap:.7rem}
.group{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.5rem}
.group>p{margin:.3rem 0 0;font-size:.85rem;max-width:16rem;overflow-wrap:anywhere}
.pictures{display:flex;flex-wrap:wrap;gap:.8rem}
figure{margin:0;width:8rem}
figure img{max-width:8rem;max-height:8rem;display:block;outline:1px solid var(--line)}
.squares figure{width:7rem}
.squares img{width:7rem;height:7rem;image-rendering:pixelated;border-radius:3px}
figcaption{font-size:.8rem;overflow-wrap:anywhere;line-height:1.35;margin-top:.25rem}
.none{display:grid;place-items:center;width:8rem;height:5rem;border:1px dashed var(--line);font-size:.8rem;color:var(--soft)}
.small figure{width:5.4rem}.small img,.small .none{max-width:5.4rem;max-height:5.4rem}
.ends{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:.7rem;margin:.5rem 0 1rem}
.group>h3,.group>h4{margin:0 0 .4rem;font-size:.9rem;font-weight:600}
img.seen{width:2.7rem;height:2.7rem;max-width:none;margin-top:2px;image-rendering:pixelated}
.column img{image-rendering:pixelated;margin-bottom:.3rem}
.threshold{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem;margin:.6rem 0 1rem}
.threshold label{font-weight:600}
.threshold input{width:100%;max-width:34rem;display:block;margin:.4rem 0;accent-color:var(--s1)}
summary{cursor:pointer;font-weight:600;margin:.5rem 0}
button{font:inherit;font-size:.8rem;padding:.1rem .6rem;border:1px solid var(--line);border-radius:4px;background:var(--card);color:var(--text);cursor:pointer}
[hidden]{display:none}
pre:has(+button){margin-bottom:.3rem}
@media (max-width:34rem){th,td{padding-right:.7rem}td.soft{font-size:.85rem}.threshold .figure{white-space:normal}.chart svg text{font-size:16px}.squares figure{width:calc(50% - .4rem)}.squares img{width:100%;height:auto;aspect-ratio:1}}
@media print{body{max-width:none;font-size:11pt}nav{display:none}.chart,figure,tr,pre{break-inside:avoid}h2,h3{break-after:avoid}button,.tip{display:none}details>*{display:block}}
`.replaceAll('\n', '');
