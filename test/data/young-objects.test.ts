import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../cli/pictures.ts';

/** Packs pictures in a process of its own, whose heap has seen nothing else. @returns MB of V8's room for young objects */
function packedIn(folder: string, count: number): number {
  const dist = (name: string) => JSON.stringify(new URL(`../../dist/data/${name}.js`, import.meta.url).href);
  const code = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { packSource } from ${dist('packed/write')};
    import { contentHash } from ${dist('hash')};
    const pixelsOf = (i) => new Uint8Array(48).fill(i % 256);
    const source = {
      title: 'shades', count: ${count}, classes: ['cat', 'noncat'], notes: [],
      name: (i) => 'shade ' + i, classOf: (i) => i % 2,
      read: async (i) => ({ pixels: pixelsOf(i), hash: contentHash(pixelsOf(i)) }),
    };
    const rest = { positive: undefined, description: 'shades', order: 'source', force: true, strict: true };
    await packSource(source, { path: ${JSON.stringify(join(folder, 'shades.safetensors'))}, preprocessing: { imageSize: 4, fit: 'cover' }, ...rest });
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }));
}

test('a packing does not make the room for young objects larger, however long it is', async () => {
  const folder = await temporaryFolder();
  expect(packedIn(folder, 30_000)).toBeLessThanOrEqual(packedIn(folder, 300) + 1);
  await rm(folder, { recursive: true });
});
