import { z } from 'zod';

const grid = z.array(z.array(z.number()));

/** A line of `nn explain --json`; all that is of the answer is null where the picture could not be read. */
export const explanation = z.object({
  file: z.string().describe('as it was named'),
  label: z.string().nullable().describe('the class that it was given, as `nn predict` says'),
  p: z.number().nullable().describe('of the positive class, as `nn predict` says'),
  logit: z.number().nullable().describe('p = 1 / (1 + e^−logit)'),
  threshold: z.number().describe('p above it is positive'),
  model: z.string().describe('the model file'),
  method: z.enum(['gradient', 'occlusion']).describe('how the map was made'),
  map: grid
    .nullable()
    .describe(
      'a row of numbers for each row of pixels of the square that the network sees: above 0 speaks for the positive class, below 0 against it. ' +
        'gradient: the gradient of the logit times the input, the three colours added up; occlusion: the mean difference of the squares that cover the pixel. ' +
        'It says what this network goes by, not what makes a cat',
    ),
  parts: z.number().nullable().describe('the sum of the map; null with occlusion. logit = parts + bias + remainder'),
  bias: z.number().nullable().describe('the logit where every input is 0, b of logistic regression; null with occlusion'),
  remainder: z
    .number()
    .nullable()
    .describe('logit − parts − bias: 0 up to rounding where the network is linear in its input; null with occlusion'),
  occlusion: z
    .object({
      square: z.number().int().positive().describe('side of the squares that were covered, in pixels'),
      starts: z
        .array(z.number().int().nonnegative())
        .describe('the first row of each row of squares, and the first column of each column'),
      fill: z
        .enum(['training mean', 'black'])
        .describe(
          'what they were covered with: the bytes nearest to 0 after normalisation, which are black where it subtracts no mean',
        ),
      differences: grid.describe('row by row of squares: p of the picture − p of the covered one, as `nn predict` says both'),
      logitDifferences: grid.describe('the same of the logits, which show more where p is near 0 or 1'),
    })
    .nullable()
    .describe('null with another method'),
  out: z.string().nullable().describe('the PNG with --out'),
  error: z.string().nullable().describe('why it could not be read'),
});
export type ExplanationRow = z.infer<typeof explanation>;
