import { exists, readWhole } from '../data/disk.ts';
import { type ExitKind, systemReason, UserError } from '../errors.ts';
import type { ExportFormat } from '../export/export-format.ts';
import { gatherExport } from '../export/exported-model.ts';
import { type ExportFormatName, exportFormatNames, exportFormats, formatFor, recognizeFormat } from '../export/formats.ts';
import { exportCheckText, exportedText } from '../report/export.ts';
import type { ExportCheck, Exported } from '../results/export.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { loadChosenClassifier } from '../run/chosen-model.ts';
import type { Command, Context } from './command.ts';
import { explained, modelOption, wordFlag } from './options.ts';

interface Values {
  model?: string;
  format?: ExportFormatName;
  out?: string;
  check?: string;
  force?: boolean;
}

const summaries = Object.fromEntries(exportFormatNames.map((name) => [name, exportFormats[name].summary]));

export const command: Command<Values> = {
  options: [
    modelOption,
    wordFlag('--format <name>', `${explained(summaries)} (default: by the ending of --out)`, exportFormatNames),
    { flags: '-o, --out <file>', summary: 'the exported file', required: true, unless: 'check' },
    {
      flags: '--check <file>',
      summary: 'ask an exported file for the pictures that it carries: 0 where it answers as nn did, 6 where not',
      conflicts: ['out', 'format', 'model'],
    },
    { flags: '--force', summary: 'overwrite the file' },
    { flags: '--json', summary: 'print what was written, or found, as JSON' },
  ],
  examples: [
    'nn export --out cat.html',
    'nn export --format json --out cat.json',
    'nn export --model runs/mine --out cat.json',
    'nn export --check cat.json',
  ],
  run: (context, { check, ...values }) => (check === undefined ? write(context, values) : checkFile(context, check)),
};

async function write(context: Context, { out = '', format: named, model, force = false }: Values): Promise<undefined> {
  const name = formatFor(out, named);
  const format: ExportFormat = exportFormats[name];
  if (!force && (await exists(out)))
    throw new UserError('usage', `--out: expected a name that is free, found ${out}, which exists`, {
      hint: 'Name another, or overwrite it with --force.',
    });
  const { classifier, file } = await loadChosenClassifier(model, context.environment);
  const bar = context.progress('exporting', 3);
  try {
    bar.update(0, 'test pictures');
    const exported = await gatherExport(classifier, file, (text) => context.warn(text));
    bar.update(1, out);
    const bytes = await format.write(exported);
    bar.update(2);
    await writeFileAtomically(out, bytes);
    const precision = format.precision ?? classifier.precision;
    if (precision !== classifier.precision)
      context.note(`The model is of ${classifier.precision}, the exported file of ${precision}: its answers differ by rounding.`);
    const { classes } = classifier;
    const { quality, pictures } = exported;
    const carried = pictures.answers.length;
    const result: Exported = {
      out,
      format: name,
      model: file,
      bytes: bytes.length,
      precision,
      classes,
      pictures: carried,
      quality,
    };
    if (context.json) context.print(JSON.stringify(result));
    else context.print(exportedText(result));
  } finally {
    bar.stop();
  }
}

/** An exported file may be as large as a model. */
const maximumBytes = 2 ** 31;

async function checkFile(context: Context, file: string): Promise<ExitKind | undefined> {
  const bytes = await readExport(file);
  const format = recognizeFormat(bytes, file);
  const checked: ExportCheck = { file, format, ...(await exportFormats[format].check(bytes, file)) };
  if (context.json) context.print(JSON.stringify(checked));
  else context.print(exportCheckText(checked));
  return checked.agrees ? undefined : 'gate';
}

/** @throws UserError (model) where it can't be read */
async function readExport(file: string): Promise<Uint8Array> {
  try {
    return await readWhole(file, maximumBytes);
  } catch (error) {
    throw new UserError('model', `${file}: expected an exported file, found: ${systemReason(error)}`, {
      hint: 'nn export --out FILE writes one.',
      cause: error,
    });
  }
}
