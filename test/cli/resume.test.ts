import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCache } from '../../src/data/cache/decode-cache.ts';
import { fileValidator } from '../../src/data/file-validator.ts';
import { readImage } from '../../src/data/sources/files.ts';
import { checkpointNames, loadCheckpoint, saveCheckpoint } from '../../src/run/checkpoint-file.ts';
import type { nn } from '../cli.ts';
import { isThorough } from '../thorough.ts';
import { folderConfig, preload, readJson, run, temporaryFolder, writeClasses, writeJson, writePicture } from './pictures.ts';
import { expectSameRun, hasLines, journalOf, signalled } from './stopped.ts';

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const train = (code: number, words: string[], options: Partial<Parameters<typeof nn>[1]> = {}) =>
  run(code, ['train', ...words], { cwd: folder, ...options });
const resume = (code: number, name: string, words: string[] = []) => train(code, ['--resume', name, ...words]);

/** Slow by its checkpoints at every step. Its last epoch looks at dev for no other reason than that it is the last. */
const training = {
  epochs: 40,
  batchSize: 5,
  optimizer: { name: 'adam' },
  learningRate: 0.001,
  earlyStopping: { patience: 1000 },
  evaluateEvery: 7,
  checkpointMinutes: 0,
};

/** Trains until the journal has some lines, and then sends a signal. */
const stop = (words: string[], { name = 'half', lines = 8, signal = 'SIGINT' as NodeJS.Signals } = {}) =>
  signalled(['train', ...words], folder, {
    signal,
    moment: (ended) => hasLines(at(name, 'journal.jsonl'), lines, ended),
  });

/** A copy of the run that was stopped. */
const copy = (name: string, of = 'half') => cp(at(of), at(name), { recursive: true });

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(at('pictures'), 12);
  await writeJson(at('c.json'), folderConfig({ training }));
  await train(0, ['-c', 'c.json', '-o', 'whole']);
  await train(0, ['-c', 'c.json', '-o', 'longer', '--set', 'training.epochs=55']);
});
afterAll(() => rm(folder, { recursive: true }));

describe('a run that is stopped says how to go on, and then ends as one that was never stopped', () => {
  test('by Ctrl-C', async () => {
    const { code, stderr } = await stop(['-c', 'c.json', '-o', 'half']);
    expect(code).toBe(130);
    expect(stderr).toContain('nn train --resume half');
    expect((await readdir(at('half'))).sort()).toEqual(
      ['checkpoint-previous', 'checkpoint', 'model']
        .map((name) => `${name}.safetensors`)
        .concat(['config.json', 'journal.jsonl', 'predictions.csv', 'report.html', 'split.csv', 'summary.json'])
        .sort(),
    );
    expect(await readJson(at('half', 'summary.json'))).toMatchObject({ stopped: 'interrupted' });
    await copy('resumed');
    await resume(0, 'resumed');
    await expectSameRun(at('resumed'), at('whole'));
  });

  test('by SIGTERM, and then by kill -9 while it goes on', async () => {
    expect((await stop(['-c', 'c.json', '-o', 'twice'], { name: 'twice', lines: 3, signal: 'SIGTERM' })).code).toBe(143);
    const killed = await stop(['--resume', 'twice'], { name: 'twice', lines: 20, signal: 'SIGKILL' });
    expect(killed.signal).toBe('SIGKILL');
    await resume(0, 'twice', ['--threads', '1']);
    await expectSameRun(at('twice'), at('whole'));
  });

  test('before its first checkpoint: it begins again', async () => {
    await copy('early');
    for (const name of ['checkpoint', 'checkpoint-previous', 'model']) await rm(at('early', `${name}.safetensors`));
    await rm(at('early', 'summary.json'));
    expect((await resume(0, 'early')).stderr).toContain('no checkpoint yet');
    await expectSameRun(at('early'), at('whole'));
  });

  test.skipIf(!isThorough)('in the midst of cross-validation, and of the training after it', async () => {
    const folds = ['-c', 'c.json', '--set', 'data.split={"folds":3}', '--set', 'training.epochs=12'];
    await train(0, [...folds, '-o', 'folds-whole']);
    for (const lines of [3, 20, 37]) {
      const name = `folds-${lines}`;
      expect((await stop([...folds, '-o', name], { name, lines })).stderr).toContain(`nn train --resume ${name}`);
      await resume(0, name);
      await expectSameRun(at(name), at('folds-whole'));
    }
  });
});

describe('more epochs', () => {
  test.each(['half', 'whole'])('end as if they had been asked for at once: from %s', async (of) => {
    const name = `longer-${of}`;
    await copy(name, of);
    await resume(0, name, ['--set', 'training.epochs=55']);
    await expectSameRun(at(name), at('longer'));
  });

  test('may be asked for before the first checkpoint: config.json says so, and they can be gone on with', async () => {
    await copy('unbegun');
    for (const name of ['checkpoint', 'checkpoint-previous', 'model']) await rm(at('unbegun', `${name}.safetensors`));
    await rm(at('unbegun', 'summary.json'));
    expect((await resume(2, 'unbegun', ['--set', 'training.epochs=39'])).stderr).toContain('expected at least 40');
    await resume(0, 'unbegun', ['--set', 'training.epochs=55']);
    await expectSameRun(at('unbegun'), at('longer'));
    expect((await resume(0, 'unbegun')).stderr).toContain(
      'finished; nothing is left to do. For more epochs: --set training.epochs=N, above 55.',
    );
  });

  test('are refused where early stopping has ended a run, and not offered', async () => {
    await train(0, [
      '-c',
      'c.json',
      '-o',
      'ended',
      '--set',
      'training.earlyStopping.patience=1',
      '--set',
      'training.evaluateEvery=1',
      '--set',
      'training.learningRate=0.05',
    ]);
    expect(await readJson(at('ended', 'summary.json'))).toMatchObject({ stopped: 'early' });
    expect((await resume(0, 'ended')).stderr).toMatch(/finished; nothing is left to do\.\n$/);
    const before = await readFile(at('ended', 'config.json'));
    expect((await resume(2, 'ended', ['--set', 'training.epochs=60'])).stderr).toContain('early stopping has ended it');
    expect(await readFile(at('ended', 'config.json'))).toEqual(before);
  });

  test('are refused where they are fewer, or would have changed what is done', async () => {
    const refused = async (name: string, epochs: number) =>
      (await resume(2, name, ['--set', `training.epochs=${epochs}`])).stderr;
    expect(await refused('half', 39)).toContain('training.epochs: expected at least 40, as the run began, found 39');
    const words = ['-c', 'c.json', '--set', 'training.epochs=2'];
    await train(0, [...words, '-o', 'cosine', '--set', 'training.schedule.name=cosine']);
    expect(await refused('cosine', 3)).toContain('cosine schedule');
    expect((await resume(0, 'cosine')).stderr).toMatch(/nothing is left to do\.\n$/);
    await train(0, [...words, '-o', 'cycle', '--set', 'training.schedule.name=oneCycle']);
    expect(await refused('cycle', 3)).toContain('oneCycle schedule');
    await train(0, [...words, '-o', 'folds', '--set', 'data.split={"folds":2}']);
    expect(await refused('folds', 3)).toContain('folds');
  });

  test('are all that --set may change', async () => {
    const { stderr } = await resume(2, 'half', ['--set', 'training.l2=1']);
    expect(stderr).toContain('--set training.l2=1: expected training.epochs alone with --resume');
  });
});

test('a run that is finished says so, and what came of it', async () => {
  const before = await readFile(at('whole', 'summary.json'), 'utf8');
  const { stdout, stderr } = await resume(0, 'whole', ['--json']);
  expect(stderr).toContain('finished');
  expect(JSON.parse(stdout)).toEqual(JSON.parse(before));
  expect((await resume(0, 'whole')).stdout).toContain('Trained after 40 epochs');
});

test.each(['{}', '5', '{"stopped":"finished","metrics":{}}'])('a summary that says %s is made again', async (text) => {
  await copy('summarized', 'whole');
  await writeFile(at('summarized', 'summary.json'), text);
  await resume(0, 'summarized');
  await expectSameRun(at('summarized'), at('whole'));
});

describe('a run that 0.1.0 began goes on with the rates and defaults that it began with', () => {
  const of010 = ['-c', 'old.json', '--set', 'defaults=0.1.0'];

  /** Takes out of a run's folder what 0.1.0 did not know. */
  async function age(name: string) {
    const { defaults, ...config } = await readJson<Record<string, unknown>>(at(name, 'config.json'));
    expect(defaults).toBe('0.1.0');
    await writeJson(at(name, 'config.json'), config);
    for (const file of checkpointNames) {
      if (!(await readdir(at(name))).includes(file)) continue;
      await loadCheckpoint(at(name), async (stored) => {
        const content = structuredClone(stored.content) as Aged;
        content.version = '0.1.0';
        delete content.config.defaults;
        delete content.told.dev;
        delete content.told.gradients.examples;
        await saveCheckpoint(at(name), { ...stored, content });
      });
      break; // the one before the newest is now the same, aged
    }
  }
  interface Aged {
    version: string;
    config: { defaults?: string };
    told: { dev?: unknown; gradients: { examples?: unknown } };
  }

  test('from its checkpoint, and from its beginning', async () => {
    const { learningRate: _, ...rest } = training;
    await writeJson(at('old.json'), folderConfig({ training: { ...rest, learningRate: 'auto' } }));
    await train(0, [...of010, '-o', 'old-whole']);
    const [first] = await journalOf(at('old-whole'));
    expect(first).toMatchObject({ learningRate: 5e-5 }); // of Adam on pixels ÷ 255, whatever their number
    await stop([...of010, '-o', 'old-half'], { name: 'old-half' });
    await copy('old-early', 'old-half');
    for (const file of ['checkpoint', 'checkpoint-previous', 'model']) await rm(at('old-early', `${file}.safetensors`));
    for (const name of ['old-half', 'old-early']) {
      await age(name);
      await rm(at(name, 'summary.json'));
      const { stderr } = await resume(0, name);
      expect(stderr).toMatch(name === 'old-half' ? /trained by nn 0\.1\.0 so far/ : /no checkpoint yet/);
      const [own, whole] = await Promise.all([name, 'old-whole'].map((run) => readFile(at(run, 'model.safetensors'))));
      expect(own!.equals(whole!)).toBe(true);
      expect(await journalOf(at(name))).toEqual(await journalOf(at('old-whole')));
    }
    // and a training that begins now has those of now
    await train(0, ['-c', 'old.json', '-o', 'now', '--set', 'training.epochs=1']);
    expect(await readJson(at('now', 'config.json'))).toMatchObject({
      defaults: '0.2.0',
      data: { normalize: 'standardizeChannels' },
    });
  });
});

describe('damaged checkpoints', () => {
  test('the newest falls back to the one before, and says so', async () => {
    await copy('damaged');
    await truncate(at('damaged', 'checkpoint.safetensors'), 3000);
    const { stderr } = await resume(0, 'damaged');
    expect(stderr).toMatch(/warning: damaged\/checkpoint\.safetensors: .*\. Going on from the checkpoint before it/);
    await expectSameRun(at('damaged'), at('whole'));
  });

  test('a journal that lost lines which a checkpoint relies on does too', async () => {
    await copy('short');
    const journal = await readFile(at('short', 'journal.jsonl'));
    const previous = JSON.parse(
      /"content":("(?:[^"\\]|\\.)*")/.exec(await readFile(at('short', 'checkpoint-previous.safetensors'), 'latin1'))![1]!,
    );
    const { journalBytes } = JSON.parse(previous) as { journalBytes: number };
    await truncate(at('short', 'journal.jsonl'), journalBytes);
    const { stderr } = await resume(0, 'short');
    if (journalBytes < journal.length) expect(stderr).toMatch(/expected \d+ bytes in short\/journal\.jsonl, found \d+/);
    await expectSameRun(at('short'), at('whole'));
  });

  test('both are an error, which leaves everything as it is', async () => {
    await copy('both');
    for (const name of ['checkpoint', 'checkpoint-previous']) await writeFile(at('both', `${name}.safetensors`), '');
    const { stderr } = await resume(4, 'both');
    expect(stderr).toMatch(/both\/checkpoint\.safetensors: .*\n.*both\/checkpoint-previous\.safetensors: .*\n.*--force/);
    expect(await readFile(at('both', 'summary.json'))).toEqual(await readFile(at('half', 'summary.json')));
  });

  test('none beside a summary is an error too: the model that is there is not trained over', async () => {
    await copy('none');
    for (const name of ['checkpoint', 'checkpoint-previous']) await rm(at('none', `${name}.safetensors`));
    expect((await resume(4, 'none')).stderr).toContain('none: expected a checkpoint to go on from, found none');
  });
});

describe('what is not as it was when the run began is refused by name', () => {
  test('a field of its config', async () => {
    await copy('edited');
    const config = await readJson<{ training: object; seed: number }>(at('edited', 'config.json'));
    await writeJson(at('edited', 'config.json'), { ...config, seed: 2, training: { ...config.training, l2: 0.5 } });
    const { stderr } = await resume(2, 'edited');
    expect(stderr).toContain('edited/config.json: seed: expected 1, as the run began, found 2\n');
    expect(stderr).toContain('edited/config.json: training.l2: expected 0, as the run began, found 0.5\n');
  });

  test('a picture that changed, is missing, or new', async () => {
    await mkdir(at('other'));
    await cp(at('pictures'), at('other', 'pictures'), { recursive: true });
    await cp(at('half'), at('other', 'half'), { recursive: true });
    await writePicture(at('other', 'pictures', 'cat', '03.png'), { index: 99, cat: true });
    await rm(at('other', 'pictures', 'thing', '05.png'));
    await writePicture(at('other', 'pictures', 'cat', 'more.png'), { index: 98, cat: true });
    const before = await readdir(at('other', 'half'));
    const { stderr } = await train(3, ['--resume', 'half'], { cwd: at('other') });
    expect(stderr).toContain('1 changed (cat/03.png), 1 missing (thing/05.png), 1 new (cat/more.png)');
    expect(await readdir(at('other', 'half'))).toEqual(before);
  });

  test('a picture that changed, though the cache of decoded pictures takes it for the old one', async () => {
    await mkdir(at('forged'));
    await cp(at('pictures'), at('forged', 'pictures'), { recursive: true });
    await cp(at('half'), at('forged', 'half'), { recursive: true });
    const path = at('forged', 'pictures', 'cat', '03.png');
    const preprocessing = { imageSize: 16, fit: 'cover' } as const;
    const { pixels, hash } = await readImage(path, preprocessing);
    await writePicture(path, { index: 99, cat: true });
    const cache = openCache({
      path: at('forged', 'cache', 'decoded'),
      maximumBytes: 1e9,
      onTrouble: (text) => expect.fail(text),
    });
    const validator = await fileValidator(path, Date.now() + 60_000);
    await (await cache.shelf('file', preprocessing)).keep({ validator, content: hash, pixels });
    await cache.close();
    const later = await preload(at('forged'), 'const now = Date.now; Date.now = () => now() + 60_000;');
    const options = { cwd: at('forged'), env: { ...later, NN_CACHE: 'cache' } };
    await cp(at('c.json'), at('forged', 'c.json'));
    await train(0, ['-c', 'c.json', '-o', 'fooled', '--set', 'training.epochs=1'], options);
    expect(await readFile(at('forged', 'fooled', 'split.csv'), 'utf8')).toBe(await readFile(at('half', 'split.csv'), 'utf8'));
    expect((await train(3, ['--resume', 'half'], options)).stderr).toContain('found 1 changed (cat/03.png)\n');
  });

  test('the file of weights to start from', async () => {
    await cp(at('whole', 'model.safetensors'), at('start.safetensors'));
    const words = ['-c', 'c.json', '--set', 'training.startFrom=start.safetensors', '-o', 'started'];
    await stop(words, { name: 'started', lines: 1 });
    await cp(at('longer', 'model.safetensors'), at('start.safetensors'));
    expect((await resume(2, 'started')).stderr).toContain('training.startFrom: expected the numbers that the run began with');
  });
});

describe('one process at a time', () => {
  test('a second one is refused with the first, by --resume and by --force; a dead one is no hindrance', async () => {
    const words = ['train', '-c', 'c.json', '-o', 'busy', '--set', 'training.epochs=100000'];
    const first = signalled(words, folder, {
      signal: 'SIGKILL',
      moment: async (ended) => {
        await hasLines(at('busy', 'journal.jsonl'), 2, ended);
        const { pid } = await readJson<{ pid: number }>(at('busy', 'run.lock'));
        for (const again of [
          ['--resume', 'busy'],
          ['-c', 'c.json', '-o', 'busy', '--force'],
        ]) {
          expect((await train(2, again)).stderr).toMatch(new RegExp(`busy: .*process ${pid} on \\S+ in it since`));
        }
      },
    });
    expect((await first).signal).toBe('SIGKILL');
    expect(await readdir(at('busy'))).toContain('run.lock');
    await train(0, ['-c', 'c.json', '-o', 'busy', '--force', '-q']);
    await expectSameRun(at('busy'), at('whole'));
  });
});

test.each([
  [['--resume', 'nowhere'], '--resume nowhere: expected the folder of a run, found no such folder'],
  [['--resume', 'half', '-c', 'c.json'], "cannot be used with option '-c, --config <file>'"],
  [['--resume', 'half', '--seed', '2'], "cannot be used with option '--seed <n>'"],
  [[], 'expected the option -c, --config <file>'],
])('%j is refused', async (words, says) => {
  expect((await train(2, words)).stderr).toContain(says);
});
