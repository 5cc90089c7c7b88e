import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { groupBy } from '../../src/data/split.ts';
import { timePlan } from '../../src/diagnosis/time-plan.ts';
import { changesOf, promisingTitle, type Setting, titleOf, treatments } from '../../src/diagnosis/treatments.ts';
import { tableNote } from '../../src/report/diagnosis-words.ts';
import { type Experiment, type ExperimentResult, measuredDiagnosis } from '../../src/results/experiments.ts';
import { diagnosed, ordinary, ordinarySizes, type World } from './made-experiments.ts';

const isAugmented = (set: readonly string[]) => set.some((field) => field.startsWith('data.augment'));
const isDropout = (change: string) => change.includes('.keepProb=');
/** Dropout makes most of the wrong answers right. */
const dropoutHelps: World = { effect: (set) => (set.some(isDropout) ? 4 : 0) };

describe('what helps', () => {
  test('is found, named, proposed, and measured again by fresh seeds and by test', async () => {
    const { found } = await diagnosed(dropoutHelps, { seeds: 5 });
    expect(measuredDiagnosis.parse(found)).toEqual(found);
    expect(found!.verdict.code).toBe('overfits');
    const helpful = found!.remedies.filter(({ effect }) => effect === 'helps');
    expect(helpful.map(({ id }) => id)).toEqual(['dropout']);
    expect(helpful[0]!.gain).toBeGreaterThan(0.15);
    const { proposal } = found!;
    expect(proposal).toMatchObject({ id: 'dropout', parts: ['dropout'], set: ['model.layers.0.keepProb=0.6'] });
    expect(proposal!.again!.interval![0]).toBeGreaterThan(0);
    expect(proposal!.test!.interval![0]).toBeGreaterThan(0);
    expect(proposal!.test!.pictures).toBe(ordinarySizes.test);
  });

  test('several remedies that help are tried together, one of each kind', async () => {
    const changes = ['.keepProb=', 'learningRate', 'augment'];
    const isOther = (set: readonly string[]) => set.some((field) => field.startsWith('model.layers=')); // which change the rate too
    const effect = (set: readonly string[]) =>
      isOther(set) ? 0 : 3 * changes.filter((one) => set.some((field) => field.includes(one))).length;
    const { found } = await diagnosed({ effect }, { seeds: 8 });
    const { proposal, remedies } = found!;
    expect(proposal!.id).toBe('combination');
    expect([...proposal!.parts].sort()).toContain('dropout');
    expect(proposal!.parts.filter((id) => id.endsWith('rate'))).toHaveLength(1); // of two that both help
    expect(proposal!.set.filter((one) => one.startsWith('training.learningRate='))).toHaveLength(1);
    expect(remedies.find(({ id }) => id === 'combination')!.gain).toBe(Math.max(...remedies.map(({ gain }) => gain)));
  });

  test('together alone is found where nothing helps by itself: what looks best is one try more', async () => {
    const changes = ['.keepProb=', 'data.augment', 'training.l2='];
    const effect = (set: readonly string[]) => {
      const made = changes.filter((one) => set.some((field) => field.includes(one))).length;
      return made === 1 ? 0.4 : 1.2 * made; // no one alone can be told from chance
    };
    const { found } = await diagnosed({ effect }, { seeds: 5 });
    const { proposal, remedies, verdict } = found!;
    const single = remedies.filter(({ id }) => id !== 'combination');
    expect(single.filter((one) => one.effect === 'helps')).toEqual([]);
    const several = remedies.find(({ id }) => id === 'combination')!;
    expect(several).toMatchObject({ title: promisingTitle, effect: 'helps' });
    expect(several.corrected).toBeCloseTo(Math.min(1, remedies.length * several.p!), 12);
    expect(proposal).toMatchObject({ id: 'combination', title: promisingTitle, set: several.set });
    expect(proposal!.parts.length).toBeGreaterThan(1);
    expect(proposal!.again!.seeds).toBe(5);
    expect(verdict.code).not.toBe('nothing helps');
    expect(tableNote(found!)).toContain(`but for "${promisingTitle}"`);
  });

  test('is told from chance by a p that counts how many remedies were tried', async () => {
    const { found } = await diagnosed({ effect: (set) => (set.some(isDropout) ? 0.5 : 0) }, { seeds: 5, isRaced: false });
    const { remedies } = found!;
    const single = remedies.filter(({ id }) => id !== 'combination').sort((a, b) => a.p! - b.p!);
    const [least] = single;
    expect(least!.p).toBeLessThan(0.05);
    expect(single.length).toBeGreaterThan(8);
    expect(least!.corrected).toBeCloseTo(Math.min(1, single.length * least!.p!), 12); // Holm 1979, the first step
    expect(least).toMatchObject({ id: 'dropout', effect: 'could be chance' });
  });

  test('nothing is proposed where nothing helps, and then nobody reads test', async () => {
    const { found, results } = await diagnosed({});
    expect(found!.proposal).toBeNull();
    expect(found!.remedies.filter(({ effect }) => effect === 'helps')).toEqual([]);
    expect(results.filter(({ readsTest }) => readsTest)).toEqual([]);
  });
});

test('test is read by the last trainings alone: the config as it is and the proposal, with seeds that chose nothing', async () => {
  const { results } = await diagnosed(dropoutHelps, { seeds: 5 });
  const first = results.findIndex(({ readsTest }) => readsTest);
  const before = results.slice(0, first);
  const last = results.slice(first).filter(({ readsTest }) => readsTest);
  expect(last.map(({ set }) => set.length === 0)).toEqual([true, false, true, false, true, false, true, false, true, false]);
  const chose = new Set(before.filter(({ set }) => set.length > 0).map(({ seed }) => seed));
  expect(last.filter(({ seed }) => chose.has(seed))).toEqual([]);
  expect(new Set(last.flatMap(({ set }) => set))).toEqual(new Set(['model.layers.0.keepProb=0.6']));
});

test('every remedy has the seeds and the pictures of the config as it is', async () => {
  const { results } = await diagnosed({});
  const whole = results.filter(({ share, division }) => share === 1 && division === 0);
  const ofSet = groupBy(whole.keys(), (i) => JSON.stringify(whole[i]!.set));
  expect(ofSet.size).toBeGreaterThan(8);
  for (const same of ofSet.values()) expect(same.map((i) => whole[i]!.seed)).toEqual([1, 2, 3]);
  expect(new Set(results.filter(({ share }) => share < 1).map(({ share }) => share))).toEqual(new Set([1 / 8, 1 / 4, 1 / 2]));
  expect(results.filter(({ division }) => division > 0)).toHaveLength(20);
});

describe('the same comes out', () => {
  const figures = async (making: Parameters<typeof diagnosed>[1]) => (await diagnosed(dropoutHelps, making)).found;

  test('however many run at once', async () => {
    expect(await figures({ seeds: 5, jobs: 4 })).toEqual(await figures({ seeds: 5 }));
  });

  test('wherever it was killed, and goes on', async () => {
    const whole = await diagnosed(dropoutHelps, { seeds: 5 });
    for (const killAfter of [2, whole.results.length - 1]) {
      const cut = await diagnosed(dropoutHelps, { seeds: 5, killAfter });
      expect(cut.found).toBeNull();
      const rest: Experiment[] = [];
      const again = await diagnosed(dropoutHelps, { seeds: 5, known: cut.results, began: (job) => rest.push(job) });
      expect(again.found).toEqual(whole.found);
      expect(rest).toHaveLength(whole.results.length - cut.results.length);
    }
  });

  test('of results in any order, as shards bring them', async () => {
    const whole = await diagnosed(dropoutHelps, { seeds: 3, isRaced: false });
    const shards: ExperimentResult[] = [0, 1].flatMap((shard) => whole.results.filter((_, i) => i % 2 === shard).reverse());
    expect((await diagnosed(dropoutHelps, { seeds: 3, isRaced: false, known: shards })).found).toEqual(whole.found);
  });
});

test('what is raced out gets no more seeds; with shards nothing is', async () => {
  const worse: World = { effect: (set) => (set.length === 0 ? 0 : set.some(isDropout) ? 3 : -1) };
  const seedsOf = async (isRaced: boolean) => {
    const { found } = await diagnosed(worse, { seeds: 6, isRaced });
    return new Map(found!.remedies.map(({ id, seeds }) => [id, seeds]));
  };
  const raced = await seedsOf(true);
  expect(raced.get('dropout')).toBe(6);
  expect(raced.get('l2')).toBe(3);
  expect(new Set((await seedsOf(false)).values())).toEqual(new Set([6]));
});

describe('time', () => {
  /** Trainings one after the other, on a clock of their own. */
  async function within(
    seconds: number,
    each: (set: readonly string[], share: number) => number,
    of: Pick<World, 'effect' | 'config'> = dropoutHelps,
  ) {
    let now = 0;
    const time = timePlan(seconds, () => now);
    const world: World = { ...of, seconds: each };
    const { found } = await diagnosed(world, { seeds: null, time, began: ({ set, share }) => (now += each(set, share)) });
    return { found: found!, now };
  }

  test('is kept, and everything is done where there is enough', async () => {
    const { found, now } = await within(1500, (_, share) => share);
    expect(now).toBeLessThanOrEqual(1500);
    expect(found.leftOut).toEqual([]);
    expect(found.undone).toEqual([]);
    expect(found.proposal!.id).toBe('dropout');
  });

  test('that is short is kept too: plain remedies are tried, and what is left out or undone is named', async () => {
    const { found, now } = await within(80, (_, share) => 2 * share);
    expect(now).toBeLessThanOrEqual(80);
    expect(found.remedies.map(({ id }) => id)).toContain('smaller-rate');
    expect(found.leftOut.map(({ id }) => id)).toEqual(['convolution']);
    expect(found.leftOut[0]!.reason).toMatch(/^no time: a training of about \d+ s$/);
    expect(found.undone).not.toEqual([]);
  });

  test('that nothing else wants goes to what was left out, and what helps there is measured again', async () => {
    // so many epochs on inner products: augmentation, which ends them, is counted 37 times as dear
    const config = { ...ordinary, model: { layers: [{ units: 1 }] }, training: { epochs: 20_000, batchSize: 'full' } };
    const each = (set: readonly string[], share: number) => (isAugmented(set) ? 37 : 1) * share;
    const leftOut = ({ found }: Awaited<ReturnType<typeof within>>) => found.leftOut.map(({ id }) => id);
    // where dropout helps, the time is for measuring it again
    expect(leftOut(await within(382, each, { config, effect: dropoutHelps.effect! }))).toEqual(['augmentation']);
    expect(leftOut(await within(382, each, { config, effect: () => 0 }))).toEqual([]);
    const late = await within(382, each, { config, effect: (set) => (isAugmented(set) ? 4 : 0) });
    expect(late.found.proposal!.id).toBe('augmentation');
    expect(late.found.proposal!.test!.seeds).toBeGreaterThanOrEqual(3);
    expect(late.found.proposal!.test!.interval![0]).toBeGreaterThan(0);
    expect(late.now).toBeLessThanOrEqual(382);
  });

  test('that is short has one seed for every remedy first, and more for those that gain most: a dear one may be what helps', async () => {
    const each = (set: readonly string[], share: number) => (isAugmented(set) ? 14 : 3) * share;
    const { found, now } = await within(200, each, { effect: (set) => (isAugmented(set) ? 4 : 0) });
    expect(now).toBeLessThanOrEqual(200 + 14);
    expect(found.leftOut).toEqual([]);
    expect(found.proposal!.id).toBe('augmentation');
    // 51 seconds, of which the last phase has 40: other divisions leave it the rest
    expect(found.proposal!.test!.seeds).toBeGreaterThanOrEqual(3);
    const single = found.remedies.filter(({ seeds }) => seeds === 1);
    expect(single.length).toBeGreaterThan(0);
    for (const one of single) expect(one).toMatchObject({ effect: 'too few seeds', interval: null, p: null });
    // those that were dropped after one seed were chosen from: they count as tries
    const tested = found.remedies.filter(({ p }) => p !== null).sort((a, b) => a.p! - b.p!);
    expect(tested[0]!.corrected).toBeCloseTo(Math.min(1, found.remedies.length * tested[0]!.p!), 12);
  });

  test('that suffices for nothing is said, and no remedy is called useless', async () => {
    const { found } = await within(10, () => 5);
    expect(found.verdict.code).toBe('not enough time');
    expect(found.undone.at(-1)).toContain('--minutes');
  });
});

test('wrong labels are told by the networks that see them: those of the config, or better ones', async () => {
  const effect = (set: readonly string[]) => (set.some((change) => change.includes('units=')) ? 3 : 0);
  const { train, dev } = ordinarySizes;
  const isEighth = (row: number) => row % 8 === 0;
  const inTrain = (await diagnosed({ effect, trainError: 0.2, isFlipped: (row) => row < train && isEighth(row) })).found!;
  // better networks judge dev alone, where they contradict nothing
  expect([inTrain.verdict.code, ...inTrain.verdict.also]).toContain('label noise');
  expect(inTrain.suspects!.judged).toBeGreaterThan(dev);
  expect(inTrain.suspects!.list.length).toBeGreaterThan(20);
  expect(inTrain.suspects!.list.every(({ part, row }) => part === 'train' && isEighth(row))).toBe(true);
  const inDev = (await diagnosed({ effect, trainError: 0.2, isFlipped: (row) => row >= train && isEighth(row) })).found!;
  expect(inDev.suspects!.list.map(({ row }) => row).sort((a, b) => a - b)).toEqual(
    Array.from({ length: dev / 8 }, (_, i) => train + 8 * i),
  );
});

test('without dev the folds of train judge', async () => {
  const { found } = await diagnosed({ ...dropoutHelps, sizes: { train: 200, dev: 0, test: 100 } }, { seeds: 5 });
  expect(found!.evaluatedOn).toMatchObject({ part: 'folds', folds: 5, pictures: 200 });
  expect(found!.proposal!.id).toBe('dropout');
  // there is nothing to stop early by
  expect(found!.remedies.map(({ id }) => id)).not.toContain('early-stopping');
});

test('changes are called by the title of their remedy, several at once by what they are', () => {
  const config = checkConfig({ data: { source: { type: 'drawn', count: 10 } }, model: { layers: [{ units: 8 }] } }, 'made');
  const setting: Setting = { inputs: 12288, side: 64, train: 240, smaller: 100, hasDev: true };
  const changing = treatments.flatMap(({ title, set }) => {
    const changes = changesOf(config, setting, set);
    return changes === null ? [] : [{ title, changes }];
  });
  expect(changing.length).toBeGreaterThan(8);
  for (const { title, changes } of changing) expect(titleOf(config, setting, changes)).toBe(title);
  expect(titleOf(config, setting, [])).toBe('the config as it is');
  expect(
    titleOf(
      config,
      setting,
      changing.slice(0, 2).flatMap(({ changes }) => changes),
    ),
  ).toBe('several of them together');
});

test('remedies have names that are never the same', () => {
  expect(new Set(treatments.map(({ id }) => id)).size).toBe(treatments.length);
});
