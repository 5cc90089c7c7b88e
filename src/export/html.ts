import { readFile } from 'node:fs/promises';
import { createContext, runInContext } from 'node:vm';
import { type Check, fields, isRecord, list, number, text } from '../checks.ts';
import { UserError } from '../errors.ts';
import { ownFile, version } from '../own-files.ts';
import { type Embedded, embeddedId, kernelsWanted } from '../page/embedded.ts';
import { modelPage, pageKind } from '../report/model-page.ts';
import { decodeClassifier, encodeClassifier } from '../run/model-file.ts';
import { damaged } from './description.ts';
import type { ExportFormat } from './export-format.ts';
import { answersOf, compareAnswers } from './test-pictures.ts';

/** A page that answers: the model file and the compiled kernels as base64, and the script that `npm run build` made of src/page. */
export const html: ExportFormat = {
  summary: 'one page for a browser, without a network: it answers for pictures that its reader gives it',
  extension: '.html',
  recognizes: (start) => Buffer.from(start).toString('latin1').includes(` data-kind="${pageKind}"`),

  async write({ classifier, pictures, quality }) {
    const model = encodeClassifier(classifier);
    const embedded: Embedded = {
      nn: version,
      model: base64(model),
      kernels: await ownKernels(classifier.precision),
      pictures: { pixels: base64(pictures.pixels), answers: pictures.answers },
      quality,
    };
    const data = { id: embeddedId, json: JSON.stringify(embedded) };
    return Buffer.from(modelPage({ classifier, quality, version, modelBytes: model.length, data, script: await ownScript() }));
  },

  /** Runs the script of the page in a context of its own, where it finds no document: it must be that of this nn, since what runs here could do anything. */
  async check(bytes, file) {
    const { json, script } = partsOf(Buffer.from(bytes).toString(), file);
    const embedded = readEmbedded(json, file);
    const classifier = decodeClassifier(Buffer.from(embedded.model, 'base64'), file);
    const isOwn =
      script === (await ownScript()) &&
      JSON.stringify(embedded.kernels) === JSON.stringify(await ownKernels(classifier.precision));
    if (!isOwn) throw notOwn(embedded, file);
    const { answers, pixels } = embedded.pictures;
    const expected = answers.length * classifier.network.inputs;
    const found = Buffer.from(pixels, 'base64').length;
    if (found !== expected || expected === 0) throw damaged(file, `expected ${expected} bytes of test pictures, found ${found}`);
    const logits = Float64Array.from(await logitsOfPage(script, json));
    const compared = compareAnswers({ answers, threshold: classifier.threshold, largest: 0 }, answersOf(classifier, logits));
    // to the bit: nothing is rounded otherwise here
    return { ...compared, tolerance: 0, agrees: compared.largestDifferenceLogit === 0 && compared.otherLabels === 0 };
  },
};

const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
const ownScript = () => readFile(ownFile('dist/page/page.js'), 'utf8');

async function ownKernels(precision: Parameters<typeof kernelsWanted>[0]): Promise<Embedded['kernels']> {
  const read = async (name: string) => [name, base64(await readFile(ownFile(`dist/kernels/${name}-alone.wasm`)))] as const;
  return Object.fromEntries(await Promise.all(kernelsWanted(precision).map(read)));
}

/** @throws UserError (model) where a page is not as `write` makes them */
function partsOf(page: string, file: string): { json: string; script: string } {
  const [, json, script] =
    page.match(new RegExp(`<script type="application/json" id="${embeddedId}">(.*)</script>\n<script>(.*)</script>`, 's')) ?? [];
  if (json === undefined || script === undefined) throw damaged(file, 'expected a model and a script, found none');
  return { json, script };
}

/** Base64 as `write` makes it: the page's script refuses letters that Node leaves out. */
const isBase64: Check = (value) => typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value;
const isEmbedded = fields({
  nn: text,
  model: isBase64,
  kernels: isRecord,
  pictures: fields({ pixels: isBase64, answers: list(fields({ p: number, logit: number, label: text })) }),
} satisfies Record<keyof Omit<Embedded, 'quality'>, Check>);

function readEmbedded(json: string, file: string): Embedded {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw damaged(file, 'expected a model in JSON, found something else', error);
  }
  if (!isEmbedded(value)) throw damaged(file, 'expected what nn export wrote, found no sound value in its model');
  return value as Embedded;
}

function notOwn({ nn }: Embedded, file: string): UserError {
  if (nn === version) return damaged(file, 'expected the script and the kernels of this nn, found others');
  return new UserError('usage', `${file}: expected a page of nn ${version}, whose code can be run, found one of nn ${nn}`, {
    hint: `Check it with nn ${nn}, or export the model again. In a browser the page tests itself.`,
  });
}

/** What `carriedLogits` of src/page/browser/main.ts answers. */
function logitsOfPage(script: string, json: string): Promise<number[]> {
  const context = createContext({ atob, TextDecoder, json });
  return runInContext(`${script}\nnnPage.carriedLogits(json)`, context) as Promise<number[]>;
}
