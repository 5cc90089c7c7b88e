import type { LossName } from '../model/losses.ts';
import { type Layer, layerInputs, type Network } from '../model/network.ts';
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
  const layerParameters = network.layers.map((_, l) => sum(draft.nodes.filter(({ layer }) => layer === l + 1)));
  return {
    ...draft,
    sizes: [network.inputs, ...network.layers.map(({ units }) => units)],
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

/** What a layer's steps are called. */
interface Names {
  /** what goes into the activation: Z[l], or Ẑ[l] after batch norm */
  z: Step;
  /** what the activation gives: A[l], or Ŷ */
  a: Step;
  /** what leaves the layer: A[l], or Ã[l] after dropout */
  out: Step;
}
interface Step {
  id: string;
  name: string;
}

function namesOf({ layers }: Network, l: number): Names {
  const { batchNorm, keepProb } = layers[l]!;
  const n = l + 1;
  const a = n === layers.length ? { id: 'Yhat', name: 'Ŷ' } : { id: `A${n}`, name: `A[${n}]` };
  return {
    z: batchNorm ? { id: `Zhat${n}`, name: `Ẑ[${n}]` } : { id: `Z${n}`, name: `Z[${n}]` },
    a,
    out: keepProb < 1 ? { id: `Adrop${n}`, name: `Ã[${n}]` } : a,
  };
}

/** What goes into layer l. */
function below(network: Network, l: number): Step {
  return l === 0 ? { id: 'X', name: 'X' } : namesOf(network, l - 1).out;
}

function addForward(draft: Draft, network: Network, { loss, l2, weighted }: CostOptions): void {
  const value = (given: Given, from: readonly string[]) => add(draft, 'forward', given, from);
  add(draft, 'forward', { id: 'X', name: 'X', kind: 'data', shape: [network.inputs, 'm'] });
  for (const l of network.layers.keys()) addForwardLayer(draft, network, l);
  add(draft, 'forward', { id: 'Y', name: 'Y', kind: 'data', shape: [1, 'm'], of: 'L' });
  value({ id: 'L', name: 'L', shape: [1, 'm'], formula: lossFormulas[loss].value }, ['Yhat', 'Y']);
  const weights = network.layers.map((_, l) => `W${l + 1}`);
  if (l2 > 0) value({ id: 'R', name: 'R', shape: [1, 1], formula: '(λ/2m) Σ ‖W[l]‖²', of: 'J' }, weights);
  const formula = `(1/m) Σ ${weighted ? 'w ∘ ' : ''}L${l2 > 0 ? ' + R' : ''}`;
  value({ id: 'J', name: 'J', shape: [1, 1], formula }, l2 > 0 ? ['L', 'R'] : ['L']);
}

function addForwardLayer(draft: Draft, network: Network, l: number): void {
  const { units, activation, keepProb, batchNorm } = network.layers[l]!;
  const layer = l + 1;
  const shape = [units, 'm'] as const;
  const { z, a, out } = namesOf(network, l);
  const input = below(network, l);
  const parameter = (letter: string, columns: number, of: string) =>
    add(draft, 'forward', {
      id: `${parameterIds[letter] ?? letter}${layer}`,
      name: `${letter}[${layer}]`,
      kind: 'parameter',
      layer,
      shape: [units, columns],
      parameters: units * columns,
      of,
    });
  const value = (given: Given, from: readonly string[]) => add(draft, 'forward', { layer, ...given }, from);
  parameter('W', layerInputs(network, l), `Z${layer}`);
  if (!batchNorm) parameter('b', 1, `Z${layer}`);
  value(
    { id: `Z${layer}`, name: `Z[${layer}]`, shape, formula: `W[${layer}]·${input.name}${batchNorm ? '' : ` + b[${layer}]`}` },
    [input.id, `W${layer}`, ...(batchNorm ? [] : [`b${layer}`])],
  );
  if (batchNorm) {
    value({ id: `N${layer}`, name: `N[${layer}]`, shape, formula: `(Z[${layer}] − μ[${layer}]) / σ[${layer}]` }, [`Z${layer}`]);
    parameter('γ', 1, z.id);
    parameter('β', 1, z.id);
    value({ ...z, shape, formula: `γ[${layer}] ∘ N[${layer}] + β[${layer}]` }, [`N${layer}`, `gamma${layer}`, `beta${layer}`]);
  }
  value({ ...a, shape, formula: `${layer === network.layers.length ? 'σ' : activation}(${z.name})` }, [z.id]);
  if (out !== a) value({ ...out, shape, formula: `${a.name} ∘ D[${layer}] / ${keepProb}` }, [a.id]);
}

/** Letters that are no word for an id. */
const parameterIds: Record<string, string> = { γ: 'gamma', β: 'beta' };

const lossFormulas: Record<LossName, { value: string; gradient: string }> = {
  crossEntropy: { value: '−Y ln Ŷ − (1 − Y) ln(1 − Ŷ)', gradient: 'Ŷ − Y' },
  squaredError: { value: '½ (Ŷ − Y)²', gradient: '(Ŷ − Y) ∘ Ŷ ∘ (1 − Ŷ)' },
};

function addBackward(draft: Draft, network: Network, cost: CostOptions): void {
  for (let l = network.layers.length - 1; l >= 0; l--) {
    addOutputGradients(draft, network, l, cost);
    addParameterGradients(draft, network, l, cost);
  }
}

/** From what leaves layer l down to what goes into its activation. */
function addOutputGradients(draft: Draft, network: Network, l: number, { loss, weighted }: CostOptions): void {
  const { units, activation, keepProb } = network.layers[l]!;
  const layer = l + 1;
  const { z, a, out } = namesOf(network, l);
  const gradient = (step: Step, formula: string, from: string) =>
    add(draft, 'backward', { ...gradientOf(step), layer, shape: [units, 'm'], formula }, [from]);
  if (layer === network.layers.length) {
    const { gradient: formula } = lossFormulas[loss];
    gradient(z, weighted ? `w ∘ ${formula === 'Ŷ − Y' ? `(${formula})` : formula}` : formula, 'J');
    return;
  }
  gradient(out, `W[${layer + 1}]ᵀ·dZ[${layer + 1}]`, `dZ${layer + 1}`);
  if (out !== a) gradient(a, `d${out.name} ∘ D[${layer}] / ${keepProb}`, `d${out.id}`);
  gradient(z, `d${a.name} ∘ ${activation}′(${z.name})`, `d${a.id}`);
}

/** From what goes into the activation of layer l down to its weights. */
function addParameterGradients(draft: Draft, network: Network, l: number, { l2 }: CostOptions): void {
  const { units, batchNorm }: Layer = network.layers[l]!;
  const layer = l + 1;
  const gradient = (id: string, name: string, columns: number | 'm', formula: string, from: string) =>
    add(draft, 'backward', { ...gradientOf({ id, name }), layer, shape: [units, columns], formula }, [from]);
  const [N, dN, dZ, dZhat] = [`N[${layer}]`, `dN[${layer}]`, `dZ[${layer}]`, `dẐ[${layer}]`];
  if (batchNorm) {
    gradient(`gamma${layer}`, `γ[${layer}]`, 1, `(1/m) Σ ${dZhat} ∘ ${N}`, `dZhat${layer}`);
    gradient(`beta${layer}`, `β[${layer}]`, 1, `(1/m) Σ ${dZhat}`, `dZhat${layer}`);
    gradient(`N${layer}`, N, 'm', `γ[${layer}] ∘ ${dZhat}`, `dZhat${layer}`);
    gradient(`Z${layer}`, `Z[${layer}]`, 'm', `(${dN} − mean ${dN} − ${N} ∘ mean(${dN} ∘ ${N})) / σ[${layer}]`, `dN${layer}`);
  }
  const decay = l2 > 0 ? ` + (λ/m) W[${layer}]` : '';
  gradient(`W${layer}`, `W[${layer}]`, layerInputs(network, l), `(1/m) ${dZ}·${below(network, l).name}ᵀ${decay}`, `dZ${layer}`);
  if (!batchNorm) gradient(`b${layer}`, `b[${layer}]`, 1, `(1/m) Σ ${dZ}`, `dZ${layer}`);
}

function gradientOf({ id, name }: Step): Pick<GraphNode, 'id' | 'name' | 'of'> {
  return { id: `d${id}`, name: `d${name}`, of: id };
}

function legendOf({ layers }: Network, { l2, weighted }: CostOptions): string[] {
  const slopes = new Set(layers.flatMap(({ activation, slope }) => (activation === 'leakyRelu' ? [slope] : [])));
  return [
    'm: the examples of a batch; ∘: entry by entry',
    'dV: the gradient of J where V is a parameter, of mJ where it is a value (so the mean is taken once)',
    ...(slopes.size > 0 ? [`leakyRelu: z where z > 0, else ${[...slopes].join(' or ')} z`] : []),
    ...(layers.some(({ batchNorm }) => batchNorm)
      ? ['μ, σ: mean and √(variance + ε) of each unit over the batch; outside training their moving averages']
      : []),
    ...(layers.some(({ keepProb }) => keepProb < 1)
      ? ['D: 1 where dropout keeps a unit, else 0, drawn anew each step; all 1, and not divided by, outside training']
      : []),
    ...(weighted ? ["w: the weight of each example's class"] : []),
    ...(l2 > 0 ? [`λ = ${l2}; in its terms m is the size of the training part`] : []),
  ];
}
