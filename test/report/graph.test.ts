import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { LayerOf, Network } from '../../src/nn/build.ts';
import { parameterCount } from '../../src/nn/network.ts';
import { type CostOptions, networkGraph } from '../../src/report/graph.ts';
import { graphFormats } from '../../src/report/graph-formats.ts';
import type { Graph } from '../../src/results/model.ts';
import { linesOf } from '../../src/text.ts';
import { dense } from '../nn/networks.ts';

const plain: CostOptions = { loss: 'crossEntropy', l2: 0, weighted: false };
const output = dense(1, { activation: 'sigmoid' });
const relu = (units: number, layer: Partial<LayerOf<'dense'>> = {}) => dense(units, { activation: 'relu', ...layer });

const logistic: Network = { inputs: 12288, layers: [output] };
const fourLayers: Network = { inputs: 12288, layers: [relu(20), relu(7), relu(5), output] };
const everything: Network = {
  inputs: 12288,
  layers: [relu(20, { batchNorm: true, keepProb: 0.8 }), dense(7, { activation: 'leakyRelu', keepProb: 0.5 }), output],
};
const everyCost: CostOptions = { loss: 'squaredError', l2: 0.7, weighted: true };

const node = (graph: Graph, name: string) => graph.nodes.find((one) => one.name === name)!;
const shapeOf = (graph: Graph, name: string) => node(graph, name).shape;
const formulaOf = (graph: Graph, name: string) => node(graph, name).formula;

const anyNetwork = fc
  .record({
    inputs: fc.integer({ min: 1, max: 3_145_728 }),
    hidden: fc.array(
      fc.record({
        units: fc.integer({ min: 1, max: 100_000 }),
        activation: fc.constantFrom('relu', 'tanh', 'sigmoid', 'leakyRelu', 'linear'),
        keepProb: fc.constantFrom(1, 0.5, 0.125),
        batchNorm: fc.boolean(),
      }),
      { maxLength: 12 },
    ),
    loss: fc.constantFrom('crossEntropy', 'squaredError'),
    l2: fc.constantFrom(0, 0.1),
    weighted: fc.boolean(),
  })
  .map(({ inputs, hidden, loss, l2, weighted }) => {
    const network: Network = { inputs, layers: [...hidden.map(({ units, ...rest }) => dense(units, rest)), output] };
    return { network, cost: { loss, l2, weighted } as CostOptions };
  });

describe('the graph of a network', () => {
  test("has the shapes of the course's four-layer network", () => {
    const graph = networkGraph(fourLayers, plain);
    expect(shapeOf(graph, 'X')).toEqual([12288, 'm']);
    expect(shapeOf(graph, 'W[1]')).toEqual([20, 12288]);
    expect(shapeOf(graph, 'b[1]')).toEqual([20, 1]);
    expect(shapeOf(graph, 'A[2]')).toEqual([7, 'm']);
    expect(shapeOf(graph, 'W[4]')).toEqual([1, 5]);
    expect(shapeOf(graph, 'Ŷ')).toEqual([1, 'm']);
    expect(shapeOf(graph, 'J')).toEqual([1, 1]);
    expect(shapeOf(graph, 'dW[1]')).toEqual([20, 12288]);
    expect(shapeOf(graph, 'dA[3]')).toEqual([5, 'm']);
  });

  test('counts parameters by layer and in all', () => {
    const graph = networkGraph(fourLayers, plain);
    expect(graph.layerParameters).toEqual([20 * 12288 + 20, 7 * 20 + 7, 5 * 7 + 5, 5 + 1]);
    expect(graph.parameters).toBe(245_973); // as the course's notebook has it
  });

  test("says forward and backward in the course's notation", () => {
    const graph = networkGraph(fourLayers, plain);
    expect(formulaOf(graph, 'Z[2]')).toBe('W[2]·A[1] + b[2]');
    expect(formulaOf(graph, 'A[2]')).toBe('relu(Z[2])');
    expect(formulaOf(graph, 'Ŷ')).toBe('σ(Z[4])');
    expect(formulaOf(graph, 'J')).toBe('(1/m) Σ L');
    expect(formulaOf(graph, 'dZ[4]')).toBe('Ŷ − Y');
    expect(formulaOf(graph, 'dW[4]')).toBe('(1/m) dZ[4]·A[3]ᵀ');
    expect(formulaOf(graph, 'db[4]')).toBe('(1/m) Σ dZ[4]');
    expect(formulaOf(graph, 'dA[3]')).toBe('W[4]ᵀ·dZ[4]');
    expect(formulaOf(graph, 'dZ[3]')).toBe('dA[3] ∘ relu′(Z[3])');
    expect(formulaOf(graph, 'dW[1]')).toBe('(1/m) dZ[1]·Xᵀ');
  });

  test('of logistic regression is one layer', () => {
    const { nodes, parameters } = networkGraph(logistic, plain);
    expect(parameters).toBe(12_289);
    expect(nodes.map(({ name }) => name)).toEqual(['X', 'W[1]', 'b[1]', 'Z[1]', 'Ŷ', 'Y', 'L', 'J', 'dZ[1]', 'dW[1]', 'db[1]']);
  });

  test('has a node for batch norm and for dropout where they are used, and L2 in the cost and in the gradients', () => {
    const graph = networkGraph(everything, everyCost);
    expect(node(graph, 'b[1]')).toBeUndefined(); // β takes its place
    expect(formulaOf(graph, 'Ẑ[1]')).toBe('γ[1] ∘ N[1] + β[1]');
    expect(formulaOf(graph, 'A[1]')).toBe('relu(Ẑ[1])');
    expect(formulaOf(graph, 'Ã[1]')).toBe('A[1] ∘ D[1] / 0.8');
    expect(formulaOf(graph, 'Z[2]')).toBe('W[2]·Ã[1] + b[2]');
    expect(formulaOf(graph, 'dA[1]')).toBe('dÃ[1] ∘ D[1] / 0.8');
    expect(formulaOf(graph, 'dγ[1]')).toBe('(1/m) Σ dẐ[1] ∘ N[1]');
    expect(formulaOf(graph, 'J')).toBe('(1/m) Σ w ∘ L + R');
    expect(formulaOf(graph, 'dZ[3]')).toBe('w ∘ (Ŷ − Y) ∘ Ŷ ∘ (1 − Ŷ)');
    expect(formulaOf(graph, 'dW[2]')).toBe('(1/m) dZ[2]·Ã[1]ᵀ + (λ/m) W[2]');
    expect(graph.edges.filter(({ to }) => to === 'R').map(({ from }) => from)).toEqual(['W1', 'W2', 'W3']);
    expect(graph.legend.join()).toContain('λ = 0.7');
  });

  test('counts what training moves, gives every parameter one gradient, and every gradient the shape of its value', () => {
    fc.assert(
      fc.property(anyNetwork, ({ network, cost }) => {
        const graph = networkGraph(network, cost);
        const byId = new Map(graph.nodes.map((one) => [one.id, one]));
        expect(byId.size).toBe(graph.nodes.length);
        expect(graph.parameters).toBe(parameterCount(network));
        for (const { kind, shape, of } of graph.nodes) if (kind === 'gradient') expect(shape).toEqual(byId.get(of!)!.shape);
        for (const { kind, id } of graph.nodes) {
          const gradients = graph.nodes.filter((one) => one.kind === 'gradient' && one.of === id);
          if (kind === 'parameter') expect(gradients).toHaveLength(1);
        }
      }),
    );
  });

  test('is computed in the order of its nodes: every edge comes from one before', () => {
    fc.assert(
      fc.property(anyNetwork, ({ network, cost }) => {
        const { nodes, edges } = networkGraph(network, cost);
        const place = new Map(nodes.map(({ id }, i) => [id, i]));
        for (const { from, to } of edges) expect(place.get(from)).toBeLessThan(place.get(to)!);
        const reached = new Set(edges.map(({ to }) => to));
        for (const { id, formula } of nodes) expect(reached.has(id)).toBe(formula !== null);
      }),
    );
  });
});

describe('the graph as text', () => {
  test('fits a terminal of 100 columns, whatever the network', () => {
    fc.assert(
      fc.property(anyNetwork, ({ network, cost }) => {
        const lines = linesOf(graphFormats.text.render(networkGraph(network, cost)));
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
      }),
    );
  });

  test('names every node with its shape, aligned', () => {
    const graph = networkGraph(everything, everyCost);
    const lines = linesOf(graphFormats.text.render(graph));
    for (const pass of ['forward', 'backward']) {
      const nodes = graph.nodes.filter((one) => one.pass === pass);
      const columns = nodes.map(({ name, shape }) => {
        const line = lines.find((one) => new RegExp(`^ +\\d* +${name.replace(/[[\]]/g, '\\$&')} +\\(`).test(one))!;
        expect(line).toContain(`(${shape.join(', ')})`);
        return line.indexOf('(');
      });
      expect(new Set(columns).size).toBe(1);
    }
    expect(lines).toContain('  J → dZ[3] → dÃ[2] → dA[2] → dZ[2] → dÃ[1] → dA[1] → dẐ[1] → dN[1] → dZ[1]');
  });
});

describe('the graph in Mermaid', () => {
  test.each([
    ['logistic regression', logistic, plain],
    ['four layers', fourLayers, plain],
    ['batch norm, dropout and L2', everything, everyCost],
  ])('of %s declares every node with a quoted label, and joins declared ones alone', (_, network, cost) => {
    const graph = networkGraph(network, cost);
    const lines = graphFormats.mermaid.render(graph).split('\n');
    const declared = lines.flatMap((line) => /^ {4}(\w+)(?:\[|\(|\(\[)"([^"]+)"(?:\]|\)|\]\))$/.exec(line)?.[1] ?? []);
    const joined = lines.flatMap((line) => {
      const found = /^ {2}(\w+) (?:-->|-\.->) (\w+)$/.exec(line);
      return found ? [[found[1], found[2]]] : [];
    });
    expect(declared).toEqual(graph.nodes.map(({ id }) => id));
    expect(joined).toEqual(graph.edges.map(({ from, to }) => [from, to]));
    expect(declared).not.toContain('end'); // a word of Mermaid's own
    const rest = lines.length - declared.length - joined.length;
    expect(lines.filter((line) => /^(%% .+|flowchart LR| {2}subgraph \w+\["\w+"\]| {2}end)$/.test(line))).toHaveLength(rest);
  });
});

describe('the graph as SVG', () => {
  const pictures = [
    ['logistic regression', logistic, plain],
    ['four layers', fourLayers, plain],
    ['batch norm, dropout and L2', everything, everyCost],
    ['long numbers', { inputs: 3_145_728, layers: [relu(100_000, { batchNorm: true }), output] }, everyCost],
  ] as const;

  test.each(pictures)('of %s can be drawn, and brings no script and nothing from outside', async (_, network, cost) => {
    const svg = graphFormats.svg.render(networkGraph(network, cost));
    const { width, height } = await sharp(Buffer.from(svg)).metadata(); // refuses what is not valid XML
    const size = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!;
    expect([width, height]).toEqual([Number(size[1]), Number(size[2])]);
    expect(svg).not.toMatch(/<script|href|<image|@import|\son\w+=/i);
    expect(svg.match(/https?:[^"]*/g)).toEqual(['http://www.w3.org/2000/svg']);
    expect(svg.match(/url\((?!#)/g)).toBeNull();
  });

  test.each(pictures)('of %s has a box for each node, none over another, each as wide as its words', (_, network, cost) => {
    const graph = networkGraph(network, cost);
    const boxes = boxesOf(graphFormats.svg.render(graph));
    expect(boxes).toHaveLength(graph.nodes.length);
    for (const [i, a] of boxes.entries()) {
      for (const b of boxes.slice(i + 1)) {
        const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        expect(apart, `${a.texts[0]?.text} over ${b.texts[0]?.text}`).toBe(true);
      }
      for (const { x, y, text } of a.texts) {
        expect(x + text.length * 0.602 * 12).toBeLessThanOrEqual(a.x + a.width); // DejaVu Sans Mono, the widest
        expect(y).toBeGreaterThan(a.y + 10);
        expect(y).toBeLessThan(a.y + a.height);
      }
    }
  });

  test('runs forward down, and backward, right of it, up; parameters and their gradients stand at the sides', () => {
    const graph = networkGraph(fourLayers, plain);
    const boxes = boxesOf(graphFormats.svg.render(graph));
    const at = (name: string) => boxes[graph.nodes.findIndex((one) => one.name === name)]!;
    const isFalling = (names: string[]) => names.every((name, i) => i === 0 || at(names[i - 1]!).y < at(name).y);
    expect(isFalling(['X', 'Z[1]', 'A[1]', 'Z[2]', 'A[2]', 'Z[3]', 'A[3]', 'Z[4]', 'Ŷ', 'L', 'J'])).toBe(true);
    expect(isFalling(['dZ[1]', 'dA[1]', 'dZ[2]', 'dA[2]', 'dZ[3]', 'dA[3]', 'dZ[4]'])).toBe(true);
    const row = ['W[2]', 'Z[2]', 'dZ[2]', 'dW[2]'].map(at);
    for (const [i, box] of row.entries()) if (i > 0) expect(box.x).toBeGreaterThan(row[i - 1]!.x + row[i - 1]!.width);
  });

  test.each([0, 1, 2, 4, 8, 12, 30])('with %i hidden layers is as wide as a page, and its texts stay within', (depth) => {
    const layer = { batchNorm: true, keepProb: 1 / 3, activation: 'leakyRelu' } as const;
    const widest: Network = { inputs: 3_145_728, layers: [...Array.from({ length: depth }, () => relu(100_000, layer)), output] };
    const svg = graphFormats.svg.render(networkGraph(widest, everyCost));
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number) as [number, number, number];
    expect(width).toBeLessThanOrEqual(1000);
    const [, shift] = /translate\(0 (\d+)\)/.exec(svg)!.map(Number) as [number, number];
    for (const { x, y, text } of textsOf(svg)) {
      expect(x + text.length * 0.602 * 12, text).toBeLessThanOrEqual(width);
      expect(y + shift).toBeLessThanOrEqual(height);
    }
  });

  test('no edge crosses a box, or the words of a lane or layer', () => {
    fc.assert(
      fc.property(anyNetwork, ({ network, cost }) => {
        const graph = networkGraph(network, cost);
        const svg = graphFormats.svg.render(graph);
        const boxes = boxesOf(svg);
        const words = textsOf(svg)
          .filter(({ kind }) => kind !== undefined && !['name', 'title'].includes(kind))
          .map(({ x, y, text }) => ({ x, y: y - 10, width: text.length * 0.602 * 12, height: 12, texts: [] }));
        const edges = [...svg.matchAll(/<path class="edge[^>]* d="([^"]+)"/g)].map(([, d]) => segmentsOf(d!));
        expect(edges).toHaveLength(graph.edges.length);
        for (const [e, { from, to }] of graph.edges.entries()) {
          const ends = [from, to].map((id) => boxes[graph.nodes.findIndex((one) => one.id === id)]!) as [Drawn, Drawn];
          const [first, last] = [edges[e]![0]!, edges[e]!.at(-1)!];
          expect(touches(ends[0], first.x1, first.y1) && touches(ends[1], last.x2, last.y2), `${from} to ${to}`).toBe(true);
          for (const box of [...boxes, ...words]) {
            const crossed = edges[e]!.filter((segment) => crosses(segment, box));
            expect(crossed, `${from} to ${to} over ${box.texts[0]?.text}`).toEqual([]);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test('is light on paper, and dark on a screen that asks for it', () => {
    const svg = graphFormats.svg.render(networkGraph(logistic, plain));
    const [, light, dark] = /<style>(.*)@media screen and \(prefers-color-scheme:dark\)\{(.*)\}<\/style>/.exec(svg)!;
    const selectors = (rules: string) => [...rules.matchAll(/([^{}]+)\{(?:fill|stroke):/g)].map(([, selector]) => selector);
    expect(selectors(dark!)).toEqual(expect.arrayContaining(['text', '.sheet', 'rect.value', '.edge.backward']));
    expect(selectors(light!)).toEqual(expect.arrayContaining(selectors(dark!)));
  });
});

interface Segment {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** Of a path of M, H and V. */
function segmentsOf(d: string): Segment[] {
  const [, x0, y0] = /^M([\d.]+) ([\d.]+)/.exec(d)!.map(Number) as [number, number, number];
  let [x, y] = [x0, y0];
  return [...d.matchAll(/([HV])([\d.]+)/g)].map(([, way, to]) => {
    const begin = { x1: x, y1: y };
    if (way === 'H') x = Number(to);
    else y = Number(to);
    return { ...begin, x2: x, y2: y };
  });
}

const touches = ({ x, y, width, height }: Drawn, px: number, py: number) =>
  px >= x - 0.01 && px <= x + width + 0.01 && py >= y - 0.01 && py <= y + height + 0.01;

const crosses = ({ x1, y1, x2, y2 }: Segment, { x, y, width, height }: Drawn) =>
  Math.max(x1, x2) > x + 0.01 &&
  Math.min(x1, x2) < x + width - 0.01 &&
  Math.max(y1, y2) > y + 0.01 &&
  Math.min(y1, y2) < y + height - 0.01;

/** All words of a picture, with the class that they have and the left end of each. */
function textsOf(svg: string): { x: number; y: number; text: string; kind: string | undefined }[] {
  return [...svg.matchAll(/<text(?: class="([^"]+)")? x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</g)].map(([, kind, x, y, text]) => ({
    kind,
    x: Number(x) - (kind?.startsWith('lane') ? (text!.length * 0.602 * 12) / 2 : 0), // in the middle of its column
    y: Number(y),
    text: text!,
  }));
}

interface Drawn {
  x: number;
  y: number;
  width: number;
  height: number;
  texts: { x: number; y: number; text: string }[];
}

/** The boxes of a picture, with the words that follow each. */
function boxesOf(svg: string): Drawn[] {
  const number = (tag: string, name: string) => Number(new RegExp(` ${name}="([^"]*)"`).exec(tag)![1]);
  return svg
    .split('\n')
    .filter((line) => /^<rect class="(data|parameter|value|gradient)"/.test(line))
    .map((line) => {
      const [rect, ...texts] = line.split('<text');
      const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => number(rect!, name)) as [
        number,
        number,
        number,
        number,
      ];
      const words = texts.map((tag) => ({ x: number(tag, 'x'), y: number(tag, 'y'), text: />([^<]*)</.exec(tag)![1]! }));
      return { x, y, width, height, texts: words };
    });
}
