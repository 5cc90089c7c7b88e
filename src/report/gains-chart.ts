import { scaleLinear } from 'd3-scale';
import type { TriedRemedy } from '../results/experiments.ts';
import { points, pointsRange } from './diagnosis-words.ts';
import { escapeHtml } from './html.ts';

/** Gains with their intervals beneath one another, and where nothing is gained: a forest plot. */

const width = 480;
const rowHeight = 38;
const frame = { left: 8, right: 8, top: 8, bottom: 40 };
const legend = 'dot: gain; bar: 95% interval; dashed: no gain';

/** The colours of what helps, hurts, and could be chance. */
const styles: Record<TriedRemedy['effect'], 1 | 2 | 3 | 4> = { helps: 3, hurts: 2, 'could be chance': 1, 'too few seeds': 1 };

/** @param remedies  in the order in which they are drawn; one at least */
export function gainsChart(remedies: readonly TriedRemedy[]): string {
  const ends = remedies.flatMap(({ gain, interval }) => [gain, ...(interval ?? [])]);
  const across = scaleLinear([Math.min(0, ...ends), Math.max(0, ...ends)], [frame.left, width - frame.right]).nice(5);
  const height = frame.top + remedies.length * rowHeight + frame.bottom;
  const bottom = height - frame.bottom;
  const at = (value: number) => Math.round(across(value) * 100) / 100;
  const ticks = across.ticks(5).map((tick) => {
    const place = tick === across.domain()[0] ? '' : tick === across.domain()[1] ? ' class="end"' : ' class="mid"';
    return `<path class="grid" d="M${at(tick)} ${frame.top}V${bottom}"/><text x="${at(tick)}" y="${bottom + 17}"${place}>${tickText(tick)}</text>`;
  });
  const rows = remedies.map((remedy, i) => {
    const { title, gain, interval, effect } = remedy;
    const top = frame.top + i * rowHeight;
    const [y, style] = [top + 27, styles[effect]];
    const bar = interval === null ? '' : `<path class="bar s${style}" d="M${at(interval[0])} ${y}H${at(interval[1])}"/>`;
    return [
      `<text x="${frame.left}" y="${top + 15}">${escapeHtml(title)}</text>`,
      `<text x="${width - frame.right}" y="${top + 15}" class="end soft">${escapeHtml(`${points(gain)} · ${effect}`)}</text>`,
      bar,
      `<rect class="s${style}" x="${Math.round((at(gain) - 4) * 100) / 100}" y="${y - 4}" width="8" height="8" rx="4"/>`,
    ].join('');
  });
  const summary = remedies
    .map(
      ({ title, gain, interval, effect }) =>
        `${title}: ${points(gain)}${interval ? ` (${pointsRange(interval)})` : ''}, ${effect}`,
    )
    .join('; ');
  return [
    '<figure class="chart gains" data-chart="gains">',
    '<h3 id="gains">Gains in points of accuracy</h3>',
    `<p class="legend">${legend}</p>`,
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="gains gains-text">`,
    `<desc id="gains-text">${escapeHtml(`${summary}.`)}</desc>`,
    ...ticks,
    `<path class="guide" d="M${at(0)} ${frame.top}V${bottom}"/>`,
    ...rows,
    `<text x="${width / 2}" y="${height - 6}" class="mid soft">gain in points of accuracy</text>`,
    '</svg>',
    '</figure>',
  ].join('');
}

const tickText = (tick: number) => (tick === 0 ? '0' : points(tick).replace(/\.0$/, ''));
