import { Worker } from 'node:worker_threads';
import { UserError } from '../errors.ts';
import { decodeBmp } from './bmp.ts';
import { NeedsExclusiveDecoding } from './decode-turns.ts';
import { openHeif } from './heif.ts';
import { inDisplayP3, type OpenedImage, type Operations, openImage, openRaster, operations } from './image.ts';
import { DamagedFile, imageError, refuseSize, sharedRasterPixels } from './image-errors.ts';
import { formatOf } from './image-formats.ts';

/** A process of its own that decodes files, one after another, as its parent asks: src/data/decoding-process.ts starts it, and
 *  ends it where it takes too long. Ctrl-C reaches it too, and is left to the parent, whose number is its one word. */

export type DecodeRequest = {
  [Use in keyof Operations]: { use: Use; file: Uint8Array; how: Parameters<Operations[Use]>[1]; isAlone: boolean };
}[keyof Operations];
export type DecodeReply =
  | { made: unknown }
  | { reason: string; isDamaged: boolean }
  | { isLarge: true }
  /** what this process could not have, which says nothing of the file */
  | { lacking: string };

process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL')); // the parent is gone: nobody wants the rest
watchParent();
process.on('message', async (request: DecodeRequest) => {
  const made = await reply(request);
  process.send!(made, undefined, undefined, () => {}); // a parent that died meanwhile hears nothing, and `disconnect` ends this process
});

/** Ends this process with its parent also while it decodes without a look at its messages. */
function watchParent(): void {
  const watch = `
    const parent = Number(require('node:worker_threads').workerData);
    setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 500);`;
  new Worker(watch, { eval: true, workerData: process.argv[2] }).unref();
}

async function reply({ use, file, how, isAlone }: DecodeRequest): Promise<DecodeReply> {
  try {
    const opened = await open(file, isAlone);
    return { made: use === 'decode' ? await operations.decode(opened, how) : await operations.inspect(opened, how) };
  } catch (error) {
    if (error instanceof NeedsExclusiveDecoding) return { isLarge: true };
    const told = imageError(error, file);
    if (!(told instanceof UserError) || told.kind !== 'data') return { lacking: told.message };
    return { reason: told.message, isDamaged: told instanceof DamagedFile };
  }
}

async function open(file: Uint8Array, isAlone: boolean): Promise<OpenedImage> {
  const format = formatOf(file)?.name;
  const facts = { format: format!, bytes: file.length };
  const check = (width: number, height: number) => refuseSize(width, height, isAlone, sharedRasterPixels);
  if (format === 'bmp') return openRaster(decodeBmp(file, check), { ...facts, turned: false });
  if (format !== 'heif') return openImage(file, isAlone);
  const { raster, turned, colourSpace } = openHeif(file, check);
  if (!raster) file.set(Buffer.from('avif'), 8); // sharp knows few major brands, and looks at no others
  const opened = raster ? openRaster(raster, { ...facts, turned }) : { ...(await openImage(file, isAlone)), turned };
  return colourSpace === 'p3' ? { ...opened, image: await inDisplayP3(opened.image) } : opened;
}
