// Holds the page that `nn export` writes against `nn predict`, for whole photographs: the browser decodes them, and the page makes squares of them.
// node bench/page.mjs RUN FOLDER [COUNT [SIDE]]: a run's model, and a folder of photographs, of which COUNT (200) are taken, spread evenly; with SIDE they are
// made so large, as JPEG files, since nothing is decoded as a small picture where pictures are small. It prints how far the answers are apart, how many are other
// ones, and how long a photograph takes. CHROMIUM names another browser than /usr/bin/chromium.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import sharp from 'sharp';

const bin = fileURLToPath(new URL('../bin/nn.js', import.meta.url));
const [run, folder, wanted = '200', side] = process.argv.slice(2);
const nn = (...words) => execFileSync(process.execPath, [bin, ...words], { encoding: 'utf8', maxBuffer: 2 ** 28 });

const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
  .sort();
const count = Math.min(all.length, Number(wanted));
const chosen = Array.from({ length: count }, (_, i) => resolve(folder, all[Math.floor((i * all.length) / count)]));
const place = mkdtempSync(join(tmpdir(), 'nn-page-'));
const files = side === undefined ? chosen : await Promise.all(chosen.map(enlarged));
// a page leaves pictures open where its model knows from which confidence on it is right often enough
const abstains = JSON.parse(nn('model', 'show', run, '--json')).abstention?.confidence != null;
const expected = nn('predict', '--model', run, '--json', ...(abstains ? ['--abstain'] : []), ...files)
  .trim()
  .split('\n')
  .map(JSON.parse);

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const page = join(place, 'page.html');
  nn('export', '--model', run, '--out', page, '-q');
  const tab = await (await browser.newContext({ offline: true })).newPage();
  await tab.goto(pathToFileURL(page).href);
  await tab.waitForSelector('[data-self-test=passed]');
  const times = [];
  for (const [i, file] of files.entries()) {
    const start = performance.now();
    await tab.setInputFiles('#choose', file);
    await tab.waitForSelector(`.card:nth-child(${i + 1})[data-state=answered]`);
    times.push(performance.now() - start);
  }
  const found = await tab.evaluate(() =>
    [...document.querySelectorAll('.card')].map(({ dataset: { p, label } }) => ({ p: Number(p), label })),
  );
  const differences = expected.map(({ p }, i) => Math.abs(p - found[i].p));
  const others = expected.filter(({ label }, i) => label !== (found[i].label === 'not sure' ? 'unsure' : found[i].label)).length;
  console.log(
    `${count} photographs of ${all.length}${side === undefined ? '' : `, ${side} pixels wide`}, ${cpus()[0].model}, Chromium ${browser.version()}`,
  );
  console.log(
    `|Δp|: median ${at(differences, 0.5).toFixed(4)}, 95th percentile ${at(differences, 0.95).toFixed(4)}, largest ${at(differences, 1).toFixed(4)}`,
  );
  console.log(`other answers: ${others} (${((100 * others) / count).toFixed(1)}%)`);
  console.log(
    `from choosing a photograph to its answer: median ${at(times, 0.5).toFixed(0)} ms, 95th percentile ${at(times, 0.95).toFixed(0)} ms`,
  );
} finally {
  await browser.close();
  rmSync(place, { recursive: true });
}

/** Every second one lies on its side, as a phone writes it. */
async function enlarged(file, i) {
  const out = join(place, `${i}.jpg`);
  const larger = sharp(file).resize({ width: Number(side), height: Math.round((Number(side) * 3) / 4), kernel: 'cubic' });
  await larger
    .withMetadata({ orientation: i % 2 === 0 ? 1 : 6 })
    .jpeg({ quality: 90 })
    .toFile(out);
  return out;
}

/** The value that such a share of the values is no larger than. */
function at(values, share) {
  return [...values].sort((a, b) => a - b)[Math.ceil(share * values.length) - 1];
}
