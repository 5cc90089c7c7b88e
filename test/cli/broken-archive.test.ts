import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mostFailuresNamed } from '../../src/data/load.ts';
import { type ZipEntry, zipOf } from '../data/archives.ts';
import { scene } from '../data/inspection/pictures.ts';
import { busyJpeg } from '../data/pictures.ts';
import { run, temporaryFolder, writeJson } from './pictures.ts';

/** An archive as they come from the web: most of it broken in the ways of Microsoft's PetImages. */

let folder: string;
const broken: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  const cut = (await busyJpeg()).subarray(0, 900);
  const gif = await scene(90, { width: 40, height: 40 }).gif().toBuffer();
  const kinds: [string, Uint8Array][] = [
    ['empty', new Uint8Array()],
    ['cut', cut],
    ['bitmap', Buffer.from('BM6\0\0\0\0\0\0\0')],
    ['page', Buffer.from('<html>404</html>')],
  ];
  const entries: ZipEntry[] = [
    { name: 'readme[1].txt', data: Buffer.from('read me') },
    { name: 'PetImages/Cat/Thumbs.db', data: Buffer.from([0xd0, 0xcf, 0x11, 0xe0]) },
    { name: 'PetImages/Cat/gif.jpg', data: gif },
  ];
  for (const [c, label] of ['Cat', 'Dog'].entries()) {
    for (let i = 0; i < 8; i++) {
      const data = await scene(2 * i + c)
        .jpeg()
        .toBuffer();
      entries.push({ name: `PetImages/${label}/${i}.jpg`, data });
      for (const [kind, damaged] of kinds) {
        broken.push(`${label}/${kind}-${i}.jpg`);
        entries.push({ name: `PetImages/${label}/${kind}-${i}.jpg`, data: damaged });
      }
    }
  }
  await writeFile(join(folder, 'pets.zip'), zipOf(entries));
  for (const { name, data } of entries) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), data!);
  }
  const source = { type: 'archive', path: 'pets.zip', positive: 'Cat' };
  await writeJson(join(folder, 'c.json'), { data: { source, imageSize: 16 }, training: { epochs: 2 } });
  await run(0, ['train', '-c', 'c.json', '-o', 'trained', '-q'], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

const namedIn = (text: string) => broken.filter((name) => text.includes(`${name}: `) || text.includes(`${name} `));

test('training skips what is broken, names the first of it, how many more there are, and what lists them all', async () => {
  const { stdout, stderr } = await run(0, ['train', '-c', 'c.json', '-o', 'run', '--json'], { cwd: folder });
  expect(namedIn(stderr)).toHaveLength(mostFailuresNamed);
  expect(stderr).toContain(
    `${broken.length - mostFailuresNamed} more pictures could not be read: nn data inspect --config c.json --all names all of them`,
  );
  expect(stderr).toContain('passed over 1 file that nn reads no picture from, such as PetImages/Cat/Thumbs.db (1 .db)');
  const { examples, warnings } = JSON.parse(stdout) as { examples: Record<string, { total: number }>; warnings: string[] };
  expect(Object.values(examples).reduce((sum, { total }) => sum + total, 0)).toBe(17);
  expect(warnings[0]).toMatch(
    new RegExp(`^${broken.length} pictures could not be read and were left out: .*--all names all of them$`),
  );
  const verbose = await run(0, ['train', '-c', 'c.json', '--dry-run', '-v'], { cwd: folder });
  expect(namedIn(verbose.stderr)).toEqual(broken);
});

test('inspect counts what is broken, and names every one of it with --all', async () => {
  const { stdout } = await run(0, ['data', 'inspect', '--config', 'c.json', '--all'], { cwd: folder });
  expect(stdout).toContain(`unreadable: ${broken.length} pictures`);
  expect(namedIn(stdout)).toEqual(broken);
  expect(stdout).toMatch(/^ {4}Cat\/gif\.jpg .*gif, not \.jpg$/m);
});

test('predict answers for the others, names every broken one in its place, and counts them at the end', async () => {
  const { stdout, stderr } = await run(7, ['predict', '--model', 'trained', 'PetImages'], { cwd: folder });
  expect(stdout.trim().split('\n')).toHaveLength(17);
  expect(namedIn(stderr)).toEqual(broken);
  expect(stderr.trim().split('\n').at(-1)).toBe(`${broken.length} of ${broken.length + 17} pictures could not be read`);
});

test('--strict refuses, and does not name them all either', async () => {
  const { stderr } = await run(3, ['train', '-c', 'c.json', '-o', 'strict', '--strict'], { cwd: folder });
  expect(namedIn(stderr)).toHaveLength(mostFailuresNamed);
  expect(stderr).toContain(`${broken.length} of ${broken.length + 17} are not`);
  expect(stderr).toContain(`… and ${broken.length - mostFailuresNamed} more, which nn data inspect --all names`);
});
