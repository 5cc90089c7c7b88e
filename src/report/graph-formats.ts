import type { Graph, GraphNode, NodeKind, Pass } from '../results/model.ts';
import type { Lines } from '../text.ts';
import { count, plural, table } from './table.ts';

/** How a computation graph can be drawn: in lines for people, or as one text in a format of its own. */
export const graphFormats = {
  text: { summary: 'tables for a terminal', render: textGraph },
  mermaid: { summary: 'a flowchart for Markdown', render: mermaidGraph },
  svg: { summary: 'a picture', render: svgGraph },
} as const satisfies Record<string, { summary: string; render(graph: Graph): Lines }>;

export type GraphFormat = keyof typeof graphFormats;

/** (20, m) */
function shapeText([rows, columns]: GraphNode['shape']): string {
  return `(${rows}, ${columns})`;
}

const textWidth = 100;

function textGraph(graph: Graph): Lines[] {
  const rows = (pass: Pass) =>
    graph.nodes
      .filter((node) => node.pass === pass)
      .map(({ layer, name, shape, formula, kind, parameters }) => [
        layer === null ? '' : `${layer}`,
        name,
        shapeText(shape),
        formula ?? kind,
        ...(pass === 'forward' ? [parameters > 0 ? count(parameters) : ''] : []),
      ]);
  const total = graph.layerParameters.map((parameters, l) => [
    `layer ${l + 1}`,
    `${graph.sizes[l]} → ${graph.sizes[l + 1]}`,
    count(parameters),
  ]);
  return [
    'Forward, from the pictures to the cost',
    ...wrap(chain(graph, 'forward').join(' → '), ' → '),
    '',
    table([['layer', 'node', 'shape', '', 'parameters'], ...rows('forward')], '  '),
    '',
    'Backward, from the cost to every gradient',
    ...wrap(['J', ...chain(graph, 'backward')].join(' → '), ' → '),
    '',
    table([['layer', 'node', 'shape', ''], ...rows('backward')], '  '),
    '',
    'Parameters',
    table([...total, ['in all', '', count(graph.parameters)]], '  '),
    '',
    ...graph.legend.flatMap((line) => wrap(line, ' ')),
  ];
}

/** The names of a pass, without parameters and their gradients: what leads to J, or away from it. */
function chain({ nodes, edges }: Graph, pass: Pass): string[] {
  const parameters = new Set(nodes.filter(({ kind }) => kind === 'parameter').map(({ id }) => id));
  const aside = ({ id, kind, of }: GraphNode) =>
    kind === 'parameter' ||
    (of !== null && (pass === 'forward' || parameters.has(of))) ||
    !edges.some((edge) => edge.from === id || edge.to === id);
  return nodes.filter((node) => node.pass === pass && !aside(node)).map(({ name }) => name);
}

/** Lines of at most 100 columns, indented by two. */
function wrap(text: string, separator: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(separator)) {
    const line = lines[lines.length - 1];
    if (line !== undefined && 2 + line.length + separator.length + word.length + separator.trimEnd().length <= textWidth)
      lines[lines.length - 1] = `${line}${separator}${word}`;
    else {
      if (line !== undefined) lines[lines.length - 1] = `${line}${separator.trimEnd()}`;
      lines.push(word);
    }
  }
  return lines.map((line) => `  ${line}`);
}

/** The brackets of a node, which give it its outline. */
const outlines: Record<NodeKind, readonly [string, string]> = {
  data: ['([', '])'],
  parameter: ['(', ')'],
  value: ['[', ']'],
  gradient: ['[', ']'],
};

function mermaidGraph(graph: Graph): string {
  const line = ({ id, name, kind, shape, formula, parameters }: GraphNode) => {
    const words = [`${name} ${shapeText(shape)}`, formula, parameters > 0 ? plural(parameters, 'parameter') : null];
    const [open, close] = outlines[kind];
    return `    ${id}${open}"${words.filter((word) => word !== null).join('<br/>')}"${close}`;
  };
  const lane = (pass: Pass) => [
    `  subgraph ${pass}Pass["${pass}"]`,
    ...graph.nodes.filter((node) => node.pass === pass).map(line),
    '  end',
  ];
  const edges = graph.edges.map(({ from, to, pass }) => `  ${from} ${pass === 'forward' ? '-->' : '-.->'} ${to}`);
  return [
    `%% ${graph.sizes.join(' → ')}: ${plural(graph.parameters, 'parameter')}`,
    'flowchart LR',
    ...lane('forward'),
    ...lane('backward'),
    ...edges,
  ].join('\n');
}

/** Pixels. A character of a monospace font is about 0.6 of its size wide. */
const fontSize = 12;
const character = 0.62 * fontSize;
const lineHeight = 17;
const padding = 10;
const columnGap = 38;
const rowGap = 46;
const boxGap = 12;
const border = 24;
/** Where a formula is broken into lines. */
const formulaWidth = 32;

interface Box {
  node: GraphNode;
  lines: string[];
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Rows from top to bottom: parameters, the forward pass, the backward pass, gradients of parameters. */
const rowCount = 4;

/** Two lanes: forward from left to right, below it backward from right to left. No scripts, nothing from outside. */
export function svgGraph(graph: Graph): string {
  const { boxes, width, height, rows } = place(graph);
  const byId = new Map(boxes.map((box) => [box.node.id, box]));
  const rail = border + 2 * lineHeight + 6;
  const edges = graph.edges.map(({ from, to, pass }) => edgePath(byId.get(from)!, byId.get(to)!, pass, rail));
  const first = byId.get('X')!;
  const title = `${graph.sizes.map(count).join(' → ')}: ${plural(graph.parameters, 'parameter')}`;
  const middle = rows[2]!.y + rows[2]!.height / 2 + fontSize / 3;
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
    `<text class="title" x="${border}" y="${border + fontSize}">${xml(title)}</text>`,
    `<text class="lane forward" x="${first.x}" y="${first.y - padding}">forward →</text>`,
    `<text class="lane backward" x="${first.x}" y="${middle}">← backward</text>`,
    ...edges,
    ...boxes.map(boxText),
    ...graph.legend.map(
      (line, i) =>
        `<text class="legend" x="${border}" y="${height - border - (graph.legend.length - 1 - i) * lineHeight}">${xml(line)}</text>`,
    ),
    '</svg>',
  ].join('\n');
}

const style = [
  `text{font:${fontSize}px "DejaVu Sans Mono",Menlo,Consolas,"Liberation Mono",monospace;fill:#1b2430}`,
  '.sheet{fill:#fff}',
  '.title,.name{font-weight:bold}',
  '.legend,.shape{fill:#566273}',
  'rect.data{fill:#f1f3f5;stroke:#7b8794}',
  'rect.parameter{fill:#e9f6ec;stroke:#3c8d55}',
  'rect.value{fill:#e8f1fb;stroke:#2f6db3}',
  'rect.gradient{fill:#fdf0e3;stroke:#c06a1b}',
  'path.edge{fill:none;stroke-width:1.4}',
  '.edge.forward{stroke:#2f6db3}',
  '.edge.backward{stroke:#c06a1b}',
  '.tip.forward,.lane.forward{fill:#2f6db3}',
  '.tip.backward,.lane.backward{fill:#c06a1b}',
].join('');

interface Placed {
  boxes: Box[];
  width: number;
  height: number;
  rows: { y: number; height: number }[];
}

/** A column for each value of the forward pass; what belongs to it stands above and below. */
function place(graph: Graph): Placed {
  const columns = graph.nodes.filter(({ kind, pass, of }) => pass === 'forward' && kind !== 'parameter' && of === null);
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const all = graph.nodes.map((node): Box => {
    const lines = linesOf(node);
    const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * character + 2 * padding);
    return { node, lines, x: 0, y: 0, width, height: lines.length * lineHeight + padding };
  });
  const cell = (column: GraphNode, row: number) =>
    all.filter(({ node }) => columnOf(node, byId) === column.id && rowOf(node, byId) === row);
  const top = border + 2 * lineHeight + (graph.nodes.some(({ id }) => id === 'R') ? rowGap / 2 : 0);
  const rows: Placed['rows'] = [];
  for (let row = 0; row < rowCount; row++) {
    const before = rows[row - 1];
    const height = Math.max(...columns.flatMap((column) => cell(column, row).map((box) => box.height)));
    rows.push({ y: before ? before.y + before.height + rowGap : top, height });
  }
  let x = border;
  for (const column of columns) {
    const cells = rows.map((_, row) => cell(column, row));
    const widths = cells.map((boxes) => boxes.reduce((sum, { width }) => sum + width + boxGap, -boxGap));
    const width = Math.max(...widths);
    for (const [row, boxes] of cells.entries()) {
      let left = x + (width - widths[row]!) / 2;
      for (const box of boxes) {
        box.x = left;
        box.y = rows[row]!.y + alignment[row]! * (rows[row]!.height - box.height);
        left += box.width + boxGap;
      }
    }
    x += width + columnGap;
  }
  const legendWidth = Math.max(...graph.legend.map((line) => line.length)) * character + 2 * border;
  const last = rows[rowCount - 1]!;
  const height = last.y + last.height + border + graph.legend.length * lineHeight + border;
  return { boxes: all, width: Math.ceil(Math.max(x - columnGap + border, legendWidth)), height: Math.ceil(height), rows };
}

/** Where a box stands in its row, row by row: parameters at the bottom, gradients of parameters at the top. */
const alignment = [1, 0.5, 0.5, 0];

/** The value of the forward pass that a node stands above or below. */
function columnOf(node: GraphNode, byId: ReadonlyMap<string, GraphNode>): string {
  return node.of === null ? node.id : columnOf(byId.get(node.of)!, byId);
}

function rowOf({ kind, pass, of }: GraphNode, byId: ReadonlyMap<string, GraphNode>): number {
  if (pass === 'forward') return kind === 'parameter' || of !== null ? 0 : 1;
  return byId.get(of!)!.kind === 'parameter' ? 3 : 2;
}

function linesOf({ name, shape, formula, parameters }: GraphNode): string[] {
  return [
    `${name} (${shape.join(', ')})`,
    ...(formula === null ? [] : broken(`= ${formula}`)),
    ...(parameters > 0 ? [plural(parameters, 'parameter')] : []),
  ];
}

function broken(formula: string): string[] {
  const lines = [''];
  for (const word of formula.split(' ')) {
    const line = lines[lines.length - 1]!;
    if (line.length + word.length >= formulaWidth) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

function boxText({ node, lines, x, y, width, height }: Box): string {
  const texts = lines.map(
    (line, i) =>
      `<text${i === 0 ? ' class="name"' : ''} x="${x + padding}" y="${y + padding / 2 + (i + 0.75) * lineHeight}" xml:space="preserve">${xml(line)}</text>`,
  );
  return `<rect class="${node.kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="5"/>${texts.join('')}`;
}

/** A line from box to box: along a lane, or from row to row. */
function edgePath(from: Box, to: Box, pass: 'forward' | 'backward', rail: number): string {
  const path = (d: string) => `<path class="edge ${pass}" marker-end="url(#${pass}-tip)" d="${d}"/>`;
  const middle = (box: Box) => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
  const [a, b] = [middle(from), middle(to)];
  if (to.node.id === 'R') return path(`M${a.x} ${from.y}V${rail}H${b.x}V${to.y}`);
  if (from.node.id === 'J') return path(`M${a.x} ${from.y + from.height}V${b.y}H${to.x + to.width}`);
  if (from.node.pass === to.node.pass && sameLane(from, to)) {
    return pass === 'forward' ? path(`M${from.x + from.width} ${a.y}H${to.x}`) : path(`M${from.x} ${a.y}H${to.x + to.width}`);
  }
  const inside = (x: number, box: Box) => Math.min(Math.max(x, box.x + 2 * padding), box.x + box.width - 2 * padding);
  return from.node.kind === 'parameter' || (from.node.of !== null && pass === 'forward') || from.node.kind === 'data'
    ? path(`M${a.x} ${from.y + from.height}L${inside(a.x, to)} ${to.y}`)
    : path(`M${inside(b.x, from)} ${from.y + from.height}L${b.x} ${to.y}`);
}

/** Whether two boxes are of the same row: their middles are level. */
function sameLane(a: Box, b: Box): boolean {
  return Math.abs(a.y + a.height / 2 - b.y - b.height / 2) < 1;
}

function xml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
