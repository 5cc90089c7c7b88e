import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../src/commands/command.ts';
import { commandGroups, commands } from '../../src/commands/commands.ts';
import { commandLineWords, settings } from '../../src/commands/completion-words.ts';
import { loadConfig } from '../../src/config/load.ts';
import { completionScripts } from '../../src/report/completion-scripts.ts';
import { fieldsOf } from '../../src/report/setting.ts';
import { configsPath } from '../cli.ts';

const words = await commandLineWords();
const of = (name: string) => words.commands.find((one) => one.name === name)!;

describe('what may be typed comes from the table of commands', () => {
  test.each(commands.map(({ name, load }) => ({ name, load })))(
    'nn $name: reached word by word, with its flags and no other',
    async ({ name, load }) => {
      const typed = name.split(' ');
      for (const [i, word] of typed.entries()) {
        const below = of(typed.slice(0, i).join(' ')).commands.map((one) => one.word);
        expect(below.filter((one) => one === word)).toEqual([word]);
      }
      const { options } = (await load()).command as Command;
      const known = of(name).flags.flatMap(({ names }) => names);
      for (const { flags, words: choices } of options) {
        const long = /--[\w-]+/.exec(flags)![0];
        const flag = of(name).flags.find(({ names }) => names.includes(long))!;
        expect(flag.value !== null, flags).toBe(flags.includes('<'));
        if (choices !== undefined) expect(flag.value!.words).toEqual(choices);
      }
      expect(known).toEqual(expect.arrayContaining(['-q', '--quiet', '-v', '--verbose', '--no-color', '-h', '--help']));
      expect(new Set(known).size).toBe(known.length);
    },
  );

  test('groups are there, and every script has every word', () => {
    for (const name of Object.keys(commandGroups)) expect(of('').commands.map(({ word }) => word)).toContain(name);
    for (const script of Object.values(completionScripts)) {
      const text = script(words);
      for (const { name, flags } of words.commands) {
        expect(text).toContain(`'${name}'`);
        for (const { names } of flags) expect(text).toContain(names.at(-1)!);
      }
    }
  });

  test('words that are completed hold nothing that a shell would split or read', () => {
    const all = words.commands.flatMap(({ flags, operand }) => [
      ...flags.flatMap(({ value }) => value?.words ?? []),
      ...operand.words,
    ]);
    expect(all.length).toBeGreaterThan(20);
    for (const word of [...all, ...[...settings().values.values()].flat()]) expect(word).toMatch(/^[\w.+-]+$/);
  });
});

describe('the fields behind --set come from the schema', () => {
  const { below, values } = settings();
  const isReached = (field: string) => {
    const at = field.lastIndexOf('.') + 1;
    return below.get(field.slice(0, at))?.includes(`${field.slice(at)}=`) ?? false;
  };

  test.each(['all-options', 'conv-photos', 'photos'])('every field of configs/%s.json, resolved, is there', async (name) => {
    const { config } = await loadConfig(join(configsPath, `${name}.json`));
    const { $schema: _, ...rest } = config;
    const layers = rest.model.layers.flatMap((layer, i) => fieldsOf(layer, `model.layers.${i}`));
    const fields = [...fieldsOf(rest), ...layers].map(([field]) => field.replace(/\.\d+\./, '.0.'));
    expect(fields.length).toBeGreaterThan(40);
    expect(fields.filter((field) => !isReached(field))).toEqual([]);
  });

  test('with the words that a field may hold', async () => {
    expect(values.get('training.optimizer.name')).toContain('adamw');
    expect(values.get('training.averageMirrored')).toEqual(['true', 'false']);
    expect(values.get('model.layers.0.type')).toEqual([
      'dense',
      'conv',
      'maxPool',
      'averagePool',
      'globalAveragePool',
      'residual',
    ]);
    const schema = await readFile(join(configsPath, 'schema.json'), 'utf8');
    for (const word of [...values.values()].flat()) expect(schema).toContain(word);
  });
});
