import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding, FlaggedImage } from '../../src/data/inspection/findings.ts';
import { sheetHtml } from '../../src/report/contact-sheet.ts';
import { htmlTable } from '../../src/report/html.ts';
import type { Inspection } from '../../src/report/inspection.ts';
import { inspectionHtml } from '../../src/report/inspection-report.ts';
import { expectAlone, faultsIn } from './well-formed.ts';

const picture = (name: string): FlaggedImage => ({ name, label: name, part: 'train', source: 0, index: 0 });

/** All that may be told, with one name in every place. */
function inspection(name: string): { found: Inspection; shown: FlaggedImage } {
  const shown = picture(name);
  const findings: Finding[] = [{ kind: 'nearDuplicate', groups: [{ pictures: [shown, picture(name)], why: name }] }];
  const spread = { min: 1, median: 2, max: 3 };
  const classes = { [name]: 2, other: 1 };
  const score = {
    name: 'size',
    title: 'width',
    accuracy: 0.5,
    accuracyInterval: [0.4, 0.6] as const,
    baseline: 0.5,
    warning: name,
  };
  const found: Inspection = {
    source: name,
    total: 3,
    readable: 3,
    classes,
    parts: { train: classes, test: classes },
    width: spread,
    height: spread,
    sizes: 2,
    bytes: spread,
    formats: { [name]: 3 },
    turned: 1,
    findings,
    differences: [
      { parts: ['train', 'test'], what: 'class', title: name, values: [0.2, 0.9], size: 0.7, chance: 0, differs: true },
    ],
    shortcuts: [score],
    model: { path: name, accuracy: 0.5, accuracyInterval: [0.4, 0.6], pictures: 3 },
    warnings: [name],
    seconds: 1,
  };
  return { found, shown };
}

const inspectionPage = (name: string) => {
  const { found, shown } = inspection(name);
  const square = { side: 1, pixels: Uint8Array.of(1, 2, 3) };
  const group = { title: name, images: [{ picture: shown, words: name, square }] };
  const images = {
    thumbnails: new Map([[shown, Uint8Array.of(255, 216, 255)]]),
    classes: [{ label: name, total: 2, samples: [shown], mean: square }],
    shortcuts: new Map([['size', [group]]]),
  };
  return inspectionHtml(found, images, 10);
};
const sheetPage = (name: string) => {
  const square = new Uint8Array(12);
  const sections = [{ title: name, total: 5, pictures: [{ name, squares: [square] }] }];
  return sheetHtml({ title: name, side: 2, sections }, new Map([[square, Uint8Array.of(137, 80)]]));
};

const pages: [string, (name: string) => string][] = [
  ['nn data inspect --html', inspectionPage],
  ['nn data preview --out sheet.html', sheetPage],
];

describe.each(pages)('the page of %s', (_, page) => {
  test.each([
    `<script>alert("1")</script>`,
    `"><img src=x onerror=alert(1)>`,
    `it's "quoted" & ünïcödé 猫.jpg`,
    'javascript:alert(1)',
    '&lt;already;&amp;',
    'new\nline\t\u001b[31m',
    '\ud800 half a letter',
    'turned \u202e around',
  ])('is well-formed and needs nothing beside it, with a file called %j', (name) => {
    expect(faultsIn(page(name))).toEqual([]);
    expectAlone(page(name));
  });

  test('is so with any name', () => {
    const any = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...`<>"'&;=/! -a`) }));
    fc.assert(
      fc.property(any, (name) => {
        expect(faultsIn(page(name))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test('shows the name as it is', () => {
    expect(page('ünïcödé 猫.jpg')).toContain('ünïcödé 猫.jpg');
  });
});

test('figures stand to the right with their head, words to the left; without a head there is none', () => {
  const page = htmlTable([
    ['', 'train', 'words'],
    ['a', '-1.5', '3 jpeg'],
    ['b', '20%', ''],
  ]);
  expect(page).toContain('<td></td><th class="figure">train</th><th>words</th>');
  expect(page).toContain('<td>a</td><td class="figure">-1.5</td><td>3 jpeg</td>');
  expect(htmlTable([[], ['a', '1']])).not.toContain('<thead>');
});
