import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { isOutOfFiles, isOutOfMemory, UserError } from './errors.ts';
import { byteTexts } from './text.ts';

/** Bytes that this process may have: the machine's, or fewer where a container is given fewer. What other programs take of it at
 *  the moment does not count: whether a training is refused must not depend on that. */
export function machineMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}

/** Bytes of addresses that this process may still take, where a limit on them holds (ulimit -v); else Infinity. V8 and WebAssembly reserve far
 *  more of them than they ever use as memory, and where they find none the system ends the process.
 *  @see man 5 proc, /proc/pid/limits and /proc/pid/status */
export function addressesLeft(): number {
  try {
    const [, limit] = /^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    const [, used = '0'] = /^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
    return Number(limit) - Number(used) * 1024;
  } catch {
    return Number.POSITIVE_INFINITY; // a system that does not say
  }
}

/** @param bytes  of addresses that are wanted for something: better a word now than a signal later
 *  @throws UserError (usage) where a limit leaves fewer */
export function requireAddresses(bytes: number, what: string): void {
  const left = addressesLeft();
  if (left >= bytes) return;
  const [wanted, found] = byteTexts(bytes, Math.max(0, left));
  throw new UserError('usage', `expected ${wanted} of addresses for ${what}, found ${found} within the limit`, {
    hint: addressHint,
  });
}

/** Addresses for sharp, and for each thread that it works on: measured, since where it finds fewer a signal ends the process. */
const [sharpAddresses, threadAddresses] = [1.3e9, 0.15e9];

/** @throws UserError (usage) where this process, or one that it starts, would find too few addresses to decode with */
export function requireDecoding(): void {
  requireAddresses(sharpAddresses + threadAddresses * Number(process.env['UV_THREADPOOL_SIZE'] ?? 4), 'decoding pictures');
}

/** What helps where addresses are limited. */
export const addressHint =
  'Addresses are not memory: raise their limit (ulimit -v unlimited), and limit memory by a container if at all.';

/** Memory, addresses or files that can't be had are no fault of the program.
 *  @returns the error that says so, or the same one */
export function withinLimits(error: unknown): unknown {
  if (isOutOfMemory(error)) {
    const smaller = 'Take smaller layers (model.layers), a smaller training.batchSize or data.imageSize.';
    const hint = addressesLeft() < Number.POSITIVE_INFINITY ? addressHint : smaller;
    return new UserError('usage', `expected more memory than the system gives, found: ${(error as Error).message}`, {
      hint,
      cause: error,
    });
  }
  if (!isOutOfFiles(error)) return error;
  return new UserError('usage', 'expected to have more files open at once than the system lets this process', {
    hint: 'Raise the limit: ulimit -n 1024',
    cause: error,
  });
}
