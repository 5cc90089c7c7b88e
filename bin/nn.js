#!/usr/bin/env node
// CommonJS, which the package.json beside it allows: Node 20 loads an ES module on libuv's threads, and fixes their number by that.
const { availableParallelism } = require('node:os');

// Pictures are decoded on those threads, 4 unless told: one for each core, and two that wait for the disk.
process.env['UV_THREADPOOL_SIZE'] ??= String(Math.max(4, availableParallelism() + 2));
require('node:module').enableCompileCache?.(); // of Node 22 and later: a tenth off the start of predict
import('../dist/cli/main.js');
