import type { Graph, GraphNode, NodeKind, Pass } from '../results/model.ts';
import type { Lines } from '../text.ts';
import { svgGraph } from './graph-svg.ts';
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
