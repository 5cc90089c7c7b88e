/** The kernels for one thread with a memory of its own, where memory can't be shared: in a page that comes from a file. The same sources without
 *  what waits for threads, and so the same bits. */
export { callOffset, controlBytes, roomBytes, run, splitBytes } from './threads';
