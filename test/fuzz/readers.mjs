import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { join, resolve, sep } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

/**
 * The readers of nn in a process of their own: what hangs, crashes or fills the memory here is seen by its parent
 * (reader-process.ts). A message names a reader and a file; the answer says what was read, or with what error it was refused.
 */

const dist = new URL('../../dist/', import.meta.url);
const load = (path) => import(new URL(path, dist));
const [work, made, project] = process.argv.slice(2);
process.chdir(work);

const preprocessing = { imageSize: 16, fit: 'cover' };
const digest = (...parts) =>
  parts
    .reduce((hash, part) => hash.update(part), createHash('sha256'))
    .digest('hex')
    .slice(0, 16);
const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

/** Names, classes and contents of a source's pictures, and the way that training and evaluating take through them. */
async function pictures(open, { more = {}, side = preprocessing.imageSize } = {}) {
  const { UserError } = await load('errors.js');
  const { loadExamples } = await load('data/load.js');
  const source = await open();
  const wanted = { imageSize: side, fit: 'cover' };
  const all = [];
  for (let i = 0; i < Math.min(source.count, 40); i++) {
    const content = await source.original(i).then(
      (original) => ({ content: digest(original.file ?? original.pixels), bytes: (original.file ?? original.pixels).length }),
      (error) => {
        if (!(error instanceof UserError)) throw error;
        return { problem: error.message };
      },
    );
    all.push({ name: source.name(i), class: source.classes[source.classOf(i)], ...content });
  }
  const { examples, classes } = await loadExamples(source, { preprocessing: wanted, positive: source.positive, strict: false });
  const { labels, pixels, features } = examples;
  if (pixels.length !== labels.length * features) throw new Error('pixels and labels are not of the same pictures');
  return { count: source.count, pictures: all, classes, labels: labels.length, pixels: digest(bytesOf(pixels)), ...more };
}

const sourceOf = (type, more) => async (path) => {
  const { openSource } = await load('data/sources/sources.js');
  return pictures(() => openSource({ type, path, ...more }), type === 'packed' ? { side: 8 } : {});
};

function context(printed, json = true) {
  return {
    environment: { NN_RUNS: join(work, 'runs'), NN_CACHE: join(work, 'cache') },
    json,
    verbose: false,
    print: (text) => void printed.push(text),
    note() {},
    warn() {},
    complain() {},
    progress: () => ({ update() {}, stop() {} }),
    signal: new AbortController().signal,
    style: (_, text) => text,
  };
}

/** A copy of something that was made, with one of its files replaced. */
function copyWith(name, file, path) {
  const copy = join(work, 'copy');
  fs.rmSync(copy, { recursive: true, force: true });
  fs.cpSync(join(made, name), copy, { recursive: true });
  if (file !== undefined) fs.copyFileSync(path, join(copy, file));
  return copy;
}

const readers = {
  async model(path) {
    const { loadClassifier } = await load('run/model-file.js');
    const { logits, probability } = await load('classifier/classifier.js');
    const { kernelsFor } = await load('kernels/select.js');
    const { classifier } = await loadClassifier(path);
    const { parameters, scaling, network, precision, ...said } = classifier;
    const p = [0, 255, 77].map((value) => {
      return probability(logits(classifier, kernelsFor(precision), new Uint8Array(network.inputs).fill(value))[0]);
    });
    return { said, p, numbers: digest(bytesOf(parameters.values), bytesOf(scaling.scale), bytesOf(scaling.shift)) };
  },
  async checkpoint(path) {
    const { loadCheckpoint, checkpointNames } = await load('run/checkpoint-file.js');
    const { unpackCheckpoint } = await load('training/checkpoint.js');
    fs.copyFileSync(path, join(work, checkpointNames[0]));
    const found = await loadCheckpoint(work, async (stored, file) => unpackCheckpoint(stored, file));
    const buffers = Object.entries(found.accepted.state.buffers);
    return {
      numbers: digest(...buffers.map(([, values]) => bytesOf(values))),
      said: JSON.stringify(found.accepted.state.progress),
    };
  },
  async exported(path) {
    const { recognizeFormat, exportFormats } = await load('export/formats.js');
    const bytes = fs.readFileSync(path);
    return exportFormats[recognizeFormat(bytes, path)].check(bytes, path);
  },
  packed: sourceOf('packed'),
  async vector(path) {
    const { loadVector } = await load('run/model-file.js');
    return { numbers: digest(bytesOf(await loadVector(path, 192))) };
  },
  async config(path) {
    const { checkConfig, loadConfig } = await load('config/load.js');
    const { config } = await loadConfig(path);
    const plain = (value) => JSON.parse(JSON.stringify(value));
    if (!isDeepStrictEqual(plain(checkConfig(plain(config), path)), plain(config)))
      throw new Error('it means something else when it is read again');
    if (Object.keys(Object.prototype).length > 0 || {}.polluted !== undefined) throw new Error('it changed a prototype');
    return { config: JSON.stringify(config) };
  },
  async csv(path) {
    const { csvWithout } = await load('data/sources/csv.js');
    const { attempt } = await load('data/source.js');
    const { openSource } = await load('data/sources/sources.js');
    const rows = async (file) => {
      const { count, classes, name, classOf } = await openSource({ type: 'csv', path: file });
      return Array.from({ length: count }, (_, i) => [name(i), classes[classOf(i)]]);
    };
    const found = await rows(path);
    const again = join(work, 'again.csv');
    fs.writeFileSync(again, await csvWithout(path, []));
    if (!isDeepStrictEqual(await rows(again), found))
      throw new Error('the same rows are others when they are written and read again');
    const source = await openSource({ type: 'csv', path });
    for (let i = 0; i < Math.min(source.count, 5); i++) await attempt(source.read(i, preprocessing));
    return { rows: JSON.stringify(found).slice(0, 2000) };
  },
  async split(path) {
    const { readSplit } = await load('run/split-file.js');
    fs.copyFileSync(path, join(work, 'split.csv'));
    const rows = await readSplit(work, { positive: 'cat', negative: 'noncat' });
    return { rows: digest(JSON.stringify(rows)), parts: [...new Set(rows.map(({ part }) => part))] };
  },
  async lock(path) {
    const { lockFolder, lockName, refuseLocked } = await load('run/lock.js');
    fs.copyFileSync(path, join(work, lockName));
    await refuseLocked(work);
    await (await lockFolder(work)).release();
    if (fs.existsSync(join(work, lockName))) throw new Error('a lock that was taken over and given back is still there');
    return { free: true };
  },
  async trials(path) {
    const { command } = await load('commands/tune.js');
    const printed = [];
    await command.run(
      context(printed),
      { merge: [copyWith('search', 'trials.jsonl', path)], output: join(work, 'merged'), json: true },
      [],
    );
    return { ranked: JSON.parse(printed.join('\n')).trials?.length ?? null };
  },
  zip: sourceOf('archive'),
  tar: sourceOf('archive'),
  tarGz: sourceOf('archive'),
  cifar10: sourceOf('cifar10', { positive: 'cat' }),
  async cifar10Batch(path) {
    const copy = copyWith('cifar-10-batches-bin', 'data_batch_1.bin', path);
    return sourceOf('cifar10', { positive: 'cat' })(copy);
  },
  hdf5: sourceOf('hdf5'),
  async image(path) {
    const { decodeImage, inspectImage } = await load('data/decode.js');
    const [first, second] = [await decodeImage(path, preprocessing), await decodeImage(path, preprocessing)];
    if (!Buffer.from(first).equals(second)) throw new Error('the same file gives other pixels when it is decoded again');
    if (first.length !== 16 * 16 * 3) throw new Error(`${first.length} bytes of pixels`);
    const { small, width, height } = await inspectImage({ file: fs.readFileSync(path) }, 32);
    if (small.pixels.length !== small.width * small.height * 3) throw new Error('a small picture of another size than it says');
    return { pixels: digest(first), width, height };
  },
  /** The same with what the picture might reach for, and without it. */
  async svg(path, { present, missing }) {
    const { decodeImage } = await load('data/decode.js');
    const bytes = fs.readFileSync(path);
    const outcome = (file) =>
      decodeImage(file, preprocessing).then(
        (pixels) => ({ pixels: digest(pixels) }),
        (error) => ({ error }),
      );
    const words = ({ pixels, error }) => (pixels ?? error.message).replaceAll(missing, present);
    const without = Buffer.from(bytes.toString('latin1').replaceAll(present, missing), 'latin1');
    const [first, second] = [await outcome(bytes), await outcome(without)];
    if (words(first) !== words(second)) throw new Error('what is outside of the file changes the answer');
    if (first.error !== undefined) throw first.error;
    return readers.image(path);
  },
  async resume(path, { file }) {
    const { command } = await load('commands/train.js');
    const copy = copyWith('run', file, path);
    const printed = [];
    // a finished run is asked to say what it said; another one to go on
    const isSummary = file === 'summary.json';
    await command.run(context(printed, !isSummary), { resume: copy, set: isSummary ? [] : ['training.epochs=6'], report: false });
    if (!isSummary) JSON.parse(printed.join('\n'));
    return { model: digest(fs.readFileSync(join(copy, 'model.safetensors'))) };
  },
  async evaluate(path, { file }) {
    const { command } = await load('commands/evaluate.js');
    const printed = [];
    await command.run(context(printed), { model: copyWith('run', file, path), json: true }, []);
    const { accuracy, cost } = JSON.parse(printed.join('\n'));
    if (!(accuracy >= 0 && accuracy <= 1)) throw new Error(`an accuracy of ${accuracy}`);
    return { accuracy, cost };
  },
  async runs(path, { file }) {
    const copy = copyWith('run', file, path);
    const { UserError } = await load('errors.js');
    const call = async (name, values, operands, json) => {
      const { command } = await load(`commands/${name}.js`);
      const printed = [];
      await command.run({ ...context(printed, json), environment: { NN_RUNS: work } }, values, operands);
      return printed.flat(9).join('\n');
    };
    const listed = await call('runs', { sort: 'dev' }, [], true).catch((error) => {
      if (error instanceof UserError) throw new Error(`one run keeps others from being listed: ${error.message}`);
      throw error;
    });
    const { entries } = JSON.parse(listed);
    if (!entries.some(({ name }) => name === 'copy')) throw new Error('it is not listed');
    await call('runs', { sort: 'when' }, [], false);
    await call('runs-show', {}, [copy], false);
    const { ended } = JSON.parse(await call('runs-show', {}, [copy], true));
    await call('runs-compare', {}, [join(made, 'run'), copy], false);
    const { pairs } = JSON.parse(await call('runs-compare', {}, [copy, join(made, 'run')], true));
    for (const { test } of pairs)
      if (test !== null && !(test.pValue > 0 && test.pValue <= 1)) throw new Error(`a p-value of ${test.pValue}`);
    return { ended, pairs: JSON.stringify(pairs) };
  },
};

/** What is opened or asked for elsewhere than in the given folders. */
const elsewhere = new Set();
// a table of pictures may name any file
const places = [work, made, project, '/proc'].map((place) => resolve(place));

/** In which the HDF5 library gathers the text of an error. */
const ownOfLibrary = /^\/tmp\/tmpfile_\w+$/;

function watch() {
  const inside = (path) => places.some((place) => path === place || path.startsWith(place + sep));
  const note = (path) => {
    if (typeof path !== 'string' && !(path instanceof URL) && !Buffer.isBuffer(path)) return;
    const full = resolve(path instanceof URL ? path.pathname : String(path));
    if (!inside(full) && !ownOfLibrary.test(full)) elsewhere.add(full);
  };
  const calls = [
    'open',
    'openSync',
    'readFile',
    'readFileSync',
    'writeFile',
    'writeFileSync',
    'mkdir',
    'rm',
    'rename',
    'symlink',
    'link',
    'cp',
    'unlink',
    'opendir',
    'readdir',
  ];
  for (const place of [fs, fs.promises]) {
    for (const call of calls) {
      const real = place[call];
      if (real === undefined) continue;
      place[call] = function (path, ...rest) {
        note(path);
        return real.call(this, path, ...rest);
      };
    }
  }
  syncBuiltinESMExports();
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...words) {
    elsewhere.add('the network');
    return connect.apply(this, words);
  };
}

async function reply({ reader, path, extra }) {
  const { UserError } = await load('errors.js');
  try {
    return { answer: await readers[reader](path, extra) };
  } catch (error) {
    if (error instanceof UserError) return { refused: { kind: error.kind, message: error.message } };
    return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

createRequire(new URL('package.json', `file://${project}/`))('sharp'); // it looks for the system's libraries when it is loaded
watch();
const guard = (error) => process.send({ fault: `on its own: ${error?.stack ?? error}` });
process.on('uncaughtException', guard);
process.on('unhandledRejection', guard);
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', async (request) => {
  const outcome = await reply(request);
  process.send({ ...outcome, elsewhere: [...elsewhere], peakBytes: process.resourceUsage().maxRSS * 1024 });
  elsewhere.clear();
});
