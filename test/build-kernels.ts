import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Compiles the kernels before the tests, where their sources have changed. */
export default function setup(): void {
  execFileSync(process.execPath, [fileURLToPath(new URL('../scripts/build-kernels.mjs', import.meta.url))], { stdio: 'inherit' });
}
