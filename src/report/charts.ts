import { scaleLinear, scaleLog } from 'd3-scale';
import { area as areaOf, line as lineOf, symbol, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape';
import { escapeHtml } from './html.ts';
import { count } from './table.ts';

/** Charts as SVG: functions from values to text. d3 does the scales, ticks and paths (docs/decisions/0047-reports.md). Colours are classes
 *  that the page's style fills in, light and dark; each series has a dash or a shape of its own as well. */

export interface Axis {
  label: string;
  /** lowest and highest value that is shown; where absent, those of the values, rounded outward */
  domain?: readonly [number, number];
  scale?: 'linear' | 'log';
  /** of a tick and of a value under the pointer; d3's own where absent */
  format?: 'percent' | 'whole';
  /** names instead of numbers: the values are their places, from 0 */
  categories?: readonly string[];
}

export interface Series {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
  /** which colour and dash, from 1 */
  style: 1 | 2 | 3 | 4;
  /** points alone, each with an interval if it has one */
  dots?: boolean;
  /** of each point, the ends of its interval */
  intervals?: readonly (readonly [low: number, high: number])[];
  /** steps from left to right, filled to the axis */
  filled?: boolean;
}

/** Something that happened at an x. */
export interface Mark {
  x: number;
  text: string;
  kind?: 'good' | 'bad';
}

export interface Chart {
  /** unique on its page: letters and hyphens */
  name: string;
  title: string;
  /** what the chart shows, for who can't see it */
  summary: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
  marks?: readonly Mark[];
  /** a line that is only there to be compared with: from x, y to x, y */
  guide?: { from: readonly [number, number]; to: readonly [number, number]; text: string };
}

const [width, height] = [480, 296];
const frame = { left: 58, right: 14, top: 34, bottom: 46 };

/** A figure with title, legend and drawing.
 *  @param chart  points outside the domains are left out */
export function chartHtml({ name, title, summary, x, y, series, marks = [], guide }: Chart): string {
  const across = scaleOf(
    x,
    series.flatMap(({ points }) => points.map(([value]) => value)),
    [frame.left, width - frame.right],
  );
  const up = scaleOf(
    y,
    [...series.flatMap(valuesOf), ...(guide ? [guide.from[1], guide.to[1]] : [])],
    [height - frame.bottom, frame.top],
  );
  const [bottom, right] = [height - frame.bottom, width - frame.right];
  const grid = ticksOf(up, y, 5).map(([tick]) => `<path class="grid" d="M${frame.left} ${at(up(tick))}H${right}"/>`);
  const labels = [
    ...ticksOf(across, x, 5).map(([tick, text]) => `<text x="${at(across(tick))}" y="${bottom + 17}" class="mid">${text}</text>`),
    ...ticksOf(up, y, 5).map(([tick, text]) => `<text x="${frame.left - 7}" y="${at(up(tick) + 4)}" class="end">${text}</text>`),
    `<text x="${(frame.left + right) / 2}" y="${height - 8}" class="mid soft">${escapeHtml(fitting(titleOf(x)))}</text>`,
    `<text x="4" y="13" class="soft">${escapeHtml(fitting(titleOf(y)))}</text>`,
  ];
  const drawn = series.map((one) => seriesSvg(one, across, up, bottom));
  const guided = guide
    ? [
        `<path class="guide" d="M${at(across(guide.from[0]))} ${at(up(guide.from[1]))}L${at(across(guide.to[0]))} ${at(up(guide.to[1]))}"/>`,
      ]
    : [];
  const data = `data-x="${axisData(x, across)}" data-y="${axisData(y, up)}"`;
  return [
    `<figure class="chart" data-chart="${name}">`,
    `<h3 id="${name}">${escapeHtml(title)}</h3>`,
    `<p class="legend">${[...series.map(legendItem), ...(guide ? [`<span><i class="swatch guide"></i>${escapeHtml(guide.text)}</span>`] : [])].join('')}</p>`,
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${name} ${name}-text" ${data}>`,
    `<desc id="${name}-text">${escapeHtml(summary)}</desc>`,
    ...grid,
    `<path class="axis" d="M${frame.left} ${frame.top}V${bottom}H${right}"/>`,
    ...labels,
    ...guided,
    ...drawn,
    ...marks.map((mark) => markSvg(mark, across(mark.x), bottom)),
    '</svg>',
    '</figure>',
  ].join('');
}

/** A label may have a name of any length in it. */
const fitting = (text: string) => ([...text].length <= 50 ? text : `${[...text].slice(0, 49).join('')}…`);

type Scale = ReturnType<typeof scaleLinear<number>> | ReturnType<typeof scaleLog<number>>;

const valuesOf = ({ points, intervals = [], filled }: Series) => [
  ...points.map(([, value]) => value),
  ...intervals.flat(),
  ...(filled ? [0] : []),
];

/** What is larger, or smaller than its inverse, stays at the edge: a range of such numbers is none itself, or none to divide by. */
const largest = 1e300;

function scaleOf({ scale = 'linear', domain, categories }: Axis, values: readonly number[], range: [number, number]): Scale {
  if (categories) return scaleLinear([-0.5, categories.length - 0.5], range);
  const sizes = values.filter((value) => Math.abs(value) <= largest).map((value) => (Math.abs(value) < 1 / largest ? 0 : value));
  const finite = sizes.filter((value) => scale === 'linear' || value > 0);
  const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const found = finite.length === 0 ? [scale === 'log' ? 0.1 : 0, 1] : low === high ? spread(low, scale) : [low, high];
  const made = scale === 'log' ? scaleLog(domain ?? found, range) : scaleLinear(domain ?? found, range);
  return domain === undefined && scale === 'linear' ? made.nice() : made;
}

/** Around a value that is the only one. */
const spread = (value: number, scale: 'linear' | 'log') =>
  scale === 'log' ? [value / 2, value * 2] : [value - (Math.abs(value) || 1) / 2, value + (Math.abs(value) || 1) / 2];

function ticksOf(scale: Scale, { format, scale: kind, categories }: Axis, most: number): [number, string][] {
  if (categories) return categoryTicks(scale, categories);
  const all = scale.ticks(most).filter((tick) => format !== 'whole' || Number.isInteger(tick));
  const ticks = kind === 'log' && all.length > mostLogTicks ? thinnedLog(all) : all;
  return ticks.map((tick) => [tick, format === 'percent' ? `${Math.round(tick * 1000) / 10}%` : numberText(tick)]);
}

/** Of a font of 13.5 pixels, in pixels. */
const characterWidth = 7.8;
const leastCharacters = 4;

/** Names, cut to the room that each has; where that is none, every other one or fewer. */
function categoryTicks(scale: Scale, categories: readonly string[]): [number, string][] {
  const each = Math.abs(scale(1) - scale(0));
  const step = Math.ceil((leastCharacters * characterWidth) / each);
  const room = Math.floor((step * each) / characterWidth);
  return categories.flatMap((name, i): [number, string][] => {
    if (i % step !== 0) return [];
    const characters = Array.from(name);
    const short = characters.length <= room ? name : `${characters.slice(0, room - 1).join('')}…`;
    return [[i, escapeHtml(short)]];
  });
}

/** More of them on a logarithmic axis are thinned to powers of ten. */
const mostLogTicks = 8;
const isPowerOfTen = (value: number) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9;

/** Powers of ten; where they are one or two alone, twice and five times them too. */
function thinnedLog(ticks: readonly number[]): number[] {
  const powers = ticks.filter(isPowerOfTen);
  if (powers.length > 2) return powers;
  return ticks.filter((tick) => [1, 2, 5].some((times) => isPowerOfTen(tick / times)));
}

const titleOf = ({ label, scale }: Axis) => (scale === 'log' ? `${label} (log scale)` : label);

function numberText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential().replace('e+', 'e');
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(6)));
}

const at = (value: number) => Math.round(value * 100) / 100;
/** Kind, domain and range of an axis, from which a script reads values under the pointer. */
const axisData = ({ scale = 'linear', format, label }: Axis, made: Scale) =>
  escapeHtml(JSON.stringify([scale, ...made.domain(), ...made.range(), format ?? '', label]));

function seriesSvg({ name, points, style, dots, intervals, filled }: Series, across: Scale, up: Scale, bottom: number): string {
  const [[x0, x1], [y0, y1]] = [across.domain(), up.domain()] as [[number, number], [number, number]];
  const low = (value: number) => Math.min(Math.max(value, Math.min(y0, y1)), Math.max(y0, y1));
  const inside = points
    .map(([x, y], i) => ({ x, y: low(y), interval: intervals?.[i] }))
    .filter(({ x, y }) => Number.isFinite(y) && x >= Math.min(x0, x1) && x <= Math.max(x0, x1));
  const places = inside.map(({ x, y }): [number, number] => [at(across(x)), at(up(y))]);
  const label = `data-name="${escapeHtml(name)}"`;
  if (dots) {
    const bars = inside.flatMap(({ x, interval }) =>
      interval
        ? [`<path class="bar s${style}" d="M${at(across(x))} ${at(up(low(interval[0])))}V${at(up(low(interval[1])))}"/>`]
        : [],
    );
    return [...bars, ...places.map((place) => dotSvg(style, place))].join('');
  }
  if (filled) return `<path class="fill s${style}" d="${areaOf<[number, number]>().y0(bottom)(places) ?? ''}"/>`;
  if (places.length === 1) return `<circle class="s${style}" cx="${places[0]![0]}" cy="${places[0]![1]}" r="3.2"/>`;
  return `<path class="line s${style}" ${label} d="${lineOf()(places) ?? ''}"/>`;
}

/** Points of each style have a shape of their own. Pixels². */
const dotArea = 44;
const dotShapes = { 2: symbolDiamond, 3: symbolSquare, 4: symbolTriangle } as const;

function dotSvg(style: Series['style'], [x, y]: [number, number]): string {
  if (style === 1) return `<circle class="s1" cx="${x}" cy="${y}" r="3.2"/>`;
  return `<path class="point s${style}" transform="translate(${x} ${y})" d="${symbol(dotShapes[style], dotArea)() ?? ''}"/>`;
}

const legendItem = ({ name, style, dots, filled }: Series) =>
  `<span><i class="swatch s${style}${dots ? ' dot' : filled ? ' box' : ''}"></i>${escapeHtml(name)}</span>`;

function markSvg({ text, kind = 'good' }: Mark, x: number, bottom: number): string {
  const isRight = x > (width * 2) / 3;
  const place = isRight ? `x="${at(x - 5)}" class="end"` : `x="${at(x + 5)}"`;
  return `<g class="mark ${kind}" data-at="${at(x)}"><path d="M${at(x)} ${frame.top - 6}V${bottom}"/><text ${place} y="${frame.top + 4}">${escapeHtml(text)}</text></g>`;
}
