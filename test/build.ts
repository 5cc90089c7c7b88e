import { execFileSync } from 'node:child_process';

/** The command line's tests run bin/nn.js, and so dist/: it must be what src/ says. */
export default function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
