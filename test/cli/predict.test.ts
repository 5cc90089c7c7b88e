import { spawnSync } from 'node:child_process';
import { cp, link, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { binPath, nn } from '../cli.ts';
import { bmpOf } from '../data/bmps.ts';
import { heic8 } from '../data/heic-files.ts';
import { box } from '../data/heifs.ts';
import { sharedData, withoutShared } from '../shared.ts';
import { isThorough } from '../thorough.ts';
import { folderConfig, preload, readJson, run, temporaryFolder, writeClasses, writeJson, writePicture } from './pictures.ts';

interface Row {
  file: string;
  label: string | null;
  p: number | null;
  confidence: number | null;
  threshold: number;
  model: string;
  error: string | null;
}

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(join(folder, 'pictures'), 15);
  await writeJson(join(folder, 'c.json'), folderConfig({ training: { epochs: 60 } }));
  await run(0, ['train', '-c', 'c.json', '-o', 'model', '-q'], { cwd: folder });
  await mkdir(join(folder, 'in', 'deep', 'er'), { recursive: true });
  for (const [index, path] of ['in/b.png', 'in/a.png', 'in/deep/er/c.png'].entries()) {
    await writePicture(join(folder, path), { index: 50 + index, cat: index === 1 });
  }
  await writeFile(join(folder, 'in', 'notes.txt'), 'no picture');
  await cp(join(folder, 'in'), join(folder, 'mixed'), { recursive: true });
  await writeFile(join(folder, 'mixed', 'ab.png'), '');
  await mkdir(join(folder, 'bad'));
  await writeFile(join(folder, 'bad', 'text.jpg'), 'no picture');
  await symlink('nowhere', join(folder, 'bad', 'link.png'));
  await mkdir(join(folder, 'empty'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs `nn predict` with the shared model. */
const predict = (code: number, words: string[], options: Partial<Parameters<typeof nn>[1]> = {}) =>
  run(code, ['predict', '--model', join(folder, 'model'), ...words], { cwd: folder, ...options });
const jsonOf = ({ stdout }: { stdout: string }) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
const filesOf = async (words: string[]) => jsonOf(await predict(0, ['--json', ...words])).map(({ file }) => file);

describe('what is predicted', () => {
  test.each([
    ['files, in the order of the words, as often as they are named', ['in/b.png', 'in/a.png', 'in/b.png'], undefined],
    ['a folder, at any depth, sorted', ['in'], ['in/a.png', 'in/b.png', 'in/deep/er/c.png']],
    ['a quoted glob', ['in/*.png'], ['in/a.png', 'in/b.png']],
    ['a quoted glob over folders', ['in/**/*.png'], ['in/a.png', 'in/b.png', 'in/deep/er/c.png']],
    ['a glob that other files match too', ['in/*'], ['in/a.png', 'in/b.png']],
    ['all of them together', ['in/deep', 'in/b.png', 'in/a*'], ['in/deep/er/c.png', 'in/b.png', 'in/a.png']],
  ])('%s', async (_, words, files = words) => {
    expect(await filesOf(words)).toEqual(files);
  });

  test('a list of paths, one a line', async () => {
    await writeFile(join(folder, 'list.txt'), 'in/b.png\r\n\nin/a.png\n');
    expect(await filesOf(['@list.txt', 'in/b.png'])).toEqual(['in/b.png', 'in/a.png', 'in/b.png']);
    const others = {
      'utf16.txt': Buffer.from('\ufeffin/b.png\r\nin/a.png\r\n', 'utf16le'),
      'zeros.txt': 'in/deep/er/c.png\0in/b.png\0',
      'windows.txt': '"in\\a.png"\r\nin\\deep\\er\\c.png\r\n',
    };
    for (const [name, text] of Object.entries(others)) await writeFile(join(folder, name), text);
    expect(await filesOf(Object.keys(others).map((name) => `@${name}`))).toEqual([
      ...['in/b.png', 'in/a.png', 'in/deep/er/c.png', 'in/b.png', 'in\\a.png', 'in\\deep\\er\\c.png'],
    ]);
    const fromPipe = await predict(0, ['--json', '@-', 'in/b.png'], { input: 'in/a.png\nin/b.png\n' });
    expect(jsonOf(fromPipe).map(({ file }) => file)).toEqual(['in/a.png', 'in/b.png', 'in/b.png']);
  });

  test('a name with a line break or a tab is one line of three columns all the same; in JSON it is itself', async () => {
    const name = join('in', 'two\nlines\tand \x1b[31m.png');
    await cp(join(folder, 'in', 'a.png'), join(folder, name));
    const { stdout } = await predict(0, [name]);
    expect(stdout).toMatch(/^in\/two\\nlines\\tand \\u001b\[31m\.png\t\w+\t0\.\d{4}\n$/);
    expect(await filesOf([name])).toEqual([name]);
    await rm(join(folder, name));
  });

  test('of a folder and of a glob, what its bytes say is a picture; the rest is counted, with its kinds', async () => {
    const png = await readFile(join(folder, 'in', 'a.png'));
    const files: Record<string, Uint8Array> = {
      'a.png': png,
      'b.bmp': bmpOf({ width: 16, height: 16, bits: 24 }, (row, column) => row * 9999 + column),
      'c.HEIC': heic8,
      'download-without-extension': png,
      'e.jpg!large': png,
      'clip.mov': box('ftyp', Buffer.from('qt  \0\0\0\0qt  ')),
      'notes.txt': Buffer.from('no picture'),
      'more.txt': Buffer.from('no picture'),
      '@eaDir/a.png/thumb.png': png,
    };
    await mkdir(join(folder, 'inbox', '@eaDir', 'a.png'), { recursive: true });
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, 'inbox', name), bytes);
    const read = ['a.png', 'b.bmp', 'c.HEIC', 'download-without-extension', 'e.jpg!large'].map((name) => `inbox/${name}`);
    const others = 'passed over 3 files that nn reads no picture from, such as inbox/clip.mov (2 .txt, 1 .mov)';
    const whole = await predict(0, ['--json', 'inbox']);
    expect(jsonOf(whole).map(({ file }) => file)).toEqual(read);
    const folders = "passed over 1 folder: inbox/@eaDir (a system's own)";
    expect(whole.stderr).toBe(`warning: inbox: ${others}\nwarning: inbox: ${folders}\n`);
    const glob = await predict(0, ['--json', 'inbox/*']);
    expect(jsonOf(glob).map(({ file }) => file)).toEqual(read);
    expect(glob.stderr).toBe(`warning: inbox/*: ${others}\n`);
    expect((await predict(0, ['-q', 'inbox'])).stderr).toBe('');
  });

  test('nothing more once SIGTERM came, not even what is being drawn', { timeout: 30_000 }, async () => {
    const rules = Array.from({ length: 3000 }, (_, i) => `g>g>g g g g:nth-child(${i}) rect{fill:red}`).join('');
    const shapes = `${'<g>'.repeat(100)}${'<rect width="3" height="3"/>'.repeat(4000)}${'</g>'.repeat(100)}`;
    const slow = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><style>${rules}</style>${shapes}</svg>`;
    await writeFile(join(folder, 'slow.svg'), slow);
    const begun = performance.now();
    const words = ['predict', '--model', join(folder, 'model'), 'in/a.png', ...Array(5).fill('slow.svg')];
    const { code, stdout } = await nn(words, { cwd: folder, kill: { signal: 'SIGTERM', after: /a\.png/ } });
    expect(code).toBe(143);
    expect(stdout).toMatch(/^in\/a\.png\t.*\n$/);
    expect(performance.now() - begun).toBeLessThan(9000); // one takes 10 seconds to be given up
  });

  test('one picture on standard input', async () => {
    const input = await readFile(join(folder, 'in', 'a.png'));
    const [piped] = jsonOf(await predict(0, ['--json', '-'], { input }));
    const [named] = jsonOf(await predict(0, ['--json', 'in/a.png']));
    expect(piped).toEqual({ ...named, file: '-' });
  });

  test('files whose names look like flags or globs', async () => {
    await cp(join(folder, 'in', 'a.png'), join(folder, '-x.png'));
    await cp(join(folder, 'in', 'a.png'), join(folder, 'cat [1].png'));
    expect(await filesOf(['cat [1].png', '--', '-x.png'])).toEqual(['cat [1].png', '-x.png']);
  });

  test.skipIf(sharedData === null)(`photographs (${withoutShared} else)`, async () => {
    const rows = jsonOf(await predict(0, ['--json', join(sharedData!, 'cats-things-1800', '*', '*-10*.jpg')]));
    expect(rows.length).toBeGreaterThan(10);
    for (const { file, p, error } of rows)
      expect({ file, error, inside: p! > 0 && p! < 1 }).toEqual({ file, error: null, inside: true });
  });
});

describe('the answer', () => {
  test('for people and scripts: FILE, LABEL and P with four decimals, between tabs', async () => {
    const rows = jsonOf(await predict(0, ['--json', 'in']));
    const files = rows.map(({ file }) => file);
    const { stdout, stderr } = await predict(0, files);
    expect(stdout).toBe(rows.map(({ file, label, p }) => `${file}\t${label}\t${p!.toFixed(4)}\n`).join(''));
    expect(stderr).toBe('');
  });

  test('--json: an object a line with the keys of the contract, in order', async () => {
    const rows = jsonOf(await predict(0, ['--json', 'in']));
    for (const row of rows) {
      expect(Object.keys(row)).toEqual(['file', 'label', 'p', 'confidence', 'threshold', 'model', 'error']);
      const { label, p, confidence, threshold } = row;
      expect(row).toMatchObject({ threshold: 0.5, model: join(folder, 'model', 'model.safetensors'), error: null });
      expect(label).toBe(p! > threshold ? 'cat' : 'thing');
      expect(confidence).toBe(label === 'cat' ? p : 1 - p!);
    }
    expect(rows.map(({ label }) => label)).toEqual(['cat', 'thing', 'thing']); // as the pictures were drawn
  });

  test('--csv: the same with a header, quoted where need be', async () => {
    await cp(join(folder, 'in', 'a.png'), join(folder, 'a "cat", I think.png'));
    const words = ['a "cat", I think.png', 'in/b.png'];
    const [first, second] = jsonOf(await predict(0, ['--json', ...words]));
    const line = (file: string, { label, p, confidence, model }: Row) => `${file},${label},${p},${confidence},0.5,${model},`;
    expect((await predict(0, ['--csv', ...words])).stdout.split('\n')).toEqual([
      'file,label,p,confidence,threshold,model,error',
      line('"a ""cat"", I think.png"', first!),
      line('in/b.png', second!),
      '',
    ]);
  });

  test('--threshold moves the line; p stays', async () => {
    const usual = jsonOf(await predict(0, ['--json', 'in']));
    const high = jsonOf(await predict(0, ['--json', 'in', '--threshold', '1']));
    expect(high.map(({ label, threshold, p }) => ({ label, threshold, p }))).toEqual(
      usual.map(({ p }) => ({ label: 'thing', threshold: 1, p })),
    );
    expect(jsonOf(await predict(0, ['--json', 'in', '--threshold', '0'])).map(({ label }) => label)).toEqual([
      'cat',
      'cat',
      'cat',
    ]);
  });
});

describe('pictures that cannot be read', () => {
  const files = ['in/b.png', 'mixed/ab.png', 'in/a.png'];

  test('are named on stderr; the others go on, exit 7', async () => {
    const { stdout, stderr } = await predict(7, files);
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(['in/b.png', 'in/a.png', '']);
    expect(stderr).toMatch(/^mixed\/ab\.png: .*empty.*\n$/);
  });

  test('have a line with the error in their place in JSON and CSV', async () => {
    const json = await predict(7, ['--json', ...files]);
    const rows = jsonOf(json);
    expect(rows.map(({ file }) => file)).toEqual(files);
    expect(rows[1]).toMatchObject({ label: null, p: null, confidence: null, error: expect.stringContaining('empty') });
    expect(json.stderr).toContain('mixed/ab.png');
    const csv = (await predict(7, ['--csv', ...files])).stdout.split('\n');
    expect(csv[2]).toBe(`mixed/ab.png,,,,0.5,${rows[1]!.model},${rows[1]!.error}`);
  });

  test.each([
    ['every file is bad', ['bad'], /bad\/link\.png: .*\nbad\/text\.jpg: .*\n/],
    ['a file is not there', ['nowhere.png'], /nowhere\.png: no such file/],
    ['a glob matches nothing', ['in/*.gif'], /in\/\*\.gif: no file matches/],
    ['a glob finds a broken link', ['bad/l*.png'], /bad\/link\.png: no such file/],
    ['a folder is empty', ['empty'], /empty: .*no.*pictures.*\n/],
    ['a path has backslashes', ['in\\none.png'], /in\\none\.png: no such file or folder: a backslash is a letter of a name here/],
    ['a list is not there', ['@nowhere.txt'], /@nowhere\.txt: .*no such file/],
    ['nothing comes on standard input', ['-'], /-: .*none/],
    ['a file is no picture', ['in/notes.txt'], /in\/notes\.txt: not a picture/],
  ])('%s: exit 3', async (_, words, why) => {
    const { stdout, stderr } = await predict(3, words);
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: expect.stringMatching(why) });
  });

  test('a folder without pictures among others is mentioned', async () => {
    expect((await predict(0, ['empty', 'in/a.png'])).stderr).toMatch(/^warning: empty: no pictures/);
  });
});

describe('--exit-code', () => {
  test.each([
    [0, 'all are the positive class', ['in', '--threshold', '0']],
    [8, 'one is not', ['in']],
    [7, 'one could not be read, whatever the others are', ['mixed', '--threshold', '1']],
    [3, 'none could be read', ['bad']],
  ])('%i: %s', async (code, _, words) => {
    await predict(code, ['--exit-code', ...words]);
  });

  test('without it, what the pictures show is no matter', () => predict(0, ['in', '--threshold', '1']));
});

describe('the model', () => {
  const words = ['predict', '--json', 'in/a.png'];

  test('comes from --model, a run or a file, else from NN_MODEL, else from the newest run', async () => {
    const env = { NN_MODEL: join(folder, 'model') };
    const models = [
      await run(0, [...words, '--model', 'model/model.safetensors'], { cwd: folder, env: { NN_MODEL: 'nowhere' } }),
      await run(0, words, { cwd: folder, env }),
      await run(0, words, { cwd: folder }),
      await run(0, words, { cwd: folder, env: { NN_RUNS: 'runs' } }),
    ].map((finished) => jsonOf(finished)[0]!.model);
    expect(models).toEqual([
      'model/model.safetensors',
      join(folder, 'model', 'model.safetensors'),
      'model/model.safetensors', // where runs/latest leads
      'model/model.safetensors',
    ]);
  });

  test('where there is none: exit 4, and how to get one', async () => {
    const { stdout, stderr } = await run(4, words, { cwd: folder, env: { NN_RUNS: 'nowhere' } });
    expect(stderr).toMatch(/nowhere.latest: .*no such file.*\n.*nn train.*--model/);
    expect(JSON.parse(stdout).error).toMatchObject({ code: 4, hint: expect.stringContaining('nn train') });
  });

  test('is enough by itself: nothing else of the run is needed', async () => {
    await mkdir(join(folder, 'alone'));
    await cp(join(folder, 'model', 'model.safetensors'), join(folder, 'alone', 'm.safetensors'));
    const [alone] = jsonOf(await run(0, [...words, '--model', 'alone/m.safetensors'], { cwd: folder }));
    expect(alone!.p).toBe(jsonOf(await predict(0, ['--json', 'in/a.png']))[0]!.p);
  });
});

describe('the same picture gives the same bits', () => {
  let all: Map<string, number>;
  const names = ['cat', 'thing'].flatMap((name) => [0, 1, 2, 3, 4, 5, 6].map((i) => `pictures/${name}/0${i}.png`));
  const answers = (rows: Row[]) =>
    new Map(rows.map(({ file, p }) => [file.replaceAll('\\', '/').replace(/^.*pictures/, 'pictures'), p!]));

  beforeAll(async () => {
    all = answers(jsonOf(await predict(0, ['--json', 'pictures'])));
    expect(all.size).toBe(30);
    expect(new Set(all.values()).size).toBe(30); // else equality would say little
  });

  test('in calls of one', async () => {
    for (const name of names.slice(5, 9)) {
      expect(jsonOf(await predict(0, ['--json', name]))[0]!.p).toBe(all.get(name));
    }
  });

  test('in calls of seven, in another order', async () => {
    const seven = answers(jsonOf(await predict(0, ['--json', ...names.slice(4, 11).reverse()])));
    expect(seven.size).toBe(7);
    for (const [name, p] of seven) expect(p).toBe(all.get(name));
  });

  test('from another working directory, and after the run was moved', async () => {
    await mkdir(join(folder, 'other', 'place'), { recursive: true });
    const cwd = join(folder, 'other', 'place');
    expect(answers(jsonOf(await predict(0, ['--json', '../../pictures'], { cwd })))).toEqual(all);
    await cp(join(folder, 'model'), join(folder, 'copy'), { recursive: true });
    await rename(join(folder, 'copy'), join(cwd, 'moved'));
    expect(answers(jsonOf(await run(0, ['predict', '--json', '-m', 'moved', '../../pictures'], { cwd })))).toEqual(all);
  });

  test('in whatever form it comes: --json, --csv and text', async () => {
    const csv = (await predict(0, ['--csv', 'pictures'])).stdout.trimEnd().split('\n').slice(1);
    expect(new Map(csv.map((line) => [line.split(',')[0]!, Number(line.split(',')[2])]))).toEqual(all);
  });
});

describe('a thousand files', () => {
  beforeAll(async () => {
    const kinds = 10;
    for (let i = 0; i < kinds; i++) await writePicture(join(folder, `large-${i}.png`), { index: i, cat: i % 2 === 0, side: 300 });
    for (const count of [200, 1000]) {
      await mkdir(join(folder, `x${count}`));
      for (let i = 0; i < count; i++) {
        await link(join(folder, `large-${i % kinds}.png`), join(folder, `x${count}`, `${String(i).padStart(4, '0')}.png`));
      }
    }
  });

  /** What a call took, as its own process counts: ticks of the processor for each of its threads, and memory. */
  const measured = async (words: string[]) => {
    const file = join(folder, 'usage.json');
    const env = await preload(
      folder,
      `const fs = require('node:fs');
      const ticks = (id) => {
        const fields = fs.readFileSync('/proc/self/task/' + id + '/stat', 'utf8').split(') ').at(-1).split(' ');
        return Number(fields[11]) + Number(fields[12]);
      };
      process.on('exit', () => {
        const threads = process.platform === 'linux' ? fs.readdirSync('/proc/self/task').map(ticks) : [];
        fs.writeFileSync(${JSON.stringify(file)}, JSON.stringify({ threads, megabytes: process.resourceUsage().maxRSS / 1024 }));
      });`,
    );
    const rows = jsonOf(await predict(0, ['--json', ...words], { env }));
    return { rows, ...(await readJson<{ threads: number[]; megabytes: number }>(file)) };
  };

  test.skipIf(!isThorough)('take memory that does not grow with their number, and come out in order', { retry: 2 }, async () => {
    const some = await measured(['x200']);
    const many = await measured(['x1000']);
    expect(some.rows.map(({ file }) => file)).toEqual(many.rows.slice(0, 200).map(({ file }) => file.replace('x1000', 'x200')));
    expect(many.rows.map(({ file }) => file)).toEqual(
      Array.from({ length: 1000 }, (_, i) => join('x1000', `${String(i).padStart(4, '0')}.png`)),
    );
    expect(many.megabytes).toBeLessThan(300);
    expect(many.megabytes).toBeLessThan(1.15 * some.megabytes + 16);
  });

  // seconds of processor per second would say it too, but not on a machine that does other work besides
  test.skipIf(!isThorough || process.platform !== 'linux')(
    'are spread over as many threads as there are cores',
    { retry: 2 },
    async () => {
      const { threads } = await measured(['x1000']);
      const total = threads.reduce((sum, ticks) => sum + ticks, 0);
      const busy = threads.filter((ticks) => ticks > total / 40).length;
      expect(busy).toBeGreaterThanOrEqual(Math.min(availableParallelism(), 8));
      expect(Math.max(...threads)).toBeLessThan(total / 2); // no single one does it all
    },
  );

  test.skipIf(process.platform !== 'linux')('have two threads more than there are cores to be decoded on', async () => {
    const file = join(folder, 'threads.txt');
    const env = await preload(
      folder,
      `require('node:os').availableParallelism = () => 12;
      process.on('exit', () => {
        const [, threads] = /Threads:\\s+(\\d+)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'));
        require('node:fs').writeFileSync(${JSON.stringify(file)}, threads);
      });`,
    );
    const threads = async (own: Record<string, string> = {}) => {
      await run(0, ['model', 'show', 'model'], { cwd: folder, env: { ...env, ...own } }); // sharp has threads of its own
      return Number(await readFile(file, 'utf8'));
    };
    expect((await threads()) - (await threads({ UV_THREADPOOL_SIZE: '4' }))).toBe(12 + 2 - 4);
  });

  test.skipIf(process.platform === 'win32')('into a pipe that closes after the first line: quiet, and no error', () => {
    const script = `( "$NODE" "$NN" predict -m model x1000; echo "code $?" >&2 ) | head -1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', script], {
      cwd: folder,
      env: { ...process.env, NODE: process.execPath, NN: binPath },
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^x1000\/0000\.png\t\w+\t0\.\d{4}\n$/);
    expect(stderr).toBe('code 0\n');
  });

  test.skipIf(process.platform !== 'linux')('onto a full disk: exit 3, and why, without a stack trace', () => {
    const { stderr } = spawnSync('sh', ['-c', `"$NODE" "$NN" predict -m model in/*.png > /dev/full; echo "code $?" >&2`], {
      cwd: folder,
      env: { ...process.env, NODE: process.execPath, NN: binPath },
      encoding: 'utf8',
    });
    expect(stderr).toBe('nn: standard output: no space left on the disk\ncode 3\n');
  });
});
