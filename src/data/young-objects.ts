import { setFlagsFromString } from 'node:v8';

/** Keeps V8's room for young objects as it is. It grows with all that ever outlived a collection, up to 48 MB, and is not given back:
 *  where millions of pictures pass by, it would grow for nothing. bin/nn.js begins so; but with each thread that starts V8 takes
 *  its own rule again, so whoever reads on and on says it again. */
export function keepYoungRoom(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Lets it grow: where pictures are held in memory, 30 MB more are little, and code that makes many objects is quicker with them. */
export function letYoungRoomGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
