import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nn } from '../cli.ts';
import { temporaryFolder } from './pictures.ts';

// What TAB makes of a line, in real shells, driven by expect.

const has = (program: string) => spawnSync(program, ['-c', 'exit'], { timeout: 20_000 }).error === undefined;
const hasExpect = spawnSync('expect', ['-v']).error === undefined;

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of ['bash', 'zsh', 'fish']) {
    const { code, stdout, stderr } = await nn(['completion', name], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await writeFile(join(folder, `nn.${name}`), stdout);
  }
  await mkdir(join(folder, 'bin'));
  // in the place of nn, and of all that it would start: whoever completes must not call them
  for (const name of ['nn', 'node']) {
    await writeFile(
      join(folder, 'bin', name),
      `#!/bin/sh\nprintf '%s|' ${name} "$@" >> "${folder}/called"\necho >> "${folder}/called"\necho was-called\n`,
    );
    await chmod(join(folder, 'bin', name), 0o755);
  }
  await writeFile(join(folder, 'my config.json'), '{}');
  await writeFile(join(folder, 'photos.json'), '{}');
  await mkdir(join(folder, 'pictures'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A line as it is typed, and the words that nn is called with in the end. */
const lines: [typed: string, called: string[]][] = [
  ['tra\t', ['train']],
  ['pred\tphot\t', ['predict', 'photos.json']],
  ['data insp\t', ['data', 'inspect']],
  ['runs comp\t', ['runs', 'compare']],
  ['-q conf\tch\tphot\t', ['-q', 'config', 'check', 'photos.json']],
  ['train --conf\tmy\t', ['train', '--config', 'my config.json']],
  ['train --set training.sch\tn\toneC\t', ['train', '--set', 'training.schedule.name=oneCycle']],
  ['train --set model.layers.2.batchN\ttr\t', ['train', '--set', 'model.layers.2.batchNorm=true']],
  ['train --set dat\timageS\t96', ['train', '--set', 'data.imageSize=96']],
  ['train --set seed=3 --set dat\tsp\t', ['train', '--set', 'seed=3', '--set', 'data.split']],
  ['train --output pic\tnew', ['train', '--output', 'pictures/new']],
  ['evaluate --split te\t', ['evaluate', '--split', 'test']],
  ['evaluate --split=te\t', ['evaluate', '--split=test']],
  ['data draw --diff\tha\t', ['data', 'draw', '--difficulty', 'hard']],
  ['completion fi\t', ['completion', 'fish']],
];

const shells: Record<string, { start: string; prompt: string }> = {
  bash: { start: 'bash --norc --noprofile', prompt: 'PS1="ready> "' },
  zsh: { start: 'zsh -f', prompt: 'PS1="ready> "' },
  fish: { start: 'fish --no-config', prompt: 'function fish_prompt; echo "ready> "; end' },
};

describe.each(Object.keys(shells))('in %s', (shell) => {
  const missing = [...(has(shell) ? [] : [shell]), ...(hasExpect ? [] : ['expect'])];
  test.skipIf(missing.length > 0)(
    `TAB completes commands, flags, files and fields${missing.length > 0 ? ` (needs ${missing.join(' and ')})` : ''}`,
    { timeout: 120_000, retry: 1 },
    async () => {
      await rm(join(folder, 'called'), { force: true });
      const { start, prompt } = shells[shell]!;
      const key = (text: string) => JSON.stringify(text).replaceAll('$', '\\$').replaceAll('[', '\\[');
      const script = [
        'set timeout 60',
        'log_user 0',
        `spawn ${start}`,
        `send ${key(`${prompt}\r`)}`,
        `send ${key(`source nn.${shell}\r`)}`,
        `send ${key('nn begins\r')}`,
        'expect -re "was-called\\[\\r\\n\\]" {} default { puts "no begin"; exit 3 }',
        ...lines.flatMap(([typed]) => [
          `send ${key(`nn ${typed}`)}`,
          `send "\\r"`,
          'expect "was-called" {} default { puts "no end"; exit 4 }',
        ]),
        'send "exit\\r"',
        'expect eof',
      ].join('\n');
      const env = {
        ...process.env,
        PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
        HOME: folder,
        TERM: 'vt100',
        XDG_DATA_HOME: folder,
      };
      const { stdout, status } = spawnSync('expect', ['-c', script], { cwd: folder, env, encoding: 'utf8', timeout: 100_000 });
      expect({ status, stdout: status === 0 ? '' : stdout }).toEqual({ status: 0, stdout: '' });
      const called = (await readFile(join(folder, 'called'), 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => line.split('|').slice(0, -1));
      expect(called.slice(1)).toEqual(lines.map(([, words]) => ['nn', ...words]));
    },
  );
});
