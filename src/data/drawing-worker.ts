import { UserError } from '../errors.ts';
import { decodeHere, lookHere } from './image.ts';

/** A process of its own that draws SVG files, one after another, as its parent asks: src/data/drawing-process.ts starts it, and
 *  ends it where it takes too long. Ctrl-C reaches it too, and is left to the parent. */

const drawing = { decode: decodeHere, look: lookHere };
export type Drawing = typeof drawing;

export type Request = {
  [Call in keyof Drawing]: { call: Call; file: Uint8Array; how: Parameters<Drawing[Call]>[1] };
}[keyof Drawing];
export type Reply = { drawn: unknown } | { reason: string };

process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL')); // the parent is gone: nobody wants the rest
process.on('message', async (request: Request) => process.send!(await reply(request)));

async function reply(request: Request): Promise<Reply> {
  try {
    const { call, file, how } = request;
    return { drawn: call === 'decode' ? await drawing.decode(file, how) : await drawing.look(file, how) };
  } catch (error) {
    return { reason: error instanceof UserError ? error.message : String(error) };
  }
}
