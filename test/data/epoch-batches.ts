import { batchOrder } from '../../src/data/batches.ts';

/** The batches of an epoch, as `fit` takes them: indices of examples. */
export function* epochBatches(m: number, length: number, how: Parameters<typeof batchOrder>[2]): Generator<Int32Array> {
  const { order } = batchOrder(m, length, how);
  for (let first = 0; first < m; first += length) yield order.subarray(first, Math.min(m, first + length));
}
