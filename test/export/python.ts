import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Debian's Python, which has Debian's packages. */
const debian = '/usr/bin/python3';
const imports = (modules: string) => existsSync(debian) && spawnSync(debian, ['-c', `import ${modules}`]).status === 0;

/** Each is null where it can't import what it is for. */
export const onnxPython = imports('onnx') ? debian : null;
export const picturePython = imports('numpy, PIL') ? debian : null;
