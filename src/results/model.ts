import { z } from 'zod';
import { count } from './metrics.ts';

const gradientOfLayer = z.object({
  layer: count.describe('1 for the first'),
  tensors: z.string(),
  difference: z.number().describe('‖g − ĝ‖ / (‖g‖ + ‖ĝ‖)'),
  checked: count,
  skipped: count.describe('parameters at a point where the cost has no derivative'),
  withinError: z.boolean().describe('whether the difference is as small as rounding lets one see'),
  right: z.boolean(),
});
export type GradientOfLayer = z.infer<typeof gradientOfLayer>;

/** The object of `nn gradient-check --json`. */
export const gradientCheck = z.object({ rightBelow: z.number(), layers: z.array(gradientOfLayer) });

const pass = z.enum(['forward', 'backward']);
export type Pass = z.infer<typeof pass>;
const nodeKind = z.enum(['data', 'parameter', 'value', 'gradient']);
export type NodeKind = z.infer<typeof nodeKind>;

const graphNode = z.object({
  id: z.string().describe('a word, such as Z1 or dZ1'),
  name: z.string().describe('as the course writes it: Z[1]'),
  kind: nodeKind,
  pass,
  layer: count.nullable().describe('1 … L; null before and after the layers'),
  shape: z
    .tuple([count, z.union([count, z.literal('m')])])
    .readonly()
    .describe('rows and columns; m is the number of examples of a batch'),
  formula: z.string().nullable().describe('null for what is given'),
  parameters: count.describe('how many numbers training moves here'),
  of: z.string().nullable().describe('the id of what this is the gradient of, or what this is a parameter of'),
});
export type GraphNode = z.infer<typeof graphNode>;

/** The object of `nn graph --json`. */
export const graph = z.object({
  nodes: z.array(graphNode).describe('in the order in which they are computed: forward, then backward'),
  edges: z
    .array(z.object({ from: z.string(), to: z.string(), pass }))
    .describe('within a pass; the backward formulas take forward values too, which are kept and not drawn'),
  sizes: z.array(count).describe('n_x, n_1 … n_L'),
  layerParameters: z.array(count).describe('one count a layer'),
  parameters: count,
  legend: z.array(z.string()).describe('what the letters mean that no node explains'),
});
export type Graph = z.infer<typeof graph>;

/** The object of `nn model show --json`. */
export const modelDescription = z.object({
  model: z.string().describe('the model file'),
  parameters: count.describe('numbers that training moves'),
  precision: z.enum(['float32', 'float64']),
  preprocessing: z.object({ imageSize: count, fit: z.string() }),
  normalize: z.string(),
  classes: z.object({ positive: z.string(), negative: z.string() }),
  threshold: z.number().describe('p above it is positive'),
  loss: z.string(),
  network: z.object({
    inputs: count.describe('n_x'),
    layers: z
      .array(
        z.object({
          units: count,
          activation: z.string(),
          slope: z.number(),
          init: z.object({ name: z.string(), factor: z.number().describe('of random') }),
          keepProb: z.number(),
          batchNorm: z.boolean(),
        }),
      )
      .readonly(),
  }),
  tensors: z.array(z.object({ name: z.string(), shape: z.array(count).readonly(), norm: z.number() })),
});
export type ModelDescription = z.infer<typeof modelDescription>;

/** What every command prints with --json where it fails. */
export const failure = z.object({
  error: z.object({ code: count.describe('the exit code'), message: z.string(), hint: z.string().nullable() }),
});
