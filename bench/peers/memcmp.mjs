// Reads memory as the C library compares it: two halves of the bytes, which are equal, each thread its share.
import { Worker } from 'node:worker_threads';
import { answerLines } from '../answer.mjs';

const threads = Number(process.argv[2]);
const program = `
  const { parentPort, workerData } = require('node:worker_threads');
  const [one, other] = [1, 1].map((value) => Buffer.alloc(workerData / 2, value));
  parentPort.on('message', () => parentPort.postMessage(Buffer.compare(one, other)));
  parentPort.postMessage('ready');
`;

await answerLines(`memcmp, Node ${process.version}`, async ({ bytes }) => {
  const workers = Array.from({ length: threads }, () => new Worker(program, { eval: true, workerData: bytes / threads }));
  const answer = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await Promise.all(workers.map(answer));
  return {
    run: () =>
      Promise.all(
        workers.map((worker) => {
          const answered = answer(worker);
          worker.postMessage('go');
          return answered;
        }),
      ),
    check: (orders) => [orders.every((order) => order === 0) ? 1 : 0],
  };
});
