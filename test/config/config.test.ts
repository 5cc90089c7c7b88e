import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schemasAt } from '../../src/config/json-schema.ts';
import { checkConfig, loadConfig, moveConfig } from '../../src/config/load.ts';
import { meantValue, settingFor } from '../../src/config/meant.ts';
import type { Config } from '../../src/config/schema.ts';
import { configsPath } from '../cli.ts';

const drawn = { source: { type: 'drawn' } };
const check = (raw: unknown, ...sets: string[]) => checkConfig(raw, 'configs/cat.json', sets);

/** The sentences with which a config is refused, a line each. */
function refusal(raw: unknown, ...sets: string[]): string[] {
  try {
    check(raw, ...sets);
  } catch (error) {
    expect(error).toMatchObject({ name: 'UserError', exitCode: 2 });
    return (error as Error).message.split('\n');
  }
  throw new Error('not refused');
}

describe('a mistake is told by file, path, what was expected, what was found, and the nearest right name', () => {
  const training = (fields: object) => ({ data: drawn, training: fields });
  const model = (fields: object) => ({ data: drawn, model: fields });
  const source = (fields: object) => ({ data: { source: fields } });
  const split = (value: unknown) => ({ data: { ...drawn, split: value } });
  const deep = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}0${'}'.repeat(depth)}`);

  test.each<[string, unknown, string | RegExp]>([
    [
      'an unknown name of an optimizer',
      training({ optimizer: { name: 'gradientDecent' } }),
      /^training\.optimizer\.name: expected "gradientDescent".*, found "gradientDecent" \(did you mean "gradientDescent"\?\)$/,
    ],
    ['a wrong key at the top', { ...training({}), trainng: {} }, 'trainng: no such field (did you mean "training"?)'],
    [
      'a wrong key below',
      { data: { ...drawn, normalise: 'scale' } },
      'data.normalise: no such field (did you mean "normalize"?)',
    ],
    [
      'a wrong key in a list',
      model({ layers: [{ units: 1 }, { units: 1, activaton: 'relu' }] }),
      'model.layers.1.activaton: no such field (did you mean "activation"?)',
    ],
    [
      'zoom bounds the wrong way round',
      { data: { ...drawn, augment: { zoom: [1.2, 0.8] } } },
      'data.augment.zoom: expected the lower factor first, found [1.2,0.8]',
    ],
    [
      'a range of a search the wrong way round',
      { data: drawn, search: { parameters: { 'training.l2': { uniform: [2, 1] } } } },
      /^search\.parameters\.training\.l2.*: expected two numbers from .*, the smaller first, found \[2,1\]$/,
    ],
    [
      'a zoom to nothing',
      { data: { ...drawn, augment: { zoom: [0, 2] } } },
      'data.augment.zoom.0: expected a number from 0.05 to 20, found 0',
    ],
    [
      'a zoom by itself that reaches nothing',
      { data: { ...drawn, augment: { zoom: 1 } } },
      'data.augment.zoom: expected a number of at least 0 and below 1 or a list of 2, found 1',
    ],
    [
      'too much of aspect',
      { data: { ...drawn, augment: { aspect: 3 } } },
      'data.augment.aspect: expected a number from 0 to 1, found 3',
    ],
    [
      'a key in other letters',
      training({ LEARNINGRATE: 1 }),
      'training.LEARNINGRATE: no such field (did you mean "learningRate"?)',
    ],
    [
      'a key that is like none',
      { data: drawn, model: { frobnicate: 1 } },
      /^model\.frobnicate: no such field; known here: init, layers/,
    ],
    [
      'the key that tells objects apart',
      training({ optimizer: { nam: 'gradientDescent' } }),
      'training.optimizer.nam: no such field (did you mean "name"?)',
    ],
    [
      'a key of another kind of source',
      source({ type: 'folder', path: 'a', count: 5 }),
      'data.source.count: no such field; known here: type, path, positive, fit',
    ],
    [
      'a text for a number',
      training({ epochs: '5' }),
      'training.epochs: expected a whole number of at least 1, found "5" (did you mean 5?)',
    ],
    [
      'labels of which half goes to the other class',
      training({ labelSmoothing: 0.5 }),
      'training.labelSmoothing: expected a number of at least 0 and below 0.5, found 0.5',
    ],
    [
      'a warmup of more than all steps',
      training({ schedule: { name: 'oneCycle', warmup: 2 } }),
      'training.schedule.warmup: expected a number from 0 to 1, found 2',
    ],
    ['half an epoch', training({ epochs: 1.5 }), 'training.epochs: expected a whole number of at least 1, found 1.5'],
    ['no epoch', training({ epochs: 0 }), 'training.epochs: expected a whole number of at least 1, found 0'],
    [
      'more than a number can be',
      training({ epochs: JSON.parse('1e999') }),
      'training.epochs: expected a whole number of at least 1, found Infinity',
    ],
    ['null', training({ epochs: null }), 'training.epochs: expected a whole number of at least 1, found null'],
    [
      'a number that is too large',
      { data: drawn, seed: 2 ** 32 },
      'seed: expected a whole number from 0 to 4294967295, found 4294967296',
    ],
    [
      'a picture of no size',
      { data: { ...drawn, imageSize: 0 } },
      'data.imageSize: expected a whole number from 1 to 1024, found 0',
    ],
    ['a number for a text', source({ type: 'folder', path: 5 }), 'data.source.path: expected a text that is not empty, found 5'],
    ['an empty path', source({ type: 'folder', path: '' }), 'data.source.path: expected a text that is not empty, found ""'],
    ['a path that is missing', source({ type: 'folder' }), 'data.source.path: expected a text that is not empty, found nothing'],
    [
      'a name in other letters',
      training({ loss: 'crossentropy' }),
      'training.loss: expected "crossEntropy", "squaredError", found "crossentropy" (did you mean "crossEntropy"?)',
    ],
    [
      'a name that is like none',
      { data: drawn, precision: 'double' },
      'precision: expected "float32", "float64", found "double"',
    ],
    ['a list for an object', training([]), /^training: expected an object \{ .* \}, found \[\]$/],
    ['an object for a list', model({ layers: { units: 5 } }), 'model.layers: expected a list [ … ], found {"units":5}'],
    [
      'a number in a list of objects',
      model({ layers: [5] }),
      /^model\.layers\.0: expected an object \{ .* \}, found 5 \(did you mean \{ "units": 5 \}\?\)$/,
    ],
    [
      'null for the data',
      { data: null },
      'data: expected an object such as { "source": { "type": "folder", "path": "photos" } }, found null',
    ],
    ['no data', {}, 'data: expected an object such as { "source": { "type": "folder", "path": "photos" } }, found nothing'],
    [
      'an unknown type of source',
      source({ type: 'fodler', path: 'x' }),
      /^data\.source\.type: expected "folder", "csv", "hdf5", "drawn".*, found "fodler" \(did you mean "folder"\?\)$/,
    ],
    [
      'no type of source',
      source({ path: 'x' }),
      /^data\.source\.type: expected "folder", .*, found nothing \(did you mean "folder"\?\)$/,
    ],
    [
      'a text for a source',
      source('x' as never),
      'data.source: expected an object { … }, found "x" (did you mean { "type": "folder", "path": "x" }?)',
    ],
    [
      'a shuffle by a wrong word',
      { data: { ...drawn, shuffle: 'ful' } },
      /^data\.shuffle: expected .*, found "ful" \(did you mean "full"\?\)$/,
    ],
    [
      'a window without room for a block',
      { data: { ...drawn, shuffle: { block: 9, window: 8 } } },
      /^data\.shuffle.*expected a window that holds a block at least, found 8$/,
    ],
    ['a split by a wrong word', split('aut'), /^data\.split: expected "auto" or .*, found "aut" \(did you mean "auto"\?\)$/],
    ['a split by a wrong key', split({ dve: 0.2 }), 'data.split.dve: no such field (did you mean "dev"?)'],
    [
      'a split by a text',
      split({ dev: '0.2' }),
      'data.split.dev: expected a number above 0 and below 1 or a whole number of at least 1, found "0.2" (did you mean 0.2?)',
    ],
    [
      'a split that is neither share nor count',
      split({ dev: 1.5 }),
      'data.split.dev: expected a number above 0 and below 1 or a whole number of at least 1, found 1.5',
    ],
    ['null for a split', split(null), /^data\.split: expected "auto" or .*, found null$/],
    [
      'an initialiser that is none',
      model({ init: 'zero' }),
      /^model\.init: expected "auto", "he", "xavier", .* or an object \{ name, factor \}, found "zero" \(did you mean "zeros"\?\)$/,
    ],
    ['an initialiser without its name', model({ init: { factor: 1 } }), /^model\.init\.name: expected "he", .*, found nothing$/],
    [
      'an initialiser with a wrong key',
      model({ init: { name: 'random', facto: 1 } }),
      'model.init.facto: no such field (did you mean "factor"?)',
    ],
    [
      'an initialiser with a text for a factor',
      model({ init: { name: 'random', factor: 'a' } }),
      'model.init.factor: expected a number of at least 0, found "a"',
    ],
    [
      "a layer's own initialiser",
      model({ layers: [{ units: 1, init: 'hee' }] }),
      /^model\.layers\.0\.init: expected .*, found "hee" \(did you mean "he"\?\)$/,
    ],
    [
      'a learning rate by a wrong word',
      training({ learningRate: 'atuo' }),
      /^training\.learningRate: expected "auto" or a number above 0.*, found "atuo" \(did you mean "auto"\?\)$/,
    ],
    [
      'a learning rate of 0',
      training({ learningRate: 0 }),
      /^training\.learningRate: expected "auto" or a number above 0.*, found 0$/,
    ],
    [
      'a learning rate that is an object',
      training({ learningRate: {} }),
      /^training\.learningRate: expected "auto" or a number above 0.*, found \{\}$/,
    ],
    [
      'one name for two classes',
      source({ type: 'hdf5', path: 'a', classes: ['cat'] }),
      'data.source.classes: expected a text that is not empty or a list of at least 2, found ["cat"]',
    ],
    [
      'a number among the classes',
      source({ type: 'hdf5', path: 'a', classes: ['cat', 5] }),
      'data.source.classes.1: expected a text that is not empty, found 5',
    ],
    [
      'both one source and parts',
      { data: { ...drawn, train: { type: 'drawn' } } },
      /^data: expected either source, or train.*; found both$/,
    ],
    ['neither', { data: {} }, /^data: expected a source, or train.*, found neither$/],
    [
      'a dev part twice',
      { data: { train: { type: 'drawn' }, dev: { type: 'drawn' }, split: { dev: 0.2 } } },
      /^data\.split\.dev: expected dev .*, found both$/,
    ],
    ['a schema that is no text', { data: drawn, $schema: 5 }, '$schema: expected a text, found 5'],
    [
      '__proto__ as a key',
      JSON.parse('{"data":{"source":{"type":"drawn"}},"__proto__":{"seed":5}}'),
      /^__proto__: no such field/,
    ],
    ['constructor as a key', { data: drawn, training: { constructor: 1 } }, /^training\.constructor: no such field/],
    [
      'constructor as a name',
      training({ loss: 'constructor' }),
      'training.loss: expected "crossEntropy", "squaredError", found "constructor"',
    ],
    ['toString as a type', source({ type: 'toString' }), /^data\.source\.type: expected .*, found "toString"$/],
    ['a long value', training({ loss: 'x'.repeat(1000) }), /^training\.loss: expected .*, found "x{50,60}…$/],
    [
      'a value nested too deep for JSON',
      training({ learningRate: deep(100_000) }),
      /^training\.learningRate: expected .*, found something nested too deep to show$/,
    ],
    [
      'a choice nested too deep for the schema',
      { data: drawn, search: { parameters: { 'training.l2': { choice: ['a', deep(100_000)] } } } },
      /expected a config, found values nested too deep to read$/,
    ],
    ['a deep value under a wrong key', { data: drawn, modle: deep(100_000) }, 'modle: no such field (did you mean "model"?)'],
  ])('%s', (_, raw, expected) => {
    const [line, ...more] = refusal(raw);
    expect(more).toEqual([]);
    expect(line).toMatch(/^configs\/cat\.json: /);
    const text = line!.replace('configs/cat.json: ', '');
    expect(text).toMatch(/\bfound |no such field/);
    if (typeof expected === 'string') expect(text).toBe(expected);
    else expect(text).toMatch(expected);
  });

  test.each([null, [], 5, 'x', true])('a config that is %j', (raw) => {
    expect(refusal(raw)).toEqual([`configs/cat.json: expected an object { … }, found ${JSON.stringify(raw)}`]);
  });

  test('all mistakes are listed at once', () => {
    const raw = {
      seed: -1,
      data: { ...drawn, imageSize: 'large', normalise: 'scale' },
      model: { layers: [{ units: 0 }, { units: 2, activation: 'rleu' }, { unit: 3 }] },
      trainng: {},
    };
    expect(
      refusal(raw)
        .map((line) => line.split(': ')[1])
        .sort(),
    ).toEqual(
      [
        'seed',
        'data.imageSize',
        'data.normalise',
        'model.layers.0.units',
        'model.layers.1.activation',
        'model.layers.2.unit',
        'trainng',
      ].sort(),
    );
  });

  test('thousands of mistakes are cut short', () => {
    const lines = refusal(model({ layers: Array.from({ length: 5000 }, () => ({ units: 0 })) }));
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toBe('configs/cat.json: … and 4900 more');
  });

  test('tens of thousands of unknown fields, in good time', () => {
    const started = performance.now();
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i]));
    expect(refusal({ data: { ...many, source: drawn.source } }).at(-1)).toBe('configs/cat.json: … and 19900 more');
    expect(performance.now() - started).toBeLessThan(20_000); // once it took a minute or more
  });

  test('reading a hostile config changes no prototype', () => {
    refusal(
      JSON.parse('{"data":{"source":{"type":"drawn"}},"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    );
    refusal({ data: drawn }, 'constructor.prototype.polluted=1');
    refusal({ data: drawn }, '__proto__.polluted=1');
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined);
  });
});

describe('--set', () => {
  const base = { data: drawn, model: { layers: [{ units: 5, activation: 'tanh' }] }, training: { epochs: 3 } };
  const get = (config: Config, path: string) =>
    path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], config);

  test.each<[string, string[], string, unknown]>([
    ['a number', ['training.epochs=7'], 'training.epochs', 7],
    ['a number with an exponent', ['training.learningRate=1e-3'], 'training.learningRate', 0.001],
    ['a bare word', ['training.loss=squaredError'], 'training.loss', 'squaredError'],
    ['a word in quotes', ['training.loss="squaredError"'], 'training.loss', 'squaredError'],
    ['a list as JSON', ['model.layers=[]'], 'model.layers', []],
    ['an object as JSON', ['data.split={"dev":0.5}'], 'data.split', { dev: 0.5, method: 'exact' }],
    ['a value with an equals sign', ['$schema=a=b'], '$schema', 'a=b'],
    ['an index', ['model.layers.0.units=9'], 'model.layers.0.units', 9],
    ['an index that appends', ['model.layers.1.units=9'], 'model.layers.1.units', 9],
    ['the last of several', ['seed=1', 'seed=2'], 'seed', 2],
    [
      'a field inside of one that was a word',
      ['model.init=he', 'model.init={"name":"random"}', 'model.init.factor=0.5'],
      'model.init',
      { name: 'random', factor: 0.5 },
    ],
    ['a field of an object that is not written', ['diagnosis.highBias=0.2'], 'diagnosis.highBias', 0.2],
  ])('%s', (_, sets, path, value) => {
    expect(get(check(base, ...sets), path)).toEqual(value);
  });

  test('leaves all else as it was', () => {
    const { training: changed, ...others } = check(base, 'training.epochs=7');
    const { training, ...same } = check(base);
    expect(others).toEqual(same);
    expect(changed).toEqual({ ...training, epochs: 7 });
    expect(base.training).toEqual({ epochs: 3 });
  });

  test('an index appends to a list that the config does not write', () => {
    const config = check({ data: drawn }, 'model.layers.0.units=5', 'model.layers.1.units=6');
    expect(config.model.layers.map((layer) => 'units' in layer && layer.units)).toEqual([5, 6]);
  });

  test('another type replaces the whole object, by its own defaults', () => {
    const raw = { data: { source: { type: 'drawn', count: 50, difficulty: 'hard' } } };
    const config = check(raw, 'data.source.type=folder', 'data.source.path=/pictures');
    expect(config.data.source).toEqual(check({ data: { source: { type: 'folder', path: '/pictures' } } }).data.source);
    expect(refusal(raw, 'data.source.type=folder')).toEqual([
      '--set data.source.type=folder: data.source.path: expected a text that is not empty, found nothing',
    ]);
  });

  test('what is set within an object holds, whichever kind it is made of before or after', () => {
    const adamw = { name: 'adamw', weightDecay: 0.1 };
    const kind = 'training.optimizer.name=adamw';
    const decay = 'training.optimizer.weightDecay=0.1';
    for (const sets of [
      [kind, decay],
      [decay, kind],
      [decay, 'training.epochs=3', kind],
      ['training.optimizer.name=adam', decay, kind],
    ])
      expect(check({ data: drawn }, ...sets).training.optimizer, sets.join(' ')).toMatchObject(adamw);
    expect(check({ data: drawn }, decay, kind, 'training.optimizer={"name":"rmsprop"}').training.optimizer.name).toBe('rmsprop');
    expect(refusal({ data: drawn }, 'training.optimizer.banana=1', kind)[0]).toMatch(
      /^--set training\.optimizer\.banana=1: .*no such field/,
    );
    expect(refusal({ data: drawn }, decay, 'training.optimizer.name=adam')[0]).toMatch(
      /^--set training\.optimizer\.weightDecay=0\.1: /,
    );
    const conv = { type: 'conv', filters: 8, kernel: 5 };
    const within = ['model.layers.0.layers.0.filters=8', 'model.layers.0.layers.0.kernel=5'];
    const kinds = ['model.layers.0.layers.0.type=conv', 'model.layers.0.type=residual'];
    for (const sets of [[...within, ...kinds], [...kinds, ...within].reverse(), [...kinds.reverse(), ...within]])
      expect(check({ data: drawn }, ...sets).model.layers[0], sets.join(' ')).toMatchObject({ type: 'residual', layers: [conv] });
  });

  test('the same type leaves the object as it is, also where it is the default', () => {
    const raw = { data: { source: { type: 'drawn', count: 50 } }, model: { layers: [{ units: 5 }] } };
    expect(check(raw, 'data.source.type=drawn', 'model.layers.0.type=dense')).toEqual(check(raw));
  });

  test.each<[string, string | RegExp]>([
    ['trainin.epochs=5', 'trainin: no such field (did you mean "training"?)'],
    ['training.epoch=5', 'training.epoch: no such field (did you mean "epochs"?)'],
    ['model.layers.0.unit=5', 'model.layers.0.unit: no such field (did you mean "units"?)'],
    ['training.optimizer.name=gradientDecent', /^training\.optimizer\.name: .*\(did you mean "gradientDescent"\?\)$/],
    ['training.epochs=x', 'training.epochs: expected a whole number of at least 1, found "x"'],
    ['training.epochs="7"', 'training.epochs: expected a whole number of at least 1, found "7" (did you mean 7?)'],
    ['training.loss=', /^training\.loss: expected .*, found ""$/],
    ['data=null', 'data: expected an object such as { "source": { "type": "folder", "path": "photos" } }, found null'],
    ['data.train={"type":"drawn"}', /^data: expected either source, or train.*; found both$/],
    ['model.layers.3.units=9', 'model.layers: expected an index from 0 to 1, found 3'],
    ['model.layers.x.units=9', 'model.layers: expected an index from 0 to 1, found "x"'],
    ['training', /^expected PATH=VALUE, such as /],
    ['=5', /^expected PATH=VALUE, such as /],
    ['', /^expected PATH=VALUE, such as /],
    ['__proto__.x=1', /^no such field/],
    ['constructor.name=x', /^constructor: no such field/],
  ])('--set %s is named in the error', (set, expected) => {
    const [line, ...more] = refusal(base, set);
    expect(more).toEqual([]);
    const text = line!.slice(`--set ${set}: `.length);
    expect(line!.startsWith(`--set ${set}: `)).toBe(true);
    if (typeof expected === 'string') expect(text).toBe(expected);
    else expect(text).toMatch(expected);
  });

  test("is not blamed for the file's own mistakes", () => {
    expect(refusal({ data: drawn, training: { epochs: 0 } }, 'seed=-1', 'training.learningRate=0.1').sort()).toEqual([
      '--set seed=-1: seed: expected a whole number from 0 to 4294967295, found -1',
      'configs/cat.json: training.epochs: expected a whole number of at least 1, found 0',
    ]);
  });

  test("mends the file's mistakes", () => {
    expect(check({ data: drawn, training: { epochs: 0 } }, 'training.epochs=2').training.epochs).toBe(2);
  });
});

describe('what was meant is shown', () => {
  const folder = { type: 'folder', path: 'p' };
  const training = (fields: object) => ({ data: { source: folder }, training: fields });
  const model = (fields: unknown) => ({ data: { source: folder }, model: fields });
  const data = (fields: object) => ({ data: { source: folder, ...fields } });

  test.each<[string, unknown, string]>([
    ['a folder for a source', { data: { source: 'photos' } }, '{ "type": "folder", "path": "photos" }'],
    ['a table for a source', { data: { train: 'labels.csv' } }, '{ "type": "csv", "path": "labels.csv" }'],
    ['an archive for a source', { data: { source: 'a.tar.gz' } }, '{ "type": "archive", "path": "a.tar.gz" }'],
    ['pictures for data', { data: 'photos' }, '{ "source": { "type": "folder", "path": "photos" } }'],
    ['a source without its type', { data: { source: { path: 'x.h5' } } }, '"hdf5"'],
    ['a source at the top', { source: folder, ...data({}) }, '"data.source"'],
    ['a number for a layer', model({ layers: [20] }), '{ "units": 20 }'],
    ['a number for layers', model({ layers: 20 }), '[ { "units": 20 } ]'],
    ['layers for a model', model([20, 7]), '{ "layers": [ { "units": 20 }, { "units": 7 } ] }'],
    ['neurons', model({ layers: [{ neurons: 20 }] }), '"units"'],
    ['an activation in other letters', model({ layers: [{ units: 2, activation: 'ReLU' }] }), '"relu"'],
    ['a layer of Keras', model({ layers: [{ type: 'Conv2D', filters: 8 }] }), '"conv"'],
    ['a pool of PyTorch', model({ layers: [{ type: 'AvgPool2d', size: 2 }] }), '"averagePool"'],
    ['a pool of Keras', model({ layers: [{ type: 'MaxPooling2D', size: 2 }] }), '"maxPool"'],
    ['the last pool of Keras', model({ layers: [{ type: 'GlobalAveragePooling2D' }] }), '"globalAveragePool"'],
    ['kernel_size of a convolution', model({ layers: [{ type: 'conv', filters: 8, kernel_size: 3 }] }), '"kernel"'],
    ['out_channels', model({ layers: [{ type: 'conv', out_channels: 8 }] }), '"filters"'],
    ['kernel_size of a pool', model({ layers: [{ type: 'maxPool', kernel_size: 2 }] }), '"size"'],
    ['pool_size', model({ layers: [{ type: 'maxPool', pool_size: 2 }] }), '"size"'],
    ['step_size of a schedule', training({ schedule: { name: 'step', step_size: 3 } }), '"every"'],
    ['gamma of steps', training({ schedule: { name: 'step', gamma: 0.1 } }), '"factor"'],
    ['gamma of each epoch', training({ schedule: { name: 'exponential', gamma: 0.9 } }), '"rate"'],
    ['a schedule of PyTorch', training({ schedule: { name: 'CosineAnnealingLR' } }), '"cosine"'],
    ['horizontal_flip', data({ augment: { horizontal_flip: true } }), '"flipHorizontal"'],
    ['rotation', data({ augment: { rotation: 15 } }), '"rotate"'],
    ['a name for an optimizer', training({ optimizer: 'adam' }), '{ "name": "adam" }'],
    ['another name for one', training({ optimizer: 'sgd' }), '{ "name": "gradientDescent" }'],
    ['that name in its object', training({ optimizer: { name: 'SGD' } }), '"gradientDescent"'],
    ['a name for a schedule', training({ schedule: 'cosine' }), '{ "name": "cosine" }'],
    ['a loss of Keras', training({ loss: 'binary_crossentropy' }), '"crossEntropy"'],
    ['early stopping that is true', training({ earlyStopping: true }), '{ "patience": 10, "minDelta": 0 }'],
    ['a number for it', training({ earlyStopping: 5 }), '{ "patience": 5 }'],
    ['a number as a text', training({ batchSize: '32' }), '32'],
    ['lr', training({ lr: 0.1 }), '"learningRate"'],
    ['batch_size', training({ batch_size: 3 }), '"batchSize"'],
    ['weight_decay', training({ weight_decay: 3 }), '"l2"'],
    ['ema', training({ ema: 0.999 }), '"averageWeights"'],
    ['dropout', training({ dropout: 0.5 }), '"model.layers.0.keepProb"'],
    ['epochs at the top', { ...data({}), epochs: 5 }, '"training.epochs"'],
    ['validation for a part', data({ validation: folder }), '"dev"'],
    ['validation in a split', data({ split: { validation: 0.2 } }), '"dev"'],
  ])('%s', (_, raw, meant) => {
    expect(refusal(raw).filter((line) => line.endsWith(` (did you mean ${meant}?)`))).toHaveLength(1);
  });

  test.each<[string, unknown, string]>([
    ['a share for a split', data({ split: 0.2 }), '{ "train": 0.6, "dev": 0.2, "test": 0.2 }'],
    ['true for augment', data({ augment: true }), '{ "flipHorizontal": true }'],
    ['bounds for a range', { ...data({}), search: { parameters: { 'training.l2': [0, 1] } } }, '{ "logUniform": [ 0.0001, 1 ] }'],
  ])('%s: where there is no telling, an example is', (_, raw, example) => {
    expect(refusal(raw).join()).toContain(`an object such as ${example}, found`);
  });

  test.each<[string, string]>([
    ['epochs=5', 'training.epochs=5'],
    ['lr=0.1', 'training.learningRate=0.1'],
    ['training.optimizer=adam', 'training.optimizer.name=adam'],
    ['training.optimizer=sgd', 'training.optimizer.name=gradientDescent'],
    ['optimizer=adam', 'training.optimizer.name=adam'],
    ['model.layers=20', `'model.layers=[{"units":20}]'`],
    ['model.layers=[20,7]', `'model.layers=[{"units":20},{"units":7}]'`],
    ['data.source=photos', `'data.source={"type":"folder","path":"photos"}'`],
  ])('--set %s', (set, meant) => {
    const [line] = refusal(data({}), set);
    expect(line).toMatch(new RegExp(`^--set ${set.replaceAll('[', '\\[')}: `));
    expect(line!.endsWith(` (did you mean --set ${meant}?)`)).toBe(true);
  });

  test('is what the schema takes, for whatever stands in any place', () => {
    const scalars = fc.oneof(fc.string({ maxLength: 8 }), fc.integer({ min: -3, max: 300 }), fc.double(), fc.boolean());
    const anything = fc.oneof(scalars, fc.array(scalars, { maxLength: 3 }));
    const places = [
      'data.source',
      'data.split',
      'data.augment',
      'model',
      'model.layers',
      'model.init',
      'training',
      'training.optimizer',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places, 'training.earlyStopping', 'training.schedule'), anything, (place, value) => {
        const path = place.split('.');
        const nested = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
        const schemas = schemasAt(path, nested);
        const meant = meantValue(schemas, value);
        if (meant === undefined) return;
        const setting = settingFor(path, schemas, value)!;
        const lines = (() => {
          try {
            check({ data: { source: folder } }, setting);
            return [];
          } catch (error) {
            return (error as Error).message.split('\n');
          }
        })();
        expect(lines.filter((line) => line.includes('expected an object') || line.includes('expected a list'))).toEqual([]);
      }),
    );
  });

  test('spaces around = are no part of it', () => {
    expect(check(data({}), 'training.epochs = 5').training.epochs).toBe(5);
    expect(check(data({}), 'training.optimizer.name = adam').training.optimizer.name).toBe('adam');
    expect(check(data({}), 'data.source.path=" x "').data.source).toMatchObject({ path: '../ x ' });
  });
});

describe('a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nn-config-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const load = async (text: string | Uint8Array) => {
    await writeFile(join(folder, 'c.json'), text);
    return loadConfig(join(folder, 'c.json'));
  };

  test.each([
    ['', /c\.json: expected a config, found an empty file$/],
    [' \n\t', /c\.json: expected a config, found an empty file$/],
    ['{', /c\.json: line 1: expected a name in double quotes or }, found the end of the file$/],
    ['{\n  "seed": 1,\n}', /c\.json: line 3: expected a name in double quotes, found }$/],
    ['{\n  "seed": 1\n  "data": {}\n}', /c\.json: line 3: expected a comma or }, found "data": {}$/],
    ["{\n 'seed': 1}", /c\.json: line 2: expected a name in double quotes or }, found 'seed': 1}$/],
    ['{"seed" 1}', /c\.json: line 1: expected a colon, found 1}$/],
    ['{"seed":\n01}', /c\.json: line 2: expected a value, found 01}$/],
    ['{"a": [1, 2}', /c\.json: line 1: expected a comma or ], found }$/],
    ['{"a": tru}', /c\.json: line 1: expected a value, found tru}$/],
    ['{"a": "b\nc"}', /c\.json: line 1: expected a value, found "b$/],
    ['{} // a remark', /c\.json: line 1: expected nothing more, found \/\/ a remark$/],
    ['\n\n# YAML', /c\.json: line 3: expected a value, found # YAML$/],
    ['{"a": "\u0001"}', /c\.json: expected .*control character/],
    [`{"a": "${'x'.repeat(100_000)}`, /c\.json: line 1: expected a value, found "x{18}…$/], // once this took for ever
  ])('that is not JSON: %j', async (text, why) => {
    await expect(load(text)).rejects.toMatchObject({ message: expect.stringMatching(why), exitCode: 2 });
  });

  test.each([
    ['{"seed": 1,}', true],
    ['{"a": [1, ]}', true],
    ['{"a": {"b": 1,\n}}', true],
    ['{"a": }', false],
    ['{"a": [1, }', false],
    ['{,}', false],
  ])('with a comma too many says to take it away: %j', async (text, isComma) => {
    const hint = isComma ? 'A config is JSON: take away the comma before it.' : 'A config is JSON.';
    await expect(load(text)).rejects.toMatchObject({ hint });
  });

  test.each([
    ['{"data": {"source": {"type": "folder", "path": "C:\\photos\\new"}}}', /line 1: expected a value, found "C:\\photos/],
    ['{"data": {"source": {"type": "folder",\n"path": "photos\\"}}}', /line 2: expected a value, found "photos\\"/],
    [
      '{"data": {"source": {"type": "folder", "path": "C:\\temp\\new"}}}',
      /data\.source\.path: expected a text without tabs.*"C:\\temp\\new"$/,
    ],
    ['{"data": {"train": {"type": "csv", "path": "..\\files\\t.csv"}}}', /data\.train\.path: expected a text without tabs/],
    ['{"training": {"startFrom": "runs\\best"}}', /training\.startFrom: expected a text without tabs/],
  ])('with backslashes that mean a path of Windows says how to write it: %s', async (text, why) => {
    await expect(load(text)).rejects.toMatchObject({
      message: expect.stringMatching(why),
      hint: expect.stringContaining('("C:\\\\photos"), or with / ("C:/photos")'),
      exitCode: 2,
    });
  });

  test('with escapes that are meant is read: of a path that is there, and of letters', async () => {
    await mkdir(join(folder, 'a\tb'), { recursive: true });
    const source = { type: 'folder', path: 'a\tb' };
    expect((await load(JSON.stringify({ data: { source } }))).config.data.source).toMatchObject(source);
    const path = 'caf\\u00e9\\/x';
    expect((await load(`{"data": {"source": {"type": "folder", "path": "${path}"}}}`)).config.data.source).toMatchObject({
      path: 'café/x',
    });
  });

  test.each([
    ['{"seed": 1,\n "data": {},\n "seed": 2}', 3, '"seed"', 1],
    ['{"data": {"imageSize": 8,\n "source": {"type": "drawn"},\n\n "imageSize": 16}}', 4, '"imageSize"', 1],
    ['{"model": {"layers": [{"units": 1},\n{"units": 2, "un\\u0069ts": 3}]}}', 2, '"units"', 2],
  ])('in which a name stands twice is refused with both lines: %j', async (text, second, name, first) => {
    await expect(load(text)).rejects.toMatchObject({
      message: expect.stringContaining(
        `c.json: line ${second}: expected each name once, found ${name} again, as in line ${first}`,
      ),
      exitCode: 2,
    });
  });

  test('whose names stand twice in no object is read, whatever stands in its texts', async () => {
    const text = '{"$schema": "{\\"seed\\": 1, \\"seed\\": 2}", "seed": 1, "data": {"source": {"type": "drawn", "seed": 2}}}';
    expect((await load(text)).config).toMatchObject({ seed: 1, data: { source: { seed: 2 } } });
  });

  test('in UTF-16, as PowerShell writes it, is read', async () => {
    const text = Buffer.from(`\ufeff${JSON.stringify({ data: drawn })}`, 'utf16le');
    for (const bytes of [text, Buffer.from(text).swap16()]) expect((await load(bytes)).config).toEqual(check({ data: drawn }));
  });

  test.each([
    ['{ // why\n"seed": 1}', 'which has no comments: take it away'],
    ['{"seed": 1 /* why */}', 'which has no comments: take it away'],
    ['# why\n{}', 'which has no comments: take it away'],
    ["{'seed': 1}", 'texts and names stand in double quotes'],
    ['{seed: 1}', 'names stand in double quotes, and a colon behind them'],
    ['seed: 1', 'names stand in double quotes, and a colon behind them'],
    ['{"seed": 01}', 'numbers are written as 10, 0.5 or 1e-4'],
    ['{"seed": .5}', 'numbers are written as 10, 0.5 or 1e-4'],
    ['{"seed": NaN}', 'it knows true, false, null, numbers, and texts in double quotes'],
    ['{"seed": True}', 'it knows true, false, null, numbers, and texts in double quotes'],
  ])('that is written as other languages allow says how: %j', async (text, advice) => {
    await expect(load(text)).rejects.toMatchObject({ hint: expect.stringContaining(advice) });
  });

  test('that is pictures says how a config names them', async () => {
    const hint = (type: string, name: string) =>
      `{ "data": { "source": { "type": "${type}", "path": "${join(folder, name)}" } } }`;
    await writeFile(join(folder, 'labels.csv'), 'path,label\n');
    await expect(loadConfig(join(folder, 'labels.csv'))).rejects.toMatchObject({
      hint: expect.stringContaining(hint('csv', 'labels.csv')),
    });
    await mkdir(join(folder, 'photos'));
    await expect(loadConfig(join(folder, 'photos'))).rejects.toMatchObject({
      hint: expect.stringContaining(hint('folder', 'photos')),
    });
  });

  test('that is bytes', async () => {
    const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
    await expect(load(png)).rejects.toMatchObject({
      message: expect.stringContaining('c.json: line 1: expected a value'),
      exitCode: 2,
    });
  });

  test('that starts with a byte order mark is read', async () => {
    expect((await load(`\ufeff${JSON.stringify({ data: drawn })}`)).config).toEqual(check({ data: drawn }));
  });

  test.each([
    ['is not there', 'nowhere.json', /nowhere\.json: expected a config file, found: no such file or folder/],
    ['is a folder', '.', /expected a config file, found: it is a folder/],
    ['lies below a file', 'file/c.json', /file.c\.json: expected a config file, found: /],
    ['is huge', 'huge.json', /huge\.json: expected a config file, found: more than 4,194,304 bytes/],
  ])('that %s', async (_, name, why) => {
    await writeFile(join(folder, 'file'), '');
    await writeFile(join(folder, 'huge.json'), ' '.repeat(4 * 1024 * 1024 + 1));
    await expect(loadConfig(join(folder, name))).rejects.toMatchObject({ message: expect.stringMatching(why), exitCode: 2 });
  });

  test.skipIf(process.platform === 'win32')('that never ends is not read to its end', async () => {
    await expect(loadConfig('/dev/zero')).rejects.toThrow(/found: more than 4,194,304 bytes/);
  });

  test('reached through a link has its paths start where it really lies', async () => {
    await mkdir(join(folder, 'far', 'away'), { recursive: true });
    await writeFile(
      join(folder, 'far', 'away', 'c.json'),
      JSON.stringify({ data: { source: { type: 'folder', path: '../cats' } } }),
    );
    await symlink(join(folder, 'far', 'away'), join(folder, 'latest'));
    expect((await loadConfig(join(folder, 'latest', 'c.json'))).folder).toBe(
      (await loadConfig(join(folder, 'far', 'away', 'c.json'))).folder,
    );
  });
});

describe('what is not written', () => {
  test('is filled in: all but the data has a default', () => {
    expect(check({ data: drawn })).toMatchObject({
      seed: 1,
      precision: 'float32',
      defaults: '0.2.0',
      data: {
        source: { type: 'drawn', count: 2000, seed: 1, difficulty: 'easy' },
        imageSize: 64,
        normalize: 'standardizeChannels',
      },
      model: { init: 'auto', layers: [] },
      training: {
        epochs: 100,
        loss: 'crossEntropy',
        learningRate: 'auto',
        optimizer: { name: 'gradientDescent' },
        threshold: 0.5,
        evaluateEvery: 1,
      },
      diagnosis: { targetError: 0, highBias: 0.05, highVariance: 0.05 },
    });
    expect(check({ data: { source: { type: 'folder', path: 'a' } } }).data.source).toEqual({
      type: 'folder',
      path: 'a',
      fit: 'cover',
    });
  });

  test('has the defaults of an earlier version where the config, or whoever reads it, asks for them', () => {
    const earlier = { data: { imageSize: 64, normalize: 'scale' }, defaults: '0.1.0' };
    expect(check({ defaults: '0.1.0', data: drawn })).toMatchObject(earlier);
    expect(checkConfig({ data: drawn }, 'c.json', [], '0.1.0')).toMatchObject(earlier);
    expect(checkConfig({ data: drawn }, 'c.json', ['defaults=0.1.0'])).toMatchObject(earlier);
    // what is written stays, and a config that names its defaults has those
    expect(checkConfig({ data: { ...drawn, normalize: 'mean' } }, 'c.json', [], '0.1.0').data.normalize).toBe('mean');
    expect(checkConfig({ defaults: '0.2.0', data: drawn }, 'c.json', [], '0.1.0').data.normalize).toBe('standardizeChannels');
    expect(() => check({ defaults: '0.3.0', data: drawn })).toThrow(/defaults: expected "0\.1\.0", "0\.2\.0", found "0\.3\.0"/);
    for (const raw of [{ defaults: '0.1.0' }, { defaults: '0.1.0', data: 5 }, { defaults: { a: 1 }, data: drawn }, []]) {
      expect(() => check(raw)).toThrow();
    }
  });

  test('no field of augmentation varies anything', () => {
    const { augment } = check({ data: drawn }).data;
    expect(augment).toMatchObject({ zoom: 0, aspect: 0, saturation: 0, tint: 0 });
    expect(check({ data: { ...drawn, augment: { zoom: [0.8, 1.25] } } }).data.augment).toEqual({ ...augment, zoom: [0.8, 1.25] });
  });

  test('a method of splitting alone leaves the sizes as they are', () => {
    const splitOf = (split: object, data: object = drawn) => check({ data: { ...data, split } }).data.split;
    expect(splitOf({ method: 'hash' })).toEqual({ method: 'hash', dev: 0.2, test: 0.2 });
    expect(splitOf({ method: 'hash', test: 0.1 })).toEqual({ method: 'hash', test: 0.1 });
    const parts = { train: { type: 'folder', path: 'a' }, dev: { type: 'folder', path: 'b' } };
    expect(splitOf({ method: 'hash' }, parts)).toEqual({ method: 'hash' });
  });

  test('$schema may stand in a config', () => {
    expect(check({ $schema: './schema.json', data: drawn })).toMatchObject({ seed: 1 });
  });
});

describe('a resolved config', () => {
  const examples: unknown[] = [
    { data: drawn },
    {
      data: {
        source: { type: 'folder', path: 'a', positive: 'Cat', fit: 'contain' },
        split: { train: 0.6, dev: 0.2, test: 0.2 },
      },
    },
    { data: { source: { type: 'csv', path: 'a.csv' }, split: { dev: 10, test: 20 } } },
    {
      data: {
        train: { type: 'hdf5', path: 'a.h5', classes: ['no', 'yes'] },
        test: { type: 'hdf5', path: 'b.h5', classes: 'names' },
      },
    },
    {
      data: drawn,
      model: { init: { name: 'random' }, layers: [{ units: 3 }, { units: 2, activation: 'leakyRelu', slope: 0.2, init: 'he' }] },
    },
    { data: drawn, training: { learningRate: 0.5, loss: 'squaredError', threshold: 0 }, precision: 'float64', seed: 2 ** 32 - 1 },
  ];

  test.each(examples.map((raw) => [raw]))('is its own: %j', (raw) => {
    const once = check(raw);
    expect(check(JSON.parse(JSON.stringify(once)))).toEqual(once);
  });

  test.each(['quickstart', 'course-logistic', 'course-two-layer', 'course-four-layer'])(
    'so is that of configs/%s.json',
    async (name) => {
      const { config } = await loadConfig(join(configsPath, `${name}.json`));
      expect(check(JSON.parse(JSON.stringify(config)))).toEqual(config);
    },
  );

  const layer = fc.record(
    {
      units: fc.integer({ min: 1, max: 100_000 }),
      activation: fc.constantFrom('sigmoid', 'tanh', 'relu', 'leakyRelu', 'linear'),
      slope: fc.double({ min: 0, max: 0.99, noNaN: true }),
      init: fc.constantFrom('auto', 'he', { name: 'random' }, { name: 'random', factor: 2 }),
    },
    { requiredKeys: ['units'] },
  );
  const configs = fc.record(
    {
      seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      precision: fc.constantFrom('float32', 'float64'),
      data: fc.record(
        {
          source: fc.oneof(
            fc.record({ type: fc.constant('drawn'), count: fc.integer({ min: 1 }) }, { requiredKeys: ['type'] }),
            fc.record({ type: fc.constantFrom('folder', 'csv'), path: fc.string({ minLength: 1 }) }),
          ),
          imageSize: fc.integer({ min: 1, max: 1024 }),
          split: fc.oneof(fc.constant('auto'), fc.record({ dev: fc.integer({ min: 1 }) })),
        },
        { requiredKeys: ['source'] },
      ),
      model: fc.record({ layers: fc.array(layer, { maxLength: 4 }) }, { requiredKeys: [] }),
      training: fc.record(
        {
          epochs: fc.integer({ min: 1 }),
          learningRate: fc.oneof(fc.constant('auto'), fc.double({ min: 1e-300, noNaN: true, noDefaultInfinity: true })),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['data'] },
  );

  test('is its own, whatever it says', () => {
    fc.assert(
      fc.property(configs, (raw) => {
        const once = check(raw);
        expect(check(JSON.parse(JSON.stringify(once)))).toEqual(once);
        expect(once).toMatchObject(raw);
      }),
    );
  });

  test('moves with its relative paths, and leaves the absolute', () => {
    const raw = {
      data: {
        train: { type: 'folder', path: '../cats' },
        dev: { type: 'csv', path: '/there/dev.csv' },
        test: { type: 'hdf5', path: 't.h5' },
      },
    };
    const root = tmpdir();
    const moved = moveConfig(check(raw), join(root, 'configs'), join(root, 'runs', 'one'));
    expect(moved.data.train).toMatchObject({ type: 'folder', path: '../../cats' });
    expect(moved.data.dev).toMatchObject({ path: '/there/dev.csv' });
    expect(moved.data.test).toMatchObject({ path: '../../configs/t.h5' });
    expect(moveConfig(moved, join(root, 'runs', 'one'), join(root, 'configs'))).toEqual(check(raw));
  });
});
