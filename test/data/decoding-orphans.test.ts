import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ownFile } from '../../src/own-files.ts';
import { bmpOf } from './bmps.ts';

/** Not ended, whether or not somebody has asked how. */
const isThere = async (pid: number) =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(
    (line) => !/\) [ZX] /.test(line),
    () => false,
  );

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(20);
  }
}

test.skipIf(process.platform !== 'linux')(
  'a process that decodes ends soon after its parent, however it ended, in the midst of work (Linux)',
  { timeout: 60_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nn-orphan-'));
    try {
      const long = 11_000; // some seconds
      const small = bmpOf(
        {
          width: 32,
          height: 8,
          bits: 1,
          palette: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        },
        () => 1,
      );
      small.writeInt32LE(long, 18);
      small.writeInt32LE(long, 22);
      const file = join(folder, 'long.bmp');
      await writeFile(file, Buffer.concat([small, Buffer.alloc(Math.ceil(long / 32) * 4 * long)]));
      const decode = `import(${JSON.stringify(ownFile('dist/data/decode.js').href)}).then(({ decodeImage }) => decodeImage(${JSON.stringify(file)}, { imageSize: 8, fit: 'cover' }))`;
      const parent = spawn(process.execPath, ['-e', decode], { stdio: 'ignore' });
      const children = `/proc/${parent.pid}/task/${parent.pid}/children`;
      const child = await until(async () => Number((await readFile(children, 'utf8')).split(' ')[0]) || undefined);
      await sleep(1500); // it has begun, and is far from done
      expect(await isThere(child)).toBe(true);
      parent.kill('SIGKILL');
      await sleep(2000);
      expect(await isThere(child)).toBe(false);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
