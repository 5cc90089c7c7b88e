import { ChildProcess } from 'node:child_process';
import { type Mock, vi } from 'vitest';

/** What `fork` returns where no file can be opened any more: a child that never began, without a channel and so without `send`.
 *  Its `kill` is watched: the system would take its number, 0, for the group of this very process. */
export function unborn(): { child: ChildProcess; kill: Mock } {
  const child = new (ChildProcess as unknown as new () => ChildProcess)();
  const kill = vi.fn();
  const error = Object.assign(new Error('spawn node EMFILE'), { code: 'EMFILE', syscall: 'spawn node' });
  process.nextTick(() => child.emit('error', error));
  return { child: Object.assign(child, { kill }), kill };
}
