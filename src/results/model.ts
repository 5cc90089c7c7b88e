import { z } from 'zod';
import { abstention, classes, count, parameters } from './metrics.ts';

const gradientOfLayer = z.object({
  layer: count.describe('1 for the first'),
  tensors: z.string().describe('names of its tensors'),
  difference: z.number().describe('‖g − ĝ‖ / (‖g‖ + ‖ĝ‖)'),
  checked: count.describe('parameters'),
  skipped: count.describe('parameters at a point where the cost has no derivative'),
  withinError: z.boolean().describe('whether the difference is as small as rounding lets one see'),
  right: z.boolean().describe('whether the gradient is right'),
});
export type GradientOfLayer = z.infer<typeof gradientOfLayer>;

/** The object of `nn gradient-check --json`. */
export const gradientCheck = z.object({
  rightBelow: z.number().describe('a difference below this is right'),
  layers: z.array(gradientOfLayer).describe('from the first'),
});

const pass = z.enum(['forward', 'backward']).describe('of the computation');
export type Pass = z.infer<typeof pass>;
const nodeKind = z.enum(['data', 'parameter', 'value', 'gradient']).describe('what the node is');
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
    .array(z.object({ from: z.string().describe('an id'), to: z.string().describe('an id'), pass }))
    .describe('within a pass; the backward formulas take forward values too, which are kept and not drawn'),
  sizes: z.array(count).describe('n_x, n_1 … n_L'),
  layerParameters: z.array(count).describe('one count a layer'),
  parameters,
  legend: z.array(z.string()).describe('what the letters mean that no node explains'),
});
export type Graph = z.infer<typeof graph>;

/** The object of `nn model show --json`. */
export const modelDescription = z.object({
  model: z.string().describe('the model file'),
  parameters,
  precision: z.enum(['float32', 'float64']).describe('of its numbers'),
  preprocessing: z
    .object({ imageSize: count.describe('side of the square'), fit: z.string().describe('how a picture becomes one') })
    .describe('how pictures become pixels'),
  normalize: z.string().describe('how pixels become inputs'),
  classes,
  threshold: z.number().describe('p above it is positive'),
  averageMirrored: z
    .boolean()
    .optional()
    .describe('whether p is the mean of that of the picture and of its mirror image; absent where not'),
  temperature: z.number().optional().describe('T: p = σ(z / T); absent where it is not calibrated'),
  abstention: abstention.nullable().describe('of `nn predict --abstain`; null in a model of an older version'),
  loss: z.string().describe('that it was trained with'),
  network: z
    .object({
      inputs: count.describe('n_x'),
      layers: z
        .array(
          z
            .looseObject({
              activation: z.string().optional().describe('its name; absent, as what follows, in a layer without weights'),
              slope: z.number().optional().describe('of leakyRelu, for z < 0'),
              init: z
                .object({ name: z.string().describe('of the initialiser'), factor: z.number().describe('of random') })
                .optional()
                .describe('how its first weights were drawn'),
              keepProb: z.number().optional().describe('the share of units that dropout keeps; 1 is none'),
              batchNorm: z.boolean().optional().describe('whether it has batch norm'),
            })
            .describe('and its type, where it is not dense, and its own sizes, such as units: n_l'),
        )
        .readonly()
        .describe('1 … L'),
    })
    .describe('its layers'),
  tensors: z
    .array(
      z.object({
        name: z.string().describe('such as W1'),
        shape: z.array(count).readonly().describe('rows and columns'),
        norm: z.number().describe('‖·‖'),
      }),
    )
    .describe('of the file'),
});
export type ModelDescription = z.infer<typeof modelDescription>;

/** What every command prints with --json where it fails. */
export const failure = z.object({
  error: z
    .object({
      code: count.describe('the exit code'),
      message: z.string().describe('what went wrong'),
      hint: z.string().nullable().describe('what to do'),
    })
    .describe('why it failed'),
});
