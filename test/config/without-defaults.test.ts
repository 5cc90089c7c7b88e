import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { withoutDefaults } from '../../src/config/without-defaults.ts';
import { configsPath } from '../cli.ts';

describe('a config as far as it is not the default', () => {
  test('has no more than was said, whatever stands in it', () => {
    const said = {
      seed: 3,
      data: { source: { type: 'folder', path: 'photos' }, split: { dev: 0.25, test: 0.25 } },
      model: { layers: [{ units: 20 }, { units: 7, activation: 'tanh' }] },
      training: { optimizer: { name: 'adam', beta1: 0.8 }, earlyStopping: { patience: 3 } },
    };
    const more = {
      ...said,
      precision: 'float32',
      data: { ...said.data, imageSize: 64, augment: { flipHorizontal: false } },
      training: { ...said.training, epochs: 100 },
    };
    expect(withoutDefaults(checkConfig(more, 'c.json'))).toEqual(said);
  });

  test('keeps the version whose defaults hold, where it is another', () => {
    const old = { defaults: '0.1.0', data: { source: { type: 'drawn' } } };
    expect(withoutDefaults(checkConfig(old, 'c.json'))).toEqual(old);
  });

  const files = readdirSync(configsPath).filter((name) => name !== 'schema.json');
  test.each(files)('of %s means the same', (name) => {
    const config = checkConfig(JSON.parse(readFileSync(join(configsPath, name), 'utf8')), name);
    const { $schema: _, ...rest } = config;
    expect(checkConfig(withoutDefaults(config), name)).toEqual(rest);
  });
});
