import { isOutOfFiles, isOutOfMemory, systemReason, UserError } from '../errors.ts';
import { grouped } from '../grouped.ts';
import { addressesLeft } from '../machine-memory.ts';
import { DamagedFile } from './damaged.ts';
import { otherFormatOf } from './image-formats.ts';
import { maximumPixels } from './image-traps.ts';

/** What to say of a file that could not be decoded, on one line, without the path that the caller names anyway.
 *  @returns a DamagedFile where it is damaged: all else may be sound, and be read elsewhere */
export function imageError(error: unknown, file: Uint8Array): Error {
  // a file may ask for more memory than there is; but within a limit on addresses, or on open files, it is not to blame
  const isLimit = isOutOfFiles(error) || (isOutOfMemory(error) && addressesLeft() < Number.POSITIVE_INFINITY);
  if (error instanceof UserError || isLimit) return error as Error;
  if ((error as NodeJS.ErrnoException).code?.startsWith('E')) return new UserError('data', systemReason(error), { cause: error });
  const lines = (error instanceof Error ? error.message : String(error)).split('\n').map((line) => line.trim());
  const text = [...new Set(lines)].filter((line) => line !== '' && !/bad seek to \d+$/.test(line)).join('; ');
  const known = reasons.find(([pattern]) => pattern.test(text));
  return known ? known[1](text, file) : new DamagedFile(text, error);
}

const saveAs = 'save it as JPEG or PNG';

/** Of libvips and the libraries under it. */
const reasons: [RegExp, (text: string, file: Uint8Array) => UserError][] = [
  [/unsupported image format/i, (_, file) => unknownFormat(file)],
  [/Input Buffer is empty/i, () => new DamagedFile('the file is empty')],
  [/premature end of JPEG|libpng read error|Unexpected end of/i, () => new DamagedFile('the file is cut off or damaged')],
  [/exceeds pixel limit/i, () => new UserError('data', `more than ${grouped(maximumPixels)} pixels`)],
  [
    /not been built in|unsupported|not supported|not configured|not implemented|can not handle|no known route|channel limit/i,
    (text) => new UserError('data', `of a kind that can't be decoded (${text}): ${saveAs}`),
  ],
];

function unknownFormat(file: Uint8Array): UserError {
  const other = otherFormatOf(file);
  if (other !== undefined) return new UserError('data', `${other}, which nn can't decode: ${saveAs}`);
  return new DamagedFile('not a picture in a format that can be read');
}
