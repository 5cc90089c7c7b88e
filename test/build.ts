import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The command line's tests run bin/nn.js, and so dist/: it must be what src/ says. They share a cache of decoded pictures
 *  that is this run's own. @returns what is done after the last test */
export default function build(): () => void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  const cache = mkdtempSync(join(tmpdir(), 'nn-test-cache-'));
  process.env['NN_CACHE'] = cache;
  return () => rmSync(cache, { recursive: true, force: true });
}
