import { spawnSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandGroups, commands } from '../../src/commands/commands.ts';
import { binPath, nn } from '../cli.ts';
import { someOf } from '../thorough.ts';
import { preload, temporaryFolder, writeJson, writePicture } from './pictures.ts';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

const type = (line: string) => nn(line === '' ? [] : line.split(' '), { cwd: folder });
const names = commands.map(({ name }) => name);

describe.concurrent('help', () => {
  test.each(someOf([...names, ...Object.keys(commandGroups)]))(
    'nn %s --help has its usage and examples on stdout',
    async (name) => {
      const { code, stdout, stderr } = await type(`${name} --help`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`^Usage: nn ${name} `));
      expect(stdout).toMatch(new RegExp(`\nExamples:\n(.*\n)*  (.*\\| )?nn ${name}`));
      const flags = names.includes(name) ? ['-q, --quiet', '-v, --verbose', '--no-color', '--json'] : [];
      for (const flag of [...flags, '-h, --help', '--version']) expect(stdout).toContain(flag);
    },
  );

  test('nn --help names every command, with examples', async () => {
    const { code, stdout, stderr } = await type('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of names) expect(stdout).toMatch(new RegExp(`^  ${name.split(' ')[0]} `, 'm'));
    expect(stdout).toContain('\nExamples:\n  nn ');
  });

  test('nn alone is a mistake that is answered with the help, on stderr', async () => {
    const [alone, help] = [await type(''), await type('--help')];
    expect(alone).toMatchObject({ code: 2, stdout: '', stderr: help.stdout });
  });

  test.each(Object.keys(commandGroups))('nn %s alone is answered with its commands', async (group) => {
    const { code, stdout, stderr } = await type(group);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    for (const name of names.filter((one) => one.startsWith(`${group} `))) expect(stderr).toContain(`  ${name.split(' ')[1]} `);
  });

  test.each([
    ['help', '--help'],
    ['help train', 'train --help'],
    ['help data fetch', 'data fetch --help'],
    ['data help draw', 'data draw --help'],
    ['-h', '--help'],
    ['-h predict', 'predict --help'],
    ['runs help show', 'runs show --help'],
    ['help runs', 'runs --help'],
    ['runs -h show', 'runs show --help'],
  ])('nn %s is nn %s', async (one, other) => {
    expect(await type(one)).toEqual(await type(other));
  });

  test.each(['--version', 'train --version', 'data fetch --version'])('nn %s is that of the package', async (line) => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(await type(line)).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe.concurrent('mistakes', () => {
  test.each([
    ['trian', 'train'],
    ['Predict', 'predict'],
    ['evalute --json', 'evaluate'],
    ['data fech', 'data fetch'],
    ['data darw --out x', 'data draw'],
    ['model shw', 'model show'],
    ['runs shwo', 'runs show'],
    ['config chekc', 'config check'],
    ['completoin bash', 'completion'],
    ['-q runs compar a b', 'runs compare'],
    ['runs -q shw', 'runs show'],
    ['rnus', 'runs'],
    ['fetch course', 'data fetch'],
    ['dta', 'data'],
    ['help trian', 'train'],
    ['trian --help', 'train'],
    ['data fech --help', 'data fetch'],
    ['-q trian', 'train'],
  ])('nn %s: the command that was meant is %s', async (line, meant) => {
    const { code, stderr } = await type(line);
    expect(code).toBe(2);
    expect(stderr).toContain(`(did you mean "${meant}"?)`);
  });

  test.each([
    ['train --confg c.json', '--config'],
    ['train --config c.json --sett seed=1', '--set'],
    ['predict --treshold 0.5 x.png', '--threshold'],
    ['evaluate --fail-bellow 0.5', '--fail-below'],
    ['data fetch course --form x', '--from'],
    ['model show --jsn', '--json'],
    ['runs --srot dev', '--sort'],
  ])('nn %s: the flag that was meant is %s', async (line, meant) => {
    const { code, stderr } = await type(line);
    expect(code).toBe(2);
    expect(stderr).toContain(`unknown option '${line.split(' ').find((word) => word.startsWith('--') && word !== '--config')}'`);
    expect(stderr).toContain(`(Did you mean ${meant}?)`);
  });

  test.each([
    ['a name that is like none', 'frobnicate', /unknown command "frobnicate"\n.*train, predict/],
    ['a name that is like none', 'runs frobnicate', /unknown command "runs frobnicate"\n.*runs show, runs compare/],
    ['a flag that is like none', 'train --frobnicate', /unknown option '--frobnicate'/],
    ['a field that there is not', 'runs --sort dve', /--sort: expected name, .*found "dve" \(did you mean "dev"\?\)/],
    ['no config', 'train', /--config/],
    ['no picture', 'predict', /image/],
    ['an operand too many', 'train c.json --config c.json', /expected nothing but options, found c\.json\n.*--config c\.json/],
    ['a flag without its value', 'train --config', /argument missing/],
    [
      'a number that is none',
      'train --config c.json --seed x',
      /--seed: expected a whole number from 0 to 4294967295, found "x"/,
    ],
    ['half a seed', 'train --config c.json --seed 1.5', /--seed: expected a whole number/],
    ['no number at all', 'predict --threshold= x.png', /--threshold: expected a number from 0 to 1, found ""/],
    ['a share above 1', 'evaluate --fail-below 70', /--fail-below: expected a number from 0 to 1, found "70"/],
    ['a part that there is not', 'evaluate --split tset', /--split: expected train, dev, test, all, found "tset"/],
    ['two formats at once', 'predict --json --csv x.png', /--csv.*--json/],
    ['two formats at once', 'evaluate --json --csv', /--csv.*--json/],
    ['a shell that there is not', 'completion csh', /completion: expected bash, zsh, fish, found "csh"/],
    ['data that cannot be fetched', 'data fetch corse', /expected course, found "corse"/],
  ])('%s (nn %s): exit 2 and why', async (_, line, why) => {
    const { code, stderr } = await type(line);
    expect(stderr).toMatch(why);
    expect(code).toBe(2);
  });

  test('with --json the error is JSON on stdout as well', async () => {
    const { code, stdout, stderr } = await type('evalute --json');
    const { error } = JSON.parse(stdout);
    expect(Object.keys(error)).toEqual(['code', 'message', 'hint']);
    expect({ code, error }).toMatchObject({ code: 2, error: { code: 2, message: expect.stringContaining('"evaluate"') } });
    expect(stderr).toContain(error.message);
    expect(stderr).toContain(error.hint);
  });

  test('a group that is a command too has its own flags, and its commands theirs', async () => {
    for (const line of ['runs --sort dev', '-q runs --json --sort dev', 'runs --csv']) {
      const { code, stderr } = await type(line);
      expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('runs: expected a folder of runs') });
    }
    expect(await type('runs --sort show')).toMatchObject({ code: 2, stderr: expect.stringContaining('found "show"') });
    expect((await type('runs --help')).stdout).toMatch(/--sort[\s\S]*\nCommands:\n +show .*\n +compare /);
  });

  test('flags that every command has may stand before the command', async () => {
    expect((await type('--json -q train --config nowhere.json')).stdout).toBe(
      (await type('train --config nowhere.json --json')).stdout,
    );
  });
});

describe('start-up', () => {
  /** What a command has loaded, ES modules and others; of bundles the files that they are made of. */
  const traced = async (words: string[]) => {
    const log = join(folder, `loaded-${words[0]}.txt`);
    const hooks = `import { appendFileSync } from 'node:fs';
      export async function resolve(specifier, context, next) {
        const found = await next(specifier, context);
        appendFileSync(${JSON.stringify(log)}, found.url + '\\n');
        return found;
      }`;
    const env = await preload(
      folder,
      `const { Module, register } = require('node:module');
       const loaded = () => Object.keys(Module._cache).join('\\n').replaceAll('\\\\', '/') + '\\n';
       process.on('exit', () => require('node:fs').appendFileSync(${JSON.stringify(log)}, loaded()));
       register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`,
    );
    await nn(words, { cwd: folder, env });
    const loaded = [...new Set((await readFile(log, 'utf8')).split('\n'))];
    return (await Promise.all(loaded.map(sourcesOf))).flat().join('\n');
  };
  const sourcesOf = async (name: string) => {
    if (!/\/dist\/bundle\/.*\.js$/.test(name)) return [name];
    if (!(await readFile(new URL(name), 'utf8')).includes('//# sourceMappingURL=')) return []; // the bundler's own few lines
    const { sources } = JSON.parse(await readFile(new URL(`${name}.map`), 'utf8')) as { sources: string[] };
    return sources.map((source) => new URL(source, name).href);
  };
  const milliseconds = (words: string[]) => {
    const started = performance.now();
    // counting lines (test/cover-processes.ts) takes time of its own
    const { status } = spawnSync(process.execPath, words, { cwd: folder, env: { ...process.env, NODE_V8_COVERAGE: '' } });
    expect(status).toBe(0);
    return performance.now() - started;
  };
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

  test('nn --help loads neither sharp, h5wasm nor zod', async () => {
    const loaded = await traced(['--help']);
    expect(loaded).toContain('/node_modules/commander/');
    expect(loaded).not.toMatch(/node_modules\/(sharp|h5wasm|zod|cli-progress|csv-parse)\//);
  });

  test('nn completion loads neither them nor any command but its own, and its script starts no nn', async () => {
    const loaded = await traced(['completion', 'bash']);
    expect(loaded).toContain('/src/commands/completion.ts');
    expect(loaded).not.toMatch(/node_modules\/(sharp|h5wasm|zod|cli-progress|csv-parse)\/|src\/commands\/train\.ts/);
  });

  test('(nn train loads zod: the trace would have shown it)', async () => {
    const loaded = await traced(['train', '--config', 'nowhere.json']);
    for (const file of ['/node_modules/zod/', '/src/config/schema']) expect(loaded).toContain(file); // in the bundles' order, which is any
  });

  describe('of nn predict', () => {
    beforeAll(async () => {
      await writePicture(join(folder, 'one.png'), { index: 1, cat: true, side: 200 });
      const small = { data: { source: { type: 'drawn', count: 20 } }, model: { layers: [] }, training: { epochs: 1 } };
      await writeJson(join(folder, 'small.json'), small);
      expect((await type('train --config small.json --output small -q')).code).toBe(0);
    });

    test('loads what it needs, which is neither a config nor the drawing of cats', async () => {
      const loaded = await traced(['predict', '--model', 'small', 'one.png']);
      expect(loaded).toMatch(/node_modules\/sharp\//); // the trace would have shown the others
      expect(loaded).toContain('/src/data/image.ts');
      expect(loaded).not.toMatch(
        /node_modules\/(h5wasm|zod|cli-progress|csv-parse|tinyglobby)\/|src\/(config\/schema|data\/drawn)/,
      );
    });

    test('takes at most 2.5 times what sharp takes to be loaded and to decode the same picture', { retry: 3 }, () => {
      const sharp = createRequire(import.meta.url).resolve('sharp');
      const bare = `require(${JSON.stringify(sharp)})('one.png').resize(64, 64).raw().toBuffer()`;
      const rounds = Array.from({ length: 7 }, () => ({
        bare: milliseconds(['-e', bare]),
        predict: milliseconds([binPath, 'predict', '--model', 'small', 'one.png']),
      }));
      expect(median(rounds.map(({ predict }) => predict))).toBeLessThan(2.5 * median(rounds.map(({ bare }) => bare)));
    });
  });

  test('nn --help answers within 1.5 times of what node -e 0 takes, plus 100 ms', { retry: 3 }, () => {
    const rounds = Array.from({ length: 7 }, () => ({
      bare: milliseconds(['-e', '0']),
      help: milliseconds([binPath, '--help']),
    }));
    expect(median(rounds.map(({ help }) => help))).toBeLessThan(1.5 * median(rounds.map(({ bare }) => bare)) + 100);
  });
});
