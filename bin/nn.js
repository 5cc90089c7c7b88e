#!/usr/bin/env node
// CommonJS, which the package.json beside it allows: Node 20 loads an ES module on libuv's threads, and fixes their number by that.
const { availableParallelism } = require('node:os');

// Pictures are decoded on those threads, 4 unless told: one for each core, and two that wait for the disk.
process.env['UV_THREADPOOL_SIZE'] ??= String(Math.max(4, availableParallelism() + 2));
// V8's room for young objects grows with all that ever outlived a collection, up to 48 MB, and is not given back. Where millions of
// pictures pass by, it would grow for nothing; where they are held in memory it may (src/data/pixels.ts).
require('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
require('node:module').enableCompileCache?.(); // of Node 22 and later: a tenth off the start of predict
import('../dist/bundle/nn.js').catch((error) => {
  if (error.code !== 'EMFILE') throw error;
  process.stderr.write(
    'nn: expected to have more files open at once than the system lets this process\nRaise the limit: ulimit -n 1024\n',
  );
  process.exitCode = 2;
});
