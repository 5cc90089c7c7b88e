import { configJsonSchema, configSchemaText } from '../config/schema.ts';
import type { ExitKind } from '../errors.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import type { Command, Context } from './command.ts';

interface Values {
  out?: string;
}

export const command: Command<Values> = {
  options: [
    { flags: '-o, --out <file>', summary: 'write it there instead of printing it' },
    { flags: '--json', summary: 'print it in one line; with --out, print where it is' },
  ],
  examples: ['nn config schema > schema.json', 'nn config schema --out .vscode/nn.schema.json'],
  run: schema,
};

async function schema(context: Context, { out }: Values): Promise<ExitKind | undefined> {
  if (out === undefined) {
    if (context.json) context.print(JSON.stringify(configJsonSchema()));
    else context.printExact(configSchemaText().trimEnd());
    return undefined;
  }
  await writeFileAtomically(out, configSchemaText());
  if (context.json) context.print(JSON.stringify({ out }));
  else context.printRow([out]);
  return undefined;
}
