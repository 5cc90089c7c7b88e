import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { put, putScenes, scene } from '../data/inspection/pictures.ts';
import { isThorough } from '../thorough.ts';
import { folderConfig, listing, run, temporaryFolder, writeJson } from './pictures.ts';

interface Report {
  source: string;
  total: number;
  readable: number;
  classes: Record<string, number>;
  findings: { kind: string; proposal: string; pictures: number; groups: { why: string; pictures: { name: string }[] }[] }[];
  shortcuts: { name: string; title: string; accuracy: number; baseline: number; warning: string | null }[] | null;
  model: { path: string; accuracy: number; pictures: number } | null;
  differences: { what: string; differs: boolean }[];
  warnings: string[];
}

const evilName = `<script>alert("1")</script>&'.png`.replace('/', '-');

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const pictures = join(folder, 'pictures');
  await putScenes(pictures, 22);
  const twice = await scene(100).png().toBuffer();
  await put(pictures, {
    [`cat/${evilName}`]: twice,
    'noncat/twice.png': twice,
    'noncat/broken.jpg': Buffer.from('text'),
    'noncat/dark.png': await scene(101).linear(0.1, 0).png().toBuffer(),
  });
  await mkdir(join(folder, 'clean'));
  await putScenes(join(folder, 'clean'), 3);
});
afterAll(() => rm(folder, { recursive: true }));

const inspect = (code: number, ...words: string[]) => run(code, ['data', 'inspect', ...words], { cwd: folder });
const report = async (...words: string[]) => JSON.parse((await inspect(0, ...words, '--json')).stdout) as Report;

describe('nn data inspect', () => {
  test('says what is wrong, counts first, and changes nothing', async () => {
    const before = await listing(folder);
    const { stdout, stderr } = await inspect(0, 'pictures');
    expect(stdout).toMatch(/^pictures: 48 pictures, 1 unreadable\n/);
    expect(stdout).toMatch(/^ {2}all +47 +23 +48\.9% +24 +51\.1%$/m);
    expect(stdout).toMatch(
      /^ {2}unreadable: 1 picture\n.*\n {4}noncat\/broken\.jpg {2}not a picture in a format that can be read$/m,
    );
    expect(stdout).toContain(`cat/${evilName} = noncat/twice.png`);
    expect(stdout).toMatch(/^ {2}dark: 1 picture$/m);
    expect(stdout).toMatch(/^ {2}an 8×8 thumbnail +\d+\.\d% /m);
    expect(stderr.replace(/^.* \d+\/\d+.*\n/gm, '')).toBe(''); // a slow machine tells how far it is
    expect(await listing(folder)).toEqual(before);
  });

  test('of clean pictures says that nothing was found', async () => {
    const { stdout } = await inspect(0, 'clean');
    expect(stdout).toContain('No unreadable, duplicate, mislabelled, blank, dark, blurred or oddly shaped pictures.');
    expect(stdout).not.toContain('thumbnail'); // too few pictures for shortcuts
  });

  test('--json has it all', async () => {
    const found = await report('pictures', '--examples', '0');
    expect(found).toMatchObject({ source: 'pictures', total: 48, readable: 47, classes: { cat: 23, noncat: 24 }, model: null });
    const kinds = found.findings.map(({ kind, pictures, proposal }) => ({ kind, pictures, proposal }));
    expect(kinds).toEqual([
      { kind: 'unreadable', pictures: 1, proposal: 'remove' },
      { kind: 'twoLabels', pictures: 2, proposal: 'look' },
      { kind: 'dark', pictures: 1, proposal: 'look' },
    ]);
    expect(found.findings[0]!.groups).toEqual([
      {
        why: 'not a picture in a format that can be read',
        pictures: [{ name: 'noncat/broken.jpg', label: 'noncat', part: null }],
      },
    ]);
    expect(found.shortcuts!.map(({ name }) => name)).toEqual(['size', 'format', 'colour', 'border', 'thumbnail']);
  });

  test('--examples bounds what is named, --all lifts it', async () => {
    const many = join(folder, 'many');
    await putScenes(many, 2);
    await put(many, Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`cat/broken-${i}.png`, Buffer.from('text')])));
    const named = async (...words: string[]) => ((await inspect(0, 'many', ...words)).stdout.match(/broken-/g) ?? []).length;
    expect([await named(), await named('--examples', '3'), await named('--all')]).toEqual([10, 3, 12]);
  });

  test('--html writes one page without scripts, with escaped names and thumbnails', async () => {
    await inspect(0, 'pictures', '--html', 'page.html');
    const page = await readFile(join(folder, 'page.html'), 'utf8');
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;-script&gt;&amp;&#39;.png');
    const [, findings] = page.split('>What is wrong with single pictures</h2>') as [string, string];
    expect(findings.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(3);
    const [, samples] = />Samples of each class<\/h2>(.*?)<h2/s.exec(page)!;
    expect(samples!.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(16);
    expect(samples).toContain('8 of 23 pictures, chosen at random.');
    expect(page).not.toMatch(/(src|href)="(?!data:|#)/);
    expect(page).toContain('prefers-color-scheme:dark');
  });

  test('--html shows the mean of each class, and at both ends of a shortcut the pictures that are behind it', async () => {
    const planted = join(folder, 'planted');
    // cats are bright, others dark: grey values by class and number
    const grey = (cat: boolean, i: number) => (cat ? 150 : 50) + i;
    for (const cat of [true, false]) {
      const files = Array.from({ length: 24 }, async (_, i) => {
        const level = grey(cat, i);
        const flat = sharp({ create: { width: 40, height: 40, channels: 3, background: { r: level, g: level, b: level } } });
        const spot = await sharp({ create: { width: 4, height: 4 + i, channels: 3, background: '#808080' } })
          .png()
          .toBuffer();
        const file = await flat
          .composite([{ input: spot, left: 2 + i, top: 2 }])
          .png()
          .toBuffer();
        return [`${cat ? 'cat' : 'noncat'}/${String(i).padStart(2, '0')}.png`, file] as const;
      });
      await put(planted, Object.fromEntries(await Promise.all(files)));
    }
    const { stdout } = await inspect(0, 'planted', '--html', 'planted.html', '--json');
    const shortcuts = (JSON.parse(stdout) as Report).shortcuts!;
    const page = await readFile(join(folder, 'planted.html'), 'utf8');
    const strong = shortcuts.filter(({ warning }) => warning !== null).map(({ name }) => name);
    expect(strong).toContain('colour');
    expect(strong).not.toContain('format');
    for (const { title, accuracy } of shortcuts)
      expect(page).toContain(`<td>${title}</td><td class="figure">${(accuracy * 100).toFixed(1)}%</td>`);
    const [, colour] = /<h3>Mean colour: (.*?)(?=<h[23]>)/s.exec(page)!;
    const ends = colour!
      .split('<h4>')
      .slice(1)
      .map((end) => [...end.matchAll(/<figcaption>(\w+)\/(\d+)\.png<br>mean colour (\d+)/g)]);
    // cat most like cat, cat most like noncat, noncat most like cat, noncat most like noncat: what is drawn says which they are
    expect(ends.map((end) => new Set(end.map(([, label]) => label)))).toEqual(
      ['cat', 'cat', 'noncat', 'noncat'].map((l) => new Set([l])),
    );
    const mean = (k: number) => ends[k]!.reduce((sum, [, , , level]) => sum + Number(level), 0) / ends[k]!.length;
    expect(mean(0)).toBeGreaterThan(mean(1) + 5);
    expect(mean(2)).toBeGreaterThan(mean(3) + 5);
    const means = [...page.matchAll(/<img src="data:image\/png;base64,([^"]+)" alt="the mean picture of (\w+)"/g)];
    expect(means.map(([, , label]) => label)).toEqual(['cat', 'noncat']);
    for (const [, file, label] of means) {
      const { data, info } = await sharp(Buffer.from(file!, 'base64')).raw().toBuffer({ resolveWithObject: true });
      const corner = data[(info.width * (info.height - 1) + info.width - 1) * 3]!; // where no spot is
      const levels = Array.from({ length: 24 }, (_, i) => grey(label === 'cat', i));
      expect(Math.abs(corner - levels.reduce((a, b) => a + b) / 24)).toBeLessThanOrEqual(1);
    }
  });

  test.skipIf(!isThorough)('--model holds shortcuts against a model, on pictures that it was not trained on', async () => {
    await writeJson(join(folder, 'c.json'), folderConfig({ training: { epochs: 2 } }));
    await run(0, ['train', '-c', 'c.json', '-o', 'model', '-q'], { cwd: folder });
    const { model, shortcuts } = await report('pictures', '--model', 'model');
    const split = (await readFile(join(folder, 'model', 'split.csv'), 'utf8')).trim().split('\n').slice(1);
    const trained = new Set(split.filter((line) => line.endsWith(',train')).map((line) => line.split(',').at(-3)));
    const left = split.filter((line) => !trained.has(line.split(',').at(-3)));
    expect(model!.pictures).toBeGreaterThanOrEqual(left.length - 1); // the picture under two labels counts once
    expect(model!.pictures).toBeLessThanOrEqual(left.length);
    for (const { accuracy } of shortcuts!)
      expect(Number.isInteger(Math.round(accuracy * model!.pictures * 1e6) / 1e6)).toBe(true);
    const { stderr } = await inspect(2, 'pictures', '--modle', 'model');
    expect(stderr).toContain('--model');
  });

  test.each([
    ['where nothing is', 'nothing', 'nothing: expected pictures, found: no such file or folder'],
    ['of one class', 'one', 'expected two classes'],
    ['of which no picture can be read', 'broken', 'none that can be read'],
  ])('a source %s is refused', async (_, name, message) => {
    await put(join(folder, 'one'), { 'cat/a.png': await scene(1).png().toBuffer() });
    await put(join(folder, 'broken'), { 'cat/a.png': Buffer.from('a'), 'noncat/b.png': Buffer.from('b') });
    const { stdout, stderr } = await inspect(3, name);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
  });

  test('--config looks at each part, and finds what stands in two of them', async () => {
    const data = (name: string) => ({ type: 'folder', path: name });
    await putScenes(join(folder, 'train'), 3);
    await putScenes(join(folder, 'test'), 1); // its two are the first two of train
    await put(join(folder, 'test'), { 'cat/new.png': await scene(90).png().toBuffer() });
    await writeJson(join(folder, 'parts.json'), { data: { train: data('train'), test: data('test') } });
    const { findings, parts } = JSON.parse((await inspect(0, '--config', 'parts.json', '--json')).stdout);
    expect(parts).toEqual({ train: { cat: 3, noncat: 3 }, test: { cat: 2, noncat: 1 } });
    expect(findings).toHaveLength(1);
    const both = (name: string, label: string) => [
      { name, label, part: 'train' },
      { name, label, part: 'test' },
    ];
    expect(findings[0]).toMatchObject({
      kind: 'leak',
      pictures: 4,
      groups: [{ pictures: both('cat/scene-0.png', 'cat') }, { pictures: both('noncat/scene-0.png', 'noncat') }],
    });
    const { stdout } = await inspect(0, '--config', 'parts.json');
    expect(stdout).toContain('cat/scene-0.png (train) = cat/scene-0.png (test)');
  });

  test('--config of one source shows the parts of its split', async () => {
    await writeJson(join(folder, 'one.json'), { data: { source: { type: 'folder', path: 'pictures' } } });
    const { stdout } = await inspect(0, '--config', 'one.json');
    expect(stdout).toMatch(/^ {2}train +29 .*\n {2}dev +9 .*\n {2}test +9 .*\n {2}all +47 /m); // round(0.2 · 47) = 9
    expect(stdout).toMatch(/^ {2}cat +48\.3% +[\d.]+% +[\d.]+%$/m); // 14 of 29; too few in dev to compare more than classes
  });

  test.skipIf(!isThorough)(
    '--config of parts that differ says so as text, JSON and page, and training says the very same',
    async () => {
      const darker = Array.from({ length: 24 }, async (_, i) => {
        const bytes = await scene(300 + i)
          .linear(0.5, 0)
          .png()
          .toBuffer();
        await put(join(folder, 'darker'), { [`${i < 20 ? 'noncat' : 'cat'}/${i}.png`]: bytes });
      });
      await Promise.all(darker);
      const data = { train: { type: 'folder', path: 'pictures' }, test: { type: 'folder', path: 'darker' } };
      await writeJson(join(folder, 'differ.json'), { data, training: { epochs: 1 } });
      const printed = await inspect(0, '--config', 'differ.json', '--json', '--html', 'differ.html');
      const { differences, warnings } = JSON.parse(printed.stdout) as Report;
      const differing = differences.flatMap(({ what, differs }) => (differs ? [what] : []));
      expect(differing).toEqual(expect.arrayContaining(['brightness', 'contrast']));
      const warning = warnings.find((one) => one.startsWith('data: train and test differ more than chance explains'))!;
      expect(warning).toMatch(/brightness [\d.]+ in train, [\d.]+ in test/);
      expect(await readFile(join(folder, 'differ.html'), 'utf8')).toContain('train and test differ</td>');
      const { stdout, stderr } = await run(0, ['train', '-c', 'differ.json', '-o', 'differ', '--json'], { cwd: folder });
      expect((JSON.parse(stdout) as Report).warnings).toContain(warning);
      expect(stderr).toContain(`warning: ${warning}`);
    },
  );

  test('a source or a config is needed, not both', async () => {
    expect((await inspect(2)).stderr).toContain('expected a source or --config FILE, found neither');
    expect((await inspect(2, 'pictures', '--config', 'c.json')).stderr).toContain('found both');
  });

  test('classes need not be called cat', async () => {
    await put(join(folder, 'others'), {
      'apple/a.png': await scene(1).png().toBuffer(),
      'pear/b.png': await scene(2).png().toBuffer(),
    });
    expect((await report('others')).classes).toEqual({ apple: 1, pear: 1 });
  });

  test('a table of pictures is a source too', async () => {
    await writeFile(join(folder, 'table.csv'), 'path,label\npictures/cat/scene-0.png,cat\npictures/noncat/dark.png,noncat\n');
    expect((await report('table.csv')).findings.map(({ kind }) => kind)).toEqual(['dark']);
  });
});
