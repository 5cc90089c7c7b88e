import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cp, mkdir, open, readdir, readFile, readlink, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExitKind, exitCodes } from '../../src/errors.ts';
import { binPath, nn } from '../cli.ts';
import { folderConfig, listing, readJson, run, temporaryFolder, writeClasses, writeJson } from './pictures.ts';

interface Part {
  total: number;
  positive: number;
}
interface Metrics {
  accuracy: number;
  baseline: number;
  cost: number;
  logLoss: number;
  confusion: Record<'tp' | 'fp' | 'fn' | 'tn', number>;
}
interface Summary {
  run: string;
  model: string;
  seed: number;
  seconds: number;
  epochs: number;
  bestEpoch: number;
  stopped: string;
  parameters: number;
  examples: Record<'train' | 'dev' | 'test', Part>;
  metrics: Record<'train' | 'dev' | 'test', Metrics | null>;
  diagnosis: { comparedWith: string; remedies: { set: string[] }[] } | null;
  warnings: string[];
}

/** 40 pictures, half of them cats: 24 for training, 8 for dev, 8 for test. */
const each = 20;
let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(join(folder, 'pictures'), each);
  await writeJson(join(folder, 'c.json'), folderConfig());
  await run(0, ['train', '--config', 'c.json', '--output', 'first', '--json'], { cwd: folder }).then(({ stdout }) =>
    writeFile(join(folder, 'first.stdout'), stdout),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const train = (code: number, words: string[], options: Partial<Parameters<typeof nn>[1]> = {}) =>
  run(code, ['train', ...words], { cwd: folder, ...options });
const lines = async (path: string) => (await readFile(join(folder, path), 'utf8')).trimEnd().split('\n');
const summaryOf = (path: string) => readJson<Summary>(join(folder, path, 'summary.json'));

describe('what a training shows is what its diagnosis says', () => {
  test('a learning rate that throws the cost far above that of guessing: in words, as JSON, and still after --resume', async () => {
    // hard pictures of 2 × 2, which nothing tells apart
    const changes = ['data.source={"type":"drawn","count":100,"difficulty":"hard"}', 'data.imageSize=2', 'model.layers=[]'];
    const words = [
      '-c',
      'c.json',
      ...[...changes, 'training.epochs=12', 'training.batchSize=4'].flatMap((one) => ['--set', one]),
    ];
    const { stdout } = await train(0, [...words, '--set', 'training.learningRate=100', '-o', 'wild']);
    expect(stdout).toMatch(
      /Diagnosis: worse than guessing\. Its cost on train is [\d.]+, and that of a network that sees nothing 0\.6931\./,
    );
    expect(stdout).toMatch(/- a smaller learning rate: .*\n +--set training\.learningRate=0\.\d+\n/);
    expect(stdout).not.toMatch(/still falling|by heart|a larger network/);
    const { diagnosis } = await readJson<{ diagnosis: object }>(join(folder, 'wild', 'summary.json'));
    expect(diagnosis).toMatchObject({ worseThanGuessing: true, guessing: Math.LN2, answers: null });
    expect((await train(0, ['--resume', 'wild'])).stdout).toContain('Diagnosis: worse than guessing.');
  });

  test('without dev and test there is no diagnosis, and the same is a warning', async () => {
    const words = ['--set', 'data.split={"train":0.5}', '--set', 'training.epochs=5', '--set', 'training.learningRate=1e-9'];
    const { stderr } = await train(0, ['-c', 'c.json', ...words, '--set', 'training.threshold=1', '-o', 'alone']);
    expect(stderr).toMatch(
      /warning: every training picture gets the same answer: nothing was learnt\. Try a larger learning rate: --set training\.learningRate=auto/,
    );
    const { diagnosis, warnings } = await summaryOf('alone');
    expect(diagnosis).toBeNull();
    expect(warnings.at(-1)).toMatch(/^every training picture/);
  });
});

describe('a run folder', () => {
  test('holds config, model, split, journal and summary, and nothing half-written', async () => {
    const files = await listing(join(folder, 'first'));
    expect(files).toEqual(
      expect.arrayContaining(['config.json', 'journal.jsonl', 'model.safetensors', 'split.csv', 'summary.json']),
    );
    expect(files.filter((name) => /partial|tmp|~/.test(name))).toEqual([]);
  });

  test('summary.json is what --json prints, and stdout holds nothing else', async () => {
    const stdout = await readFile(join(folder, 'first.stdout'), 'utf8');
    expect(stdout.trimEnd()).not.toContain('\n');
    expect(JSON.parse(stdout)).toEqual(await summaryOf('first'));
  });

  test('the summary counts what there is', async () => {
    const summary = await summaryOf('first');
    expect(summary).toMatchObject({
      run: 'first',
      model: join('first', 'model.safetensors'),
      seed: 1,
      epochs: 30,
      bestEpoch: 30,
      stopped: 'finished',
      parameters: 16 * 16 * 3 * 4 + 4 + 4 + 1,
      examples: { train: { total: 24, positive: 12 }, dev: { total: 8, positive: 4 }, test: { total: 8, positive: 4 } },
      warnings: [],
    });
    for (const part of ['train', 'dev', 'test'] as const) {
      const { confusion, accuracy, baseline, cost, logLoss } = summary.metrics[part]!;
      const { tp, fp, fn, tn } = confusion;
      expect(tp + fp + fn + tn).toBe(summary.examples[part].total);
      expect(tp + fn).toBe(summary.examples[part].positive);
      expect(accuracy).toBe((tp + tn) / summary.examples[part].total);
      expect(baseline).toBe(0.5);
      expect(cost).toBe(logLoss);
    }
    expect(summary.diagnosis).toMatchObject({ comparedWith: 'dev' });
    expect(Object.keys(summary)).toEqual(
      'run model seed seconds epochs bestEpoch stopped parameters threshold abstention examples metrics diagnosis warnings report'.split(
        ' ',
      ),
    );
  });

  test('the journal has a line per epoch, counted from 1', async () => {
    const epochs = (await lines('first/journal.jsonl')).map((line) => JSON.parse(line));
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    let seconds = 0;
    for (const line of epochs) {
      expect(line).toMatchObject({
        cost: expect.any(Number),
        train: { accuracy: expect.any(Number) },
        dev: { cost: expect.any(Number), accuracy: expect.any(Number) },
        learningRate: 0.02,
      });
      expect(line.seconds).toBeGreaterThanOrEqual(seconds);
      seconds = line.seconds;
    }
    expect(epochs.at(-1).dev.cost).toBeCloseTo((await summaryOf('first')).metrics.dev!.cost, 5);
  });

  test('an epoch has the cost from before its update: ln 2 in the first, for weights of zero', async () => {
    await train(0, ['--config', 'c.json', '--output', 'zeros', '--set', 'model.layers=[]', '--set', 'training.epochs=2']);
    const [first, second] = (await lines('zeros/journal.jsonl')).map((line) => JSON.parse(line));
    expect(first.cost).toBeCloseTo(Math.LN2, 6);
    expect(second.cost).toBeLessThan(first.cost);
  });

  test('evaluateEvery leaves the epochs between without dev, but never the last', async () => {
    await train(0, ['-c', 'c.json', '-o', 'every', '--set', 'training.evaluateEvery=3', '--set', 'training.epochs=7']);
    const looked = (await lines('every/journal.jsonl')).map((line) => JSON.parse(line).dev !== null);
    expect(looked).toEqual([false, false, true, false, false, true, true]);
  });

  test('split.csv has every picture once, with its class and part', async () => {
    const [header, ...rows] = await lines('first/split.csv');
    expect(header).toBe('name,hash,label,part');
    const cells = rows.map((row) => row.split(','));
    const names = cells.map(([name]) => name!).sort();
    expect(names).toEqual((await listing(join(folder, 'pictures'))).filter((name) => name.endsWith('.png')).sort());
    expect(new Set(cells.map(([, hash]) => hash)).size).toBe(2 * each);
    for (const [name, , label] of cells) expect(name!.split('/')[0]).toBe(label);
    const count = (part: string) => cells.filter((row) => row[3] === part).length;
    expect([count('train'), count('dev'), count('test')]).toEqual([24, 8, 8]);
  });

  test('the resolved config re-runs unchanged, from any folder, to the same bytes', async () => {
    await mkdir(join(folder, 'elsewhere'));
    const words = ['-c', '../first/config.json', '-o', '../again'];
    await train(0, words, { cwd: join(folder, 'elsewhere') });
    for (const file of ['config.json', 'model.safetensors', 'split.csv']) {
      expect(await readFile(join(folder, 'again', file)), file).toEqual(await readFile(join(folder, 'first', file)));
    }
  });

  test('in the resolved config relative paths lead from the run folder, absolute ones stay', async () => {
    const pathOf = async (output: string) =>
      (await readJson<{ data: { source: { path: string } } }>(join(folder, output, 'config.json'))).data.source.path;
    expect(await pathOf('first')).toBe('../pictures');
    const absolute = join(folder, 'pictures');
    await train(0, ['-c', 'c.json', '-o', 'deep/er/run', '--set', `data.source.path=${absolute}`]);
    expect(await pathOf('deep/er/run')).toBe(absolute);
  });

  test('a path in --set is relative to the working directory, as all paths on the command line', async () => {
    await mkdir(join(folder, 'configs'));
    await cp(join(folder, 'c.json'), join(folder, 'configs', 'c.json'));
    expect((await train(3, ['-c', 'configs/c.json'])).stderr).toContain(`nn: ${join('configs', 'pictures')}: `);
    await train(0, ['-c', 'configs/c.json', '-o', 'set', '--set', 'data.source.path=pictures']);
  });

  test('the same seed gives the same model, another seed another', async () => {
    await train(0, ['-c', 'c.json', '-o', 'seed1', '--seed', '1']);
    await train(0, ['-c', 'c.json', '-o', 'seed2', '--seed', '2']);
    const model = (run: string) => readFile(join(folder, run, 'model.safetensors'));
    expect(await model('seed1')).toEqual(await model('first'));
    expect(await model('seed2')).not.toEqual(await model('first'));
    expect(await summaryOf('seed2')).toMatchObject({ seed: 2 });
  });
});

describe('where runs go', () => {
  test('without --output: runs/<config name>-<time>, and latest leads there', async () => {
    const cwd = await temporaryFolder();
    await writeJson(
      join(cwd, 'my.cats.json'),
      folderConfig({ data: { source: { type: 'folder', path: join(folder, 'pictures') } } }),
    );
    const { stdout } = await run(0, ['train', '-c', 'my.cats.json', '--json'], { cwd });
    const summary = JSON.parse(stdout) as Summary;
    expect(summary.run).toMatch(/^runs[\\/]my\.cats-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d$/);
    expect(await realpath(join(cwd, 'runs', 'latest'))).toBe(join(cwd, summary.run));
    await rm(cwd, { recursive: true });
  });

  test('NN_RUNS is another place for runs and latest, and latest leads to the newest, wherever --output put it', async () => {
    const env = { NN_RUNS: join(folder, 'mine') };
    const { stdout } = await train(0, ['-c', 'c.json', '--json'], { env });
    expect(await realpath(join(folder, 'mine', 'latest'))).toBe(join(folder, (JSON.parse(stdout) as Summary).run));
    await train(0, ['-c', 'c.json', '-o', 'far/away/run'], { env });
    expect(await realpath(join(folder, 'mine', 'latest'))).toBe(join(folder, 'far', 'away', 'run'));
    expect(await readlink(join(folder, 'mine', 'latest'))).toBe('../far/away/run');
    expect((await run(0, ['evaluate', '--json'], { cwd: folder, env })).stdout.trim()).toBe(
      JSON.stringify((await summaryOf('far/away/run')).metrics.test),
    );
  });

  test('a folder that holds a run is refused, and left as it is, unless --force', async () => {
    await train(0, ['-c', 'c.json', '-o', 'taken']);
    const before = await summaryOf('taken');
    const { stderr } = await train(2, ['-c', 'c.json', '-o', 'taken', '--set', 'training.epochs=2']);
    expect(stderr).toMatch(/--output taken: .*--force/s);
    expect(await summaryOf('taken')).toEqual(before);
    await train(0, ['-c', 'c.json', '-o', 'taken', '--set', 'training.epochs=2', '--force']);
    expect(await summaryOf('taken')).toMatchObject({ epochs: 2 });
    expect(await lines('taken/journal.jsonl')).toHaveLength(2);
  });
});

describe('--dry-run', () => {
  test('prints the plan and writes nothing', async () => {
    const before = await listing(folder);
    const { stdout } = await train(0, ['-c', 'c.json', '--dry-run']);
    expect(stdout).toMatch(/train +24 +12 +12\n/);
    expect(stdout).toMatch(/768 → 4 +relu/);
    expect(stdout).toContain('3,081');
    expect(stdout).toMatch(/memory.*(second|minute|hour)/);
    expect(await listing(folder)).toEqual(before);
  });

  test('with --json is one object', async () => {
    const { stdout } = await train(0, ['-c', 'c.json', '--dry-run', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      examples: { train: { total: 24, positive: 12 }, dev: { total: 8, positive: 4 }, test: { total: 8, positive: 4 } },
      parameters: 3081,
      epochs: 30,
      learningRates: [0.02, 0.02],
      batch: 24,
      memoryBytes: expect.any(Number),
      estimatedSeconds: expect.any(Number),
    });
  });

  test('says which epochs see smaller images', async () => {
    const layers = 'model.layers=[{"type":"conv","filters":2},{"type":"globalAveragePool"}]';
    const words = ['-c', 'c.json', '-n', '--set', layers, '--set', 'training.progressive=[{"side":8,"until":0.4}]'];
    expect((await train(0, words)).stdout).toContain('images of 8 × 8 up to epoch 12\n');
    expect(JSON.parse((await train(0, [...words, '--json'])).stdout).stages).toEqual([{ side: 8, lastEpoch: 12 }]);
  });

  test('counts what augmentation takes', async () => {
    const secondsWith = async (...sets: string[]) => {
      const words = ['data.imageSize=64', 'training.epochs=2000', ...sets].flatMap((set) => ['--set', set]);
      const { stdout } = await train(0, ['-c', 'c.json', '-n', '--json', ...words]);
      return (JSON.parse(stdout) as { estimatedSeconds: number }).estimatedSeconds;
    };
    const turned = ['data.augment.rotate=20', 'data.augment.noise=0.05'];
    expect(await secondsWith(...turned)).toBeGreaterThan(3 * (await secondsWith('training.form=direct')));
  });

  test('finds what is wrong with the data', async () => {
    expect((await train(3, ['-c', 'c.json', '-n', '--set', 'data.source.path=nowhere'])).stderr).toContain('nowhere');
  });
});

describe('pictures that cannot be read', () => {
  beforeAll(async () => {
    await writeClasses(join(folder, 'damaged'), 6);
    await writeFile(join(folder, 'damaged', 'cat', 'empty.png'), '');
    await writeFile(join(folder, 'damaged', 'thing', 'text.jpg'), 'not a picture');
    await symlink('nowhere', join(folder, 'damaged', 'thing', 'link.png'));
  });
  const words = ['-c', 'c.json', '--set', 'data.source.path=damaged', '--json'];

  test('are named with their reason and left out', async () => {
    const { stdout, stderr } = await train(0, [...words, '-o', 'damaged-run']);
    const { warnings, examples } = JSON.parse(stdout) as Summary;
    for (const name of ['cat/empty.png', 'thing/text.jpg', 'thing/link.png']) {
      expect(stderr).toMatch(new RegExp(`warning: .*${name}: .+\n`));
      expect(warnings.join()).toContain(name);
    }
    expect(examples.train.total + examples.dev.total + examples.test.total).toBe(12);
  });

  test('make --strict refuse, with all their names', async () => {
    const { stdout, stderr } = await train(3, [...words, '-o', 'strict-run', '--strict']);
    for (const text of [stderr, JSON.parse(stdout).error.message]) {
      for (const name of ['cat/empty.png', 'thing/text.jpg', 'thing/link.png']) expect(text).toContain(name);
    }
    expect(await listing(folder)).not.toContain('strict-run');
  });
});

describe('what stands on which stream', () => {
  test('off a terminal: a summary on stdout, nothing that moves or is coloured', async () => {
    const { stdout, stderr } = await train(0, ['-c', 'c.json', '-o', 'plain']);
    const { accuracy } = (await summaryOf('plain')).metrics.train!;
    expect(stdout).toContain(`${(accuracy * 100).toFixed(1)}%`);
    expect(stdout).toMatch(/train +24 +12 +12 .*\n +dev +8 +4 +4 .*\n +test +8 +4 +4 /);
    expect(stdout).toContain(join('plain', 'model.safetensors'));
    expect(stderr).toBe('');
    expect(stdout).not.toMatch(new RegExp(`[${String.fromCharCode(27)}\r]`));
  });

  const zeros = ['--set', 'model.init=zeros', '--set', 'training.epochs=2'];

  test('hidden layers that start with zeros are warned of, on stderr and in the JSON', async () => {
    const { stdout, stderr } = await train(0, ['-c', 'c.json', '-o', 'symmetric', ...zeros, '--json']);
    expect(stderr).toMatch(/^warning: .*zeros.*symmetry/m);
    expect((JSON.parse(stdout) as Summary).warnings).toEqual([expect.stringMatching(/zeros.*symmetry/)]);
  });

  test('an output layer that is written down is warned of, a wider last layer is not', async () => {
    const warningsWith = async (units: number) => {
      const layers = JSON.stringify([{ units: 3 }, { units, activation: 'sigmoid' }]);
      return (await train(0, ['-c', 'c.json', '--dry-run', '--set', `model.layers=${layers}`])).stderr;
    };
    expect(await warningsWith(1)).toMatch(/^warning: model\.layers\.1: one unit before the output layer/m);
    expect(await warningsWith(2)).not.toContain('output layer');
  });

  test('-q keeps stderr silent', async () => {
    expect((await train(0, ['-c', 'c.json', '-o', 'quiet', ...zeros, '-q'])).stderr).toBe('');
    expect((await train(2, ['-c', 'nowhere.json', '-q'])).stderr).toContain('nowhere.json'); // but for errors
  });

  test('an error with --json is an object on stdout and a sentence on stderr', async () => {
    const { stdout, stderr } = await train(2, ['-c', 'c.json', '--set', 'training.epochs=0', '--json']);
    const { error } = JSON.parse(stdout);
    expect(Object.keys(error)).toEqual(['code', 'message', 'hint']);
    expect(error).toMatchObject({
      code: 2,
      message: expect.stringContaining('--set training.epochs=0: training.epochs: expected'),
    });
    expect(stderr).toContain(error.message);
  });
});

/** Trains until it is stopped. */
const endless = ['--config', 'c.json', '--set', 'training.epochs=100000000'];

describe('interruption', () => {
  test.concurrent.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s keeps the model so far, which is of use, and exits %i', async (signal, code) => {
    const output = `stopped-${code}`;
    const env = { NN_RUNS: join(folder, `runs-${code}`) };
    const kill = { signal, after: /^epoch \d+\/100000000 · cost \d\.\d+ · dev [\d.]+%/m };
    const { stdout, stderr } = await train(code, [...endless, '--output', output, '--json'], { kill, env });
    const summary = JSON.parse(stdout) as Summary;
    expect(summary).toMatchObject({ stopped: 'interrupted', run: output });
    expect(await lines(`${output}/journal.jsonl`)).toHaveLength(summary.epochs);
    expect(stderr).toMatch(/^epoch \d+\//);
    expect(await listing(folder)).not.toContain(`runs-${code}`); // latest is for runs that finished
    const words = ['evaluate', '--model', output, '--split', 'train', '--json'];
    expect(JSON.parse((await run(0, words, { cwd: folder })).stdout)).toEqual(summary.metrics.train);
  });

  test('a second Ctrl-C leaves at once', { skip: process.platform === 'win32' }, async () => {
    const pipe = join(folder, 'list');
    execFileSync('mkfifo', [pipe]);
    const child = spawn(process.execPath, [binPath, 'predict', '--model', 'first', '@list'], { cwd: folder });
    const exit = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
    const writer = await open(pipe, 'w'); // opens when the child reads it, who waits from then on
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(child.signalCode).toBe(null);
    child.kill('SIGINT');
    expect(await exit).toBe('SIGINT');
    await writer.close();
  });
});

describe('exit codes', () => {
  let broken: string;
  beforeAll(async () => {
    broken = await temporaryFolder();
    for (const name of ['bin', 'dist', 'package.json'])
      await cp(join(binPath, '..', '..', name), join(broken, name), { recursive: true });
    await symlink(await realpath(join(binPath, '..', '..', 'node_modules')), join(broken, 'node_modules'));
    const fault = "export const command = { options: [], examples: [], run() { throw new TypeError('a fault'); } };";
    const bundles = join(broken, 'dist', 'bundle');
    const [modelShow] = (await readdir(bundles)).filter((name) => /^model-show-[^.]*\.js$/.test(name));
    await writeFile(join(bundles, modelShow!), fault);
    await mkdir(join(folder, 'mixed'));
    await cp(join(folder, 'pictures', 'cat', '00.png'), join(folder, 'mixed', 'a.png'));
    await writeFile(join(folder, 'mixed', 'b.png'), '');
  });
  afterAll(() => rm(broken, { recursive: true }));

  /** The program with a fault put into one of its commands. */
  const runBroken = (words: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [join(broken, 'bin', 'nn.js'), ...words], { encoding: 'utf8' });
    return { code: status, stderr };
  };

  const cases: Record<ExitKind, { words: string[]; says: RegExp; kill?: Parameters<typeof nn>[1]['kill'] }> = {
    done: { words: ['predict', '-m', 'first', 'pictures'], says: /^$/ },
    fault: { words: ['model', 'show'], says: /TypeError: a fault\n +at .*\n.*please report/s },
    usage: { words: ['train', '-c', 'c.json', '--set', 'seed=x'], says: /--set seed=x: seed: expected a whole number/ },
    data: { words: ['predict', '-m', 'first', 'mixed/b.png'], says: /mixed\/b\.png: .*empty/ },
    model: { words: ['predict', '-m', 'c.json', 'mixed'], says: /c\.json: expected/ },
    diverged: {
      words: ['train', '-c', 'c.json', '-o', 'diverged', '--set', 'training.learningRate=1e30'],
      says: /diverged at step \d+ \(epoch \d+\) in layer \d \(\w+\) with learning rate 1e\+30: .+\n.*--set training\.learningRate=0\.\d+; --find-rate/s,
    },
    gate: {
      words: ['evaluate', '-m', 'first', '--threshold', '1', '--fail-below', '0.51'],
      says: /--fail-below 0\.51: accuracy is 0\.5000/,
    },
    someFailed: { words: ['predict', '-m', 'first', 'mixed'], says: /mixed\/b\.png: .*empty/ },
    notPositive: { words: ['predict', '-m', 'first', '--threshold', '1', '--exit-code', 'mixed/a.png'], says: /^$/ },
    hungUp: { words: ['train', ...endless, '-o', 'hup'], says: /epoch/, kill: { signal: 'SIGHUP', after: /epoch \d/ } },
    interrupted: { words: ['train', ...endless, '-o', 'int'], says: /epoch/, kill: { signal: 'SIGINT', after: /epoch \d/ } },
    terminated: { words: ['train', ...endless, '-o', 'term'], says: /epoch/, kill: { signal: 'SIGTERM', after: /epoch \d/ } },
  };

  test.each(Object.entries(cases))('%s', async (kind, { words, says, kill }) => {
    const { code, stderr } = kind === 'fault' ? runBroken(words) : await nn(words, { cwd: folder, ...(kill && { kill }) });
    expect(stderr).toMatch(says);
    expect(code).toBe(exitCodes[kind as ExitKind]);
  });

  test('usage, where a config is named without --config, or --dry-run is given a place that training would refuse', async () => {
    const named = await nn(['train', 'c.json'], { cwd: folder });
    expect(named.code).toBe(exitCodes.usage);
    expect(named.stderr).toContain('Is it --config c.json?');
    const dry = await nn(['train', '-c', 'c.json', '--dry-run', '-o', 'first'], { cwd: folder });
    expect(dry.code).toBe(exitCodes.usage);
    expect(dry.stderr).toContain('--output first: expected a folder without a run');
  });

  test.each([
    ['direct', /diverged at step 1 /],
    ['dual', /training diverged: .* beyond the largest number of float32/],
  ])('of weights whose sums are beyond float32, in %s form: diverged, no fault', async (form, says) => {
    const huge = [
      'model.init={"name":"random","factor":1e20}',
      'model.layers=[{"units":8},{"units":8}]',
      `training.form=${form}`,
    ];
    const set = huge.flatMap((one) => ['--set', one]);
    const { code, stderr } = await nn(['train', '-c', 'c.json', '-o', `huge-${form}`, ...set], { cwd: folder });
    expect(stderr).toMatch(says);
    expect(stderr).not.toContain('--resume'); // it would come to the same end
    expect(code).toBe(exitCodes.diverged);
    const page = await readFile(join(folder, `huge-${form}`, 'report.html'), 'utf8');
    expect(page).toMatch(/<strong>The training (diverged|was broken off)<\/strong>: /);
    expect(page).not.toMatch(/In training|--resume/);
  });

  test('of a fold that diverges: the journal says which, and names the pictures', async () => {
    const set = ['--set', 'data.split={"folds":3}', '--set', 'training.learningRate=1e30'];
    const { code } = await nn(['train', '-c', 'c.json', '-o', 'diverged-fold', ...set], { cwd: folder });
    expect(code).toBe(exitCodes.diverged);
    const lines = (await readFile(join(folder, 'diverged-fold', 'journal.jsonl'), 'utf8')).trim().split('\n');
    const { fold, diverged } = JSON.parse(lines.at(-1)!);
    expect(fold).toBe(1);
    expect(diverged).toMatchObject({ learningRate: 1e30, layer: expect.any(Number) });
    expect(diverged.examples.length).toBeGreaterThan(0);
    for (const name of diverged.examples) expect(name).toMatch(/^(cat|thing)\/\d+\.png$/);
  });

  test('are those of cli.md', () => {
    expect(Object.values(exitCodes)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 129, 130, 143]);
  });
});
