import { extname } from 'node:path';
import { UserError } from '../errors.ts';
import { type ExportFormat, recognizedBytes } from './export-format.ts';
import { html } from './html.ts';
import { json } from './json.ts';
import { npz } from './npz.ts';
import { onnx } from './onnx/onnx.ts';

/** Every format of `nn export`. */
export const exportFormats = { onnx, npz, json, html } satisfies Record<string, ExportFormat>;
export type ExportFormatName = keyof typeof exportFormats;
export const exportFormatNames = Object.keys(exportFormats) as ExportFormatName[];

const formatOf = (name: ExportFormatName): ExportFormat => exportFormats[name];
const extensions = exportFormatNames.map((name) => formatOf(name).extension);

/** The format that a file name means by its ending, which that of a named one has to be: so nothing of another kind is overwritten.
 *  @throws UserError (usage) where there is none, or it is another's */
export function formatFor(out: string, named: ExportFormatName | undefined): ExportFormatName {
  const own = extname(out).toLowerCase();
  const found = exportFormatNames.find((name) => formatOf(name).extension === own);
  if (found !== undefined && (named === undefined || named === found)) return found;
  const wanted = named === undefined ? extensions.join(', ') : formatOf(named).extension;
  throw new UserError('usage', `--out: expected a file ending in ${wanted}, found ${out}`);
}

/** The format of a file by its first bytes. @throws UserError (model) where it is none of them */
export function recognizeFormat(bytes: Uint8Array, file: string): ExportFormatName {
  const start = bytes.subarray(0, recognizedBytes);
  const found = exportFormatNames.find((name) => formatOf(name).recognizes(start));
  if (found !== undefined) return found;
  throw new UserError('model', `${file}: expected a file of nn export (${exportFormatNames.join(', ')}), found another`, {
    hint: 'nn export --out FILE writes one.',
  });
}
