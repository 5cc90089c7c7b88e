import { setFlagsFromString } from 'node:v8';

/** Lets V8's room for young objects grow again, which bin/nn.js keeps small: where pictures are held in memory, 30 MB more are
 *  little, and code that makes many objects is quicker with them. */
export function letYoungRoomGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
