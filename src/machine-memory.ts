import { totalmem } from 'node:os';

/** Bytes that this process may have: the machine's, or fewer where a container is given fewer. What other programs take of it at
 *  the moment does not count: whether a training is refused must not depend on that. */
export function machineMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}
