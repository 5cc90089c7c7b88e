import { isRecord } from '../checks.ts';
import { UserError } from '../errors.ts';
import { type Floats, precisions } from '../kernels/kernels.ts';
import type { ExportDescription } from '../results/export.ts';
import { tensorsOf } from '../run/model-file.ts';
import type { Tensor } from '../run/tensor-file.ts';
import { grouped } from '../text.ts';
import { checkCarried } from './carried.ts';
import { damaged, describe, parseJson, readDescription } from './description.ts';
import type { ExportFormat } from './export-format.ts';

/** More are no text that programs read in one piece: Node has no strings of more than 512 MiB. */
const mostNumbers = 2e7;

/** One JSON object: the description, then each tensor as a list of its rows, then the test pictures as base64. */
export const json: ExportFormat = {
  summary: 'one JSON object with all numbers as text, for any language',
  extension: '.json',
  recognizes: (start) => start[0] === '{'.charCodeAt(0),

  async write(model) {
    const tensors = Object.entries(tensorsOf(model.classifier));
    const numbers = tensors.reduce((sum, [, { data }]) => sum + data.length, 0);
    if (numbers > mostNumbers) {
      const found = `${grouped(mostNumbers)} numbers, found ${grouped(numbers)}`;
      throw new UserError('usage', `--format json: expected a model of at most ${found}`, {
        hint: 'Take --format npz or onnx, which hold them in a third of the bytes.',
      });
    }
    const start = JSON.stringify(describe(model), null, 1).slice(0, -'\n}'.length);
    const pieces = [start, ',\n "tensors": {\n'];
    for (const [index, [name, { shape, data }]] of tensors.entries()) {
      const [rows, columns] = shape as [number, number];
      pieces.push(`${index === 0 ? '' : ',\n'}  ${JSON.stringify(name)}: [`);
      for (let row = 0; row < rows; row++) {
        pieces.push(row === 0 ? '[' : ',[', numberTexts(data as Floats, row * columns, columns), ']');
      }
      pieces.push(']');
    }
    const pictures = Buffer.from(model.pictures.pixels).toString('base64');
    pieces.push(`\n },\n "pictures": ${JSON.stringify(pictures)}\n}\n`);
    return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
  },

  async check(bytes, file) {
    const value = parseJson(bytes, file);
    const description = await readDescription(value, file);
    if (!isRecord(value) || !isRecord(value['tensors']) || typeof value['pictures'] !== 'string')
      throw damaged(file, 'expected tensors and pictures, found none');
    const own = precisions[description.precision];
    const tensors = Object.fromEntries(
      Object.entries(value['tensors']).map(([name, rows]) => [
        name,
        tensorFrom(rows, name.startsWith('input.') ? Float64Array : own, `${file}: ${name}`),
      ]),
    );
    return checkCarried({ description, tensors, pixels: Buffer.from(value['pictures'], 'base64') }, file);
  },
};

/** Numbers as JSON of which the same numbers can be made again: nine digits tell any two of float32 apart. */
function numberTexts(data: Floats, first: number, count: number): string {
  const isSingle = data instanceof Float32Array;
  const texts: string[] = new Array(count);
  for (let i = 0; i < count; i++) {
    const value = data[first + i]!;
    texts[i] = Object.is(value, -0) ? '-0' : String(isSingle ? Number(value.toPrecision(9)) : value);
  }
  return texts.join(',');
}

/** A tensor from the list of its rows. @throws UserError (model) where it is none */
function tensorFrom(rows: unknown, Kind: (typeof precisions)[ExportDescription['precision']], where: string): Tensor {
  const isRow = (row: unknown): row is number[] => Array.isArray(row) && row.every((value) => typeof value === 'number');
  if (!Array.isArray(rows) || !rows.every(isRow)) throw damaged(where, 'expected rows of numbers, found something else');
  const columns = rows[0]?.length ?? 0;
  if (rows.some(({ length }) => length !== columns)) throw damaged(where, 'expected rows of one length, found several');
  const data = new Kind(rows.length * columns);
  for (const [at, row] of rows.entries()) data.set(row, at * columns);
  return { shape: [rows.length, columns], data };
}
