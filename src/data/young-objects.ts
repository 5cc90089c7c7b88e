import { setFlagsFromString } from 'node:v8';

/** Keeps V8's room for young objects as it is. It grows with all that ever outlived a collection, up to 48 MB, and is never given
 *  back; where millions of pictures pass by, each piece is garbage when the next one comes, and that room would grow for nothing. */
export function keepYoungRoom(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
