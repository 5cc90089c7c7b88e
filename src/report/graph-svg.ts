import type { Graph, GraphNode, Pass } from '../results/model.ts';
import { count, plural } from './table.ts';

/** Pixels. A character of a monospace font is about 0.6 of its size wide. */
const fontSize = 12;
const character = 0.62 * fontSize;
const lineHeight = 17;
const padding = 10;
const columnGap = 40;
const rowGap = 26;
const boxGap = 10;
const border = 24;
/** Left of the parameters, where L2 takes the weights to its term. */
const railWidth = 18;
const bandPadding = 12;
/** A page's. */
const mostWidth = 1000;
/** So that the legend has room beside a narrow network. */
const leastWidth = 760;
/** Where formulas are broken into lines: the first with which the columns fit. Four of the last, beside the largest parameters that a config can
 *  ask for, do. */
const formulaWidths = [32, 28, 24] as const;

interface Box {
  node: GraphNode;
  lines: string[];
  x: number;
  y: number;
  width: number;
  height: number;
}

/** From left to right. A row has a value of the forward pass, its parameters left of it, and its gradients right of it. */
const columns = [
  { title: 'parameters', pass: 'forward' },
  { title: 'forward ↓', pass: 'forward' },
  { title: 'backward ↑', pass: 'backward' },
  { title: 'gradients of parameters', pass: 'backward' },
] as const satisfies { title: string; pass: Pass }[];

/** Layers from top to bottom, forward down and backward, beside it, up: however deep, it is as wide as a page. No scripts, nothing from outside. */
export function svgGraph(graph: Graph): string {
  const { boxes, bands, lefts, middles, width, top, bottom } = placeWithin(graph);
  const byId = new Map(boxes.map((box) => [box.node.id, box]));
  const edges = graph.edges.map(({ from, to, pass }) => edgePath(byId.get(from)!, byId.get(to)!, pass));
  const title = titleOf(graph);
  const lines = (texts: readonly string[]) => texts.flatMap((text) => wrapped(text, width));
  const [titles, legend] = [lines([title]), lines(graph.legend)];
  const first = titles.length * lineHeight;
  const height = first + bottom + legend.length * lineHeight + border;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${xml(`Computation graph of ${title}`)}</title>`,
    `<style>${style}</style>`,
    '<defs>',
    ...(['forward', 'backward'] as const).map(
      (pass) =>
        `<marker id="${pass}-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip ${pass}" d="M0 0L8 4L0 8z"/></marker>`,
    ),
    '</defs>',
    `<rect class="sheet" width="${width}" height="${height}"/>`,
    ...titles.map((line, i) => `<text class="title" x="${border}" y="${border + fontSize + i * lineHeight}">${xml(line)}</text>`),
    `<g transform="translate(0 ${first})">`,
    ...bands.map(
      ({ text, y, height }) =>
        `<rect class="band" x="${border / 2}" y="${y}" width="${width - border}" height="${height}" rx="6"/><text class="legend" x="${lefts[0]}" y="${y + lineHeight}">${text}</text>`,
    ),
    ...columns.map(({ title, pass }, c) => `<text class="lane ${pass}" x="${middles[c]}" y="${top}">${title}</text>`),
    ...edges,
    ...boxes.map(boxText),
    ...legend.map((line, i) => `<text class="legend" x="${border}" y="${bottom + i * lineHeight}">${xml(line)}</text>`),
    '</g>',
    '</svg>',
  ].join('\n');
}

const titleOf = ({ sizes, parameters }: Graph) => `${sizes.map(count).join(' → ')}: ${plural(parameters, 'parameter')}`;

/** Colours by class: on a light ground and, on a screen alone, on a dark one. Paper is white. */
const colours = {
  light: {
    text: '#1b2430',
    soft: '#566273',
    sheet: '#fff',
    band: '#f6f8fa',
    data: ['#fff', '#7b8794'],
    parameter: ['#e9f6ec', '#3c8d55'],
    value: ['#e8f1fb', '#2f6db3'],
    gradient: ['#fdf0e3', '#c06a1b'],
    forward: '#2f6db3',
    backward: '#b05c10',
  },
  dark: {
    text: '#e6eaee',
    soft: '#a3afbc',
    sheet: '#13171c',
    band: '#1a2027',
    data: ['#13171c', '#8a97a5'],
    parameter: ['#173323', '#5fd3a2'],
    value: ['#16304a', '#6fb6ff'],
    gradient: ['#41290f', '#ffa552'],
    forward: '#6fb6ff',
    backward: '#ffa552',
  },
} as const;

const colourRules = ({ text, soft, sheet, band, forward, backward, ...boxes }: (typeof colours)['light' | 'dark']) => [
  `text{fill:${text}}`,
  `.legend{fill:${soft}}`,
  `.sheet{fill:${sheet}}.band{fill:${band}}`,
  ...Object.entries(boxes).map(([kind, [fill, stroke]]) => `rect.${kind}{fill:${fill};stroke:${stroke}}`),
  ...Object.entries({ forward, backward }).map(
    ([pass, colour]) => `.edge.${pass}{stroke:${colour}}.tip.${pass},.lane.${pass}{fill:${colour}}`,
  ),
];

const style = [
  `text{font:${fontSize}px "DejaVu Sans Mono",Menlo,Consolas,"Liberation Mono",monospace}`,
  '.title,.name,.lane{font-weight:bold}.lane{text-anchor:middle}',
  'path.edge{fill:none;stroke-width:1.4}',
  ...colourRules(colours.light),
  `@media screen and (prefers-color-scheme:dark){${colourRules(colours.dark).join('')}}`,
].join('');

interface Placed {
  boxes: Box[];
  /** the rows of a layer, or of the cost */
  bands: { text: string; y: number; height: number }[];
  /** of each column */
  lefts: number[];
  middles: number[];
  width: number;
  /** where the columns' titles stand */
  top: number;
  /** where the legend begins */
  bottom: number;
}

function placeWithin(graph: Graph): Placed {
  const placed = formulaWidths.map((width) => place(graph, width));
  return placed.find(({ width }) => width <= mostWidth) ?? placed.at(-1)!;
}

/** A row for each value of the forward pass; what belongs to it stands beside it, one above the other where there are several. */
function place(graph: Graph, formulaWidth: number): Placed {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const boxes = graph.nodes.map((node) => boxOf(node, formulaWidth));
  const inColumn = (column: number) => boxes.filter(({ node }) => columnOf(node, byId) === column);
  const widths = columns.map(({ title }, c) =>
    Math.max(...[0, ...inColumn(c).map((box) => box.width)], Math.ceil(title.length * character)),
  );
  const rail = graph.nodes.some(({ id }) => id === 'R') ? railWidth : 0;
  const lefts = columns.map((_, c) => widths.slice(0, c).reduce((sum, width) => sum + width + columnGap, border + rail));
  const width = Math.max(leastWidth, lefts.at(-1)! + widths.at(-1)! + border);
  const top = border + lineHeight + padding;
  const bands: Placed['bands'] = [];
  let y = top + padding;
  for (const [i, { node: value }] of inColumn(1).entries()) {
    const before = inColumn(1)[i - 1]?.node;
    if (i > 0 && (before!.layer !== value.layer || i === 1)) {
      const begun = value.layer === null ? 'cost' : `layer ${value.layer}`;
      if (bands.length > 0) y += bandPadding;
      bands.push({ text: begun, y, height: 0 });
      y += lineHeight + bandPadding;
    }
    const cells = columns.map((_, c) => inColumn(c).filter(({ node }) => rowOf(node, byId) === value.id));
    const heights = cells.map((cell) => cell.reduce((sum, { height }) => sum + height + boxGap, -boxGap));
    const height = Math.max(...heights);
    for (const [c, cell] of cells.entries()) {
      let at = y + (height - heights[c]!) / 2;
      for (const box of cell) {
        box.x = lefts[c]! + (widths[c]! - box.width) / 2;
        box.y = at;
        at += box.height + boxGap;
      }
    }
    const band = bands.at(-1);
    if (band) band.height = y + height + bandPadding - band.y;
    y += height + rowGap;
  }
  const middles = lefts.map((left, c) => left + widths[c]! / 2);
  return { boxes, bands, lefts, middles, width, top, bottom: y + lineHeight };
}

/** The value of the forward pass that a node stands beside. */
function rowOf(node: GraphNode, byId: ReadonlyMap<string, GraphNode>): string {
  return node.of === null ? node.id : rowOf(byId.get(node.of)!, byId);
}

function columnOf({ kind, pass, of }: GraphNode, byId: ReadonlyMap<string, GraphNode>): number {
  if (pass === 'forward') return kind === 'parameter' || of !== null ? 0 : 1;
  return byId.get(of!)!.kind === 'parameter' ? 3 : 2;
}

function boxOf(node: GraphNode, formulaWidth: number): Box {
  const { name, shape, formula, parameters } = node;
  const lines = [
    `${name} (${shape.join(', ')})`,
    ...(formula === null ? [] : broken(`= ${formula}`, formulaWidth)),
    ...(parameters > 0 ? [plural(parameters, 'parameter')] : []),
  ];
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * character + 2 * padding);
  return { node, lines, x: 0, y: 0, width, height: lines.length * lineHeight + padding };
}

/** Lines of at most so many characters, where words allow it; those after the first are indented. */
function broken(text: string, most: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1]!;
    if (line.length + word.length >= most) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

const wrapped = (text: string, width: number) => broken(text, Math.floor((width - 2 * border) / character));

function boxText({ node, lines, x, y, width, height }: Box): string {
  const texts = lines.map(
    (line, i) =>
      `<text${i === 0 ? ' class="name"' : ''} x="${x + padding}" y="${y + padding / 2 + (i + 0.75) * lineHeight}" xml:space="preserve">${xml(line)}</text>`,
  );
  return `<rect class="${node.kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="5"/>${texts.join('')}`;
}

/** A line from box to box: along a column, or across a gap between two. */
function edgePath(from: Box, to: Box, pass: Pass): string {
  const path = (d: string) => `<path class="edge ${pass}" marker-end="url(#${pass}-tip)" d="${d}"/>`;
  const [a, b] = [middleOf(from), middleOf(to)];
  const right = from.x + from.width;
  if (to.node.id === 'R') return path(`M${from.x} ${a.y}H${border + railWidth / 3}V${b.y}H${to.x}`);
  if (from.node.id === 'J') return path(`M${right} ${a.y}H${b.x}V${to.y + to.height}`);
  if (Math.abs(a.x - b.x) < 1)
    return path(pass === 'forward' ? `M${a.x} ${from.y + from.height}V${to.y}` : `M${a.x} ${from.y}V${to.y + to.height}`);
  const inside = (y: number, { y: top, height }: Box) => Math.min(Math.max(y, top + padding), top + height - padding);
  const turn = pass === 'forward' ? to.x - columnGap / 2 : right + columnGap / 2;
  const [y1, y2] = pass === 'forward' ? [a.y, inside(a.y, to)] : [inside(b.y, from), b.y];
  return path(`M${right} ${y1}${y1 === y2 ? '' : `H${turn}V${y2}`}H${to.x}`);
}

const middleOf = ({ x, y, width, height }: Box) => ({ x: x + width / 2, y: y + height / 2 });

function xml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
