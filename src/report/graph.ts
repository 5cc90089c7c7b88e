import { layerSizes, type Network, opsOf, weightedLayers } from '../nn/build.ts';
import { type LossName, losses } from '../nn/losses.ts';
import { parameterSpecs } from '../nn/network.ts';
import { type DrawnNode, featuresOf, type Term } from '../nn/op.ts';
import type { Graph, GraphNode, Pass } from '../results/model.ts';

export interface CostOptions {
  loss: LossName;
  /** λ */
  l2: number;
  /** whether classes count differently */
  weighted: boolean;
}

/** The graph of a network, forward from X to J and backward from J to every gradient. */
export function networkGraph(network: Network, cost: CostOptions): Graph {
  const draft: Draft = { nodes: [], edges: [] };
  addForward(draft, network, cost);
  addBackward(draft, network, cost);
  const layerParameters = weightedLayers(network).map((_, l) => sum(draft.nodes.filter(({ layer }) => layer === l + 1)));
  return {
    ...draft,
    sizes: layerSizes(network),
    layerParameters,
    parameters: sum(draft.nodes),
    legend: legendOf(network, cost),
  };
}

function sum(nodes: readonly GraphNode[]): number {
  return nodes.reduce((total, { parameters }) => total + parameters, 0);
}

type Draft = Pick<Graph, 'nodes' | 'edges'>;
type Given = Pick<GraphNode, 'id' | 'name' | 'shape'> & Partial<GraphNode>;

/** Adds a node, and the edges to it from others. */
function add({ nodes, edges }: Draft, pass: Pass, given: Given, from: readonly string[] = []): void {
  const kind = pass === 'forward' ? 'value' : 'gradient';
  nodes.push({ kind, pass, layer: null, formula: null, parameters: 0, of: null, ...given });
  edges.push(...from.map((id) => ({ from: id, to: given.id, pass })));
}

function addForward(draft: Draft, network: Network, { loss, l2, weighted }: CostOptions): void {
  const value = (given: Given, from: readonly string[]) => add(draft, 'forward', given, from);
  add(draft, 'forward', { id: 'X', name: 'X', kind: 'data', shape: [network.inputs, 'm'] });
  let input: Term = { id: 'X', name: 'X' };
  for (const { layer, drawing } of opsOf(network)) {
    drawing.forward(input, (node, from) => {
      const isParameter = node.kind === 'parameter';
      const parameters = isParameter ? node.shape[0] * (node.shape[1] as number) : 0;
      add(draft, 'forward', { layer: layer + 1, ...node, parameters }, from);
    });
    input = drawing.output;
  }
  value({ ...answer, layer: weightedLayers(network).length, shape: [1, 'm'], formula: `σ(${input.name})` }, [input.id]);
  add(draft, 'forward', { id: 'Y', name: 'Y', kind: 'data', shape: [1, 'm'], of: 'L' });
  value({ id: 'L', name: 'L', shape: [1, 'm'], formula: losses[loss].formulas.value }, ['Yhat', 'Y']);
  const weights = parameterSpecs(network).flatMap(({ name, decayed }) => (decayed ? [name] : []));
  if (l2 > 0) value({ id: 'R', name: 'R', shape: [1, 1], formula: '(λ/2m) Σ ‖W[l]‖²', of: 'J' }, weights);
  const formula = `(1/m) Σ ${weighted ? 'w ∘ ' : ''}L${l2 > 0 ? ' + R' : ''}`;
  value({ id: 'J', name: 'J', shape: [1, 1], formula }, l2 > 0 ? ['L', 'R'] : ['L']);
}

/** σ of the logit, which the loss takes by itself. */
const answer: Term = { id: 'Yhat', name: 'Ŷ' };

function addBackward(draft: Draft, network: Network, { loss, l2, weighted }: CostOptions): void {
  const ops = opsOf(network);
  const gradient = (layer: number, node: DrawnNode, from: string) => {
    add(draft, 'backward', { ...node, ...gradientOf(node), layer: layer + 1 }, [from]);
  };
  const { layer, drawing, output } = ops.at(-1)!;
  const { gradient: formula } = losses[loss].formulas;
  const shown = weighted ? `w ∘ ${formula === 'Ŷ − Y' ? `(${formula})` : formula}` : formula;
  gradient(layer, { ...drawing.output, shape: [featuresOf(output), 'm'], formula: shown }, 'J');
  for (const [k, op] of [...ops.entries()].reverse()) {
    const below = ops[k - 1];
    const input = below?.drawing.output ?? { id: 'X', name: 'X' };
    op.drawing.backward(
      input,
      (node, from) => gradient(op.layer, node, from),
      (formula, from) => below && gradient(below.layer, { ...input, shape: [featuresOf(op.input), 'm'], formula }, from),
      (weights) => (l2 > 0 ? ` + (λ/m) ${weights}` : ''),
    );
  }
}

function gradientOf({ id, name }: Term): Pick<GraphNode, 'id' | 'name' | 'of'> {
  return { id: `d${id}`, name: `d${name}`, of: id };
}

function legendOf(network: Network, { l2, weighted }: CostOptions): string[] {
  const entries = opsOf(network).flatMap(({ drawing }) => drawing.legend);
  const keys = [...new Set(entries.map(({ key }) => key))].sort();
  return [
    'm: the examples of a batch; ∘: entry by entry',
    'dV: the gradient of J where V is a parameter, of mJ where it is a value (so the mean is taken once)',
    ...keys.map((key) => {
      const own = entries.filter((entry) => entry.key === key);
      return own[0]!.text([...new Set(own.map(({ value }) => value))]);
    }),
    ...(weighted ? ["w: the weight of each example's class"] : []),
    ...(l2 > 0 ? [`λ = ${l2}; in its terms m is the size of the training part`] : []),
  ];
}
