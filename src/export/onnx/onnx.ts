import { UserError } from '../../errors.ts';
import { bufferLength } from '../../nn/network.ts';
import { byteText } from '../../text.ts';
import { requirePixels } from '../carried.ts';
import { damaged, describe, readDescription } from '../description.ts';
import type { ExportFormat } from '../export-format.ts';
import { answerOf, compareAnswers } from '../test-pictures.ts';
import { graphOf } from './graph.ts';
import { encodeModel, readMetadata } from './messages.ts';
import { runModel } from './runtime.ts';

/** The oldest that has every operator as it is used, so that old runtimes take the file too. */
const opset = 13;
const irVersion = 7;
/** Protocol buffers have no larger messages. */
const mostBytes = 2 ** 31 - 1;
/** Beside numbers: nodes, metadata and pictures. */
const bytesBeside = 2 ** 23;

/** A file of ONNX: images (n, side, side, 3) of bytes → p (n), logit (n). What describes it, the test pictures and their answers are metadata. */
export const onnx: ExportFormat = {
  summary: 'ONNX, for runtimes on servers, phones and in browsers; images of bytes go in, p and the logit come out',
  extension: '.onnx',
  // the version of the format stands first, as nn writes it
  recognizes: ([tag, version = 0]) => tag === 8 && version >= 3 && version < 32,
  precision: 'float32',

  async write(model) {
    const { classifier, pictures } = model;
    const bytes = 4 * bufferLength(classifier.parameters.specs) + pictures.pixels.length * (4 / 3) + bytesBeside;
    if (bytes > mostBytes) {
      throw new UserError(
        'usage',
        `--format onnx: expected a model of at most ${byteText(mostBytes)}, found ${byteText(bytes)}`,
        {
          hint: 'Files of ONNX are protocol buffers, which have no more in one piece.',
        },
      );
    }
    const metadata = { ...describe(model, 'float32'), pictures: Buffer.from(pictures.pixels).toString('base64') };
    const { positive, negative } = classifier.classes;
    const { imageSize } = classifier.preprocessing;
    return encodeModel({
      irVersion,
      producerName: 'cat-nn',
      producerVersion: model.version,
      docString: `${positive} against ${negative}: images of ${imageSize} × ${imageSize} in RGB go in as bytes; p is that of ${positive}, from above ${classifier.threshold} on`,
      graph: graphOf(classifier),
      opsetImport: { domain: '', version: opset },
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value: textOf(value) })),
    });
  },

  async check(bytes, file) {
    const metadata = metadataOf(bytes, file);
    const values = Object.fromEntries([...metadata].map(([key, text]) => [key, parsed(text)]));
    const description = await readDescription(values, file);
    const pixels = new Uint8Array(Buffer.from(metadata.get('pictures') ?? '', 'base64'));
    requirePixels(pixels, description, file);
    const { p, logit } = await runModel(bytes, { pixels, side: description.preprocessing.imageSize, file });
    const found = Array.from(p, (one, i) => answerOf(description, { p: one, logit: logit[i]! }));
    return compareAnswers(description, found);
  },
};

/** @throws UserError (model) where it is no file of ONNX */
function metadataOf(bytes: Uint8Array, file: string): Map<string, string> {
  try {
    return readMetadata(bytes);
  } catch (error) {
    throw damaged(file, 'expected a file of ONNX, found one that is cut off or damaged', error);
  }
}

/** Texts stand as they are, all else as JSON. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
