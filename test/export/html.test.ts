import { beforeAll, describe, expect, test } from 'vitest';
import type { UserError } from '../../src/errors.ts';
import { html } from '../../src/export/html.ts';
import { version } from '../../src/own-files.ts';
import { randomClassifier } from '../classifier/classifiers.ts';
import { conv } from '../nn/networks.ts';
import { exportedOf } from './random-classifiers.ts';

/** `nn export --check` of a page: it runs its script only where that is this nn's own. */

let page: string;
beforeAll(async () => {
  const classifier = randomClassifier({ side: 8, hidden: [conv(3)], precision: 'float32' });
  page = Buffer.from(await html.write(exportedOf(classifier, 3))).toString();
});
const check = (text: string) => html.check(Buffer.from(text), 'page.html');
const refused = (text: string) =>
  check(text).then(
    () => expect.fail('it is not refused'),
    ({ kind, message, hint }: UserError) => ({ kind, message, hint }),
  );

test('a page as it was written answers to the bit', async () => {
  expect(await check(page)).toMatchObject({ pictures: 3, largestDifferenceLogit: 0, otherLabels: 0, tolerance: 0, agrees: true });
});

test('it is told by its first bytes, and asks for nothing from outside', () => {
  expect(html.recognizes(Buffer.from(page).subarray(0, 64))).toBe(true);
  expect(html.recognizes(Buffer.from('<!doctype html>\n<html lang="en">'))).toBe(false);
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/(src|href)=["']?(https?:|\/\/)|@import|url\(/);
});

test.each([
  ['a logit', /"logit":-?[\d.e-]+/, '"logit":0.001'],
  ['the last bit of one', /"logit":(-?\d+\.\d+)/, null],
  ['a label', /"label":"cat"|"label":"thing"/, '"label":"dog"'],
])('%s that is another is found', async (_, pattern, replacement) => {
  const nextAbove = (text: string) => {
    const numbers = Float64Array.of(Number(/-?\d+\.\d+/.exec(text)![0]));
    new BigInt64Array(numbers.buffer)[0]! += 1n;
    return `"logit":${numbers[0]}`;
  };
  const changed = page.replace(pattern, (text) => replacement ?? nextAbove(text));
  expect(changed).not.toBe(page);
  expect((await check(changed)).agrees).toBe(false);
});

describe('is refused', () => {
  test('with a script that is not this nn’s: it could do anything', async () => {
    const { kind, message } = await refused(page.replace('var nnPage=', 'globalThis.owned=1;var nnPage='));
    expect([kind, message]).toEqual(['model', 'page.html: expected the script and the kernels of this nn, found others']);
    expect(globalThis).not.toHaveProperty('owned');
  });

  test('with other kernels', async () => {
    const kernels = page.match(/"float32":"[^"]{100}/)![0];
    expect((await refused(page.replace(kernels, `${kernels.slice(0, -1)}${kernels.endsWith('A') ? 'B' : 'A'}`))).message).toMatch(
      /kernels/,
    );
  });

  test('of another version, with what to do', async () => {
    const { kind, message, hint } = await refused(
      page.replace(`"nn":"${version}"`, '"nn":"0.0.1"').replace('var nnPage=', 'var nnPage =  '),
    );
    expect([kind, message]).toEqual([
      'usage',
      `page.html: expected a page of nn ${version}, whose code can be run, found one of nn 0.0.1`,
    ]);
    expect(hint).toMatch(/Check it with nn 0\.0\.1/);
  });

  test('with weights that are others', async () => {
    const [model] = page.match(/"model":"[^"]+/)!;
    const changed = `${model.slice(0, -20)}AAAA${model.slice(-16)}`;
    expect((await refused(page.replace(model, changed))).message).toMatch(/checksum|finite/);
  });

  test.each([
    ['cut off', (text: string) => text.slice(0, 5000), /expected a model and a script/],
    ['without answers', (text: string) => text.replace('"answers":[', '"others":['), /no sound value/],
    [
      'with pictures that are too few',
      (text: string) => text.replace(/"pixels":"[^"]{8}/, '"pixels":"'),
      /bytes of test pictures/,
    ],
    // a page that the fuzzing found: Node leaves such letters out, the page's script does not
    ['with pictures that are no base64', (text: string) => text.replace(/"pixels":"[^"]{4}/, '"pixels":"AA A'), /no sound value/],
    ['with no JSON', (text: string) => text.replace('{"nn"', '{nn'), /in JSON/],
  ])('%s', async (_, change, says) => {
    const { kind, message } = await refused(change(page));
    expect(kind).toBe('model');
    expect(message).toMatch(says);
  });
});
