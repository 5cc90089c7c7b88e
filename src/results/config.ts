import { z } from 'zod';
import { classes, count, warnings } from './metrics.ts';

/** The object of `nn config init --json`. */
export const firstConfigResult = z.object({
  out: z.string().nullable().describe('the file that was written; null without --out'),
  source: z.string().describe('what was looked at'),
  pictures: count.describe('that can be read, copies of one counted once'),
  copies: count.describe('of pictures, beyond the first of each'),
  classes,
  config: z.looseObject({}).describe('the config'),
  choices: z
    .array(
      z.object({
        field: z.string().describe('of the config'),
        value: z.json().describe('what it holds'),
        reason: z.string().describe('why'),
        isDefault: z.boolean().describe('it is so where nothing is written, and is not'),
      }),
    )
    .describe('in the order of the fields'),
  warnings,
});
export type FirstConfigResult = z.infer<typeof firstConfigResult>;

/** The object of `nn config schema --out FILE --json`. */
export const schemaWritten = z.object({ out: z.string().describe('the file that was written') });

/** The object of `nn completion --json`. */
export const completionResult = z.object({
  shell: z.string().describe('that the script is for'),
  script: z.string().describe('what that shell is to read'),
});
