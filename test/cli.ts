import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export const binPath = fileURLToPath(new URL('../bin/nn.js', import.meta.url));
export const configsPath = fileURLToPath(new URL('../configs', import.meta.url));

/** Runs `nn` as a user types it.
 *  @param options.input   standard input
 *  @param options.kill    a signal, and the text on stderr or stdout after which it is sent */
export function nn(
  words: readonly string[],
  options: {
    cwd: string;
    env?: Record<string, string>;
    input?: Uint8Array | string;
    kill?: { signal: NodeJS.Signals; after: RegExp };
  },
): Promise<Finished> {
  const { NN_RUNS: _, NN_MODEL: __, FORCE_COLOR: ___, ...clean } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [binPath, ...words], { cwd: options.cwd, env: { ...clean, ...options.env } });
    let stdout = '';
    let stderr = '';
    let killed = false;
    const watch = () => {
      if (!killed && options.kill?.after.test(stdout + stderr)) {
        killed = true;
        child.kill(options.kill.signal);
      }
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      watch();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      watch();
    });
    child.on('error', reject);
    child.stdin.on('error', () => {}); // a command that reads no stdin may end before it is written
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    child.stdin.end(options.input ?? '');
  });
}
