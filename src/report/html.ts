import { isFigure } from './table.ts';

/** One page that needs nothing beside it: no script, nothing from outside, light and dark as the reader's system is.
 *  @param body  HTML; whoever makes it escapes what comes from data with `escapeHtml` */
export function htmlPage(title: string, body: readonly string[]): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">`,
    `<title>${escapeHtml(title)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    ...body,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** Text as it may stand between tags and within quoted attributes. Control characters, which HTML has no way to write,
 *  become the replacement character. */
export function escapeHtml(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;')
    .replace(/[\p{Cc}\p{Cs}]/gu, '\ufffd');
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

/** Rows of text; the first is the head, which may be empty. Columns of nothing but figures stand to the right. */
export function htmlTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const ofFigures = (column: number) => body.every((row) => isFigure(row[column] ?? '') || (row[column] ?? '') === '');
  const line = (row: readonly string[], tag: string) => {
    const cells = row.map((text, i) => `<${tag}${ofFigures(i) ? ' class="figure"' : ''}>${escapeHtml(text)}</${tag}>`);
    return `<tr>${cells.join('')}</tr>`;
  };
  const top = head.some((text) => text !== '') ? `<thead>${line(head, 'th')}</thead>` : '';
  return `<table>${top}<tbody>${body.map((row) => line(row, 'td')).join('')}</tbody></table>`;
}

const style = `
:root{color-scheme:light dark;--text:#1b2430;--soft:#566273;--ground:#fff;--card:#f3f5f7;--line:#d5dbe1;--alarm:#a3480b}
@media (prefers-color-scheme:dark){:root{--text:#e4e8ec;--soft:#9ba7b4;--ground:#14181d;--card:#1e242b;--line:#343d47;--alarm:#f0a35e}}
body{margin:0 auto;padding:1.5rem;max-width:76rem;font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--ground)}
h1{font-size:1.5rem;margin:0 0 .3rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2rem 0 .2rem}
h3{font-size:1rem;margin:1.2rem 0 .3rem;font-weight:600}
p{margin:.2rem 0 .7rem;max-width:48rem}
.soft,figcaption{color:var(--soft)}
.alarm{color:var(--alarm)}
table{border-collapse:collapse;margin:.4rem 0 .8rem}
th,td{padding:.15rem .9rem .15rem 0;text-align:left;border-bottom:1px solid var(--line)}
th{font-weight:600}
.figure{text-align:right;font-variant-numeric:tabular-nums}
.groups{display:flex;flex-wrap:wrap;gap:.7rem}
.group{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.5rem}
.group>p{margin:.3rem 0 0;font-size:.85rem;max-width:16rem;overflow-wrap:anywhere}
.pictures{display:flex;flex-wrap:wrap;gap:.5rem}
figure{margin:0;width:8rem}
figure img{max-width:8rem;max-height:8rem;display:block;outline:1px solid var(--line)}
figcaption{font-size:.75rem;overflow-wrap:anywhere;line-height:1.3;margin-top:.2rem}
.none{display:grid;place-items:center;width:8rem;height:5rem;border:1px dashed var(--line);font-size:.75rem;color:var(--soft)}
.column img{image-rendering:pixelated;margin-bottom:.3rem}
`.replaceAll('\n', '');
