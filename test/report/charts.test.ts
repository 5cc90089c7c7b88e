import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Chart, chartHtml, type Series } from '../../src/report/charts.ts';

const chart = (series: readonly Series[], changes: Partial<Chart> = {}): Chart => ({
  ...{ name: 'any', title: 'Any', summary: 'What it shows.', x: { label: 'x' }, y: { label: 'y' }, series },
  ...changes,
});
const line = (...points: [number, number][]): Series => ({ name: 'one', style: 1, points });
/** Where the points of a line are drawn. */
const placesIn = (html: string) => {
  const [, d] = /<path class="line[^>]* d="M([^"]*)"/.exec(html)!;
  return d!.split('L').map((pair) => pair.split(',').map(Number));
};
/** The texts at the ticks of both axes. */
const ticksIn = (html: string, side: 'mid' | 'end') =>
  [...html.matchAll(new RegExp(`<text [^>]*class="${side}">([^<]*)<`, 'g'))].map(([, text]) => text);

describe('scales', () => {
  // 480 by 296, of which 58 to 466 and 250 up to 34 are the axes'
  test('a linear axis has its ends at the ends, and the middle in the middle', () => {
    const html = chartHtml(
      chart([line([0, 0], [5, 50], [10, 100])], { x: { label: 'x', domain: [0, 10] }, y: { label: 'y', domain: [0, 100] } }),
    );
    expect(placesIn(html)).toEqual([
      [58, 250],
      [262, 142],
      [466, 34],
    ]);
  });

  test('a logarithmic axis has equal steps for equal factors', () => {
    const html = chartHtml(chart([line([0, 1], [1, 10], [2, 100])], { y: { label: 'y', scale: 'log' } }));
    expect(placesIn(html).map(([, y]) => y)).toEqual([250, 142, 34]);
  });

  test('ticks are words of their kind', () => {
    const shares = chartHtml(chart([line([0, 0], [1, 1])], { y: { label: 'y', domain: [0, 1], format: 'percent' } }));
    expect(ticksIn(shares, 'end')).toEqual(['0%', '20%', '40%', '60%', '80%', '100%']);
    const epochs = chartHtml(chart([line([1, 0], [2, 1])], { x: { label: 'epoch', format: 'whole' } }));
    expect(ticksIn(epochs, 'mid')).toEqual(['1', '2']);
    const many = chartHtml(chart([line([0, 0], [2_000_000, 1e-6])]));
    expect(ticksIn(many, 'mid')).toContain('500,000');
    expect(ticksIn(many, 'end')).toContain('2e-7');
  });

  test('points beyond a domain are left out where x is, and stay at its edge where y is', () => {
    const axes = { x: { label: 'x', domain: [0, 10] as const }, y: { label: 'y', domain: [0, 1] as const } };
    const html = chartHtml(chart([line([-1, 0], [0, 0], [5, 7], [10, Number.NEGATIVE_INFINITY], [11, 1])], axes));
    expect(placesIn(html)).toEqual([
      [58, 250],
      [262, 34],
      [466, 250],
    ]);
  });
});

test('names are text wherever they stand', () => {
  const name = `<b>&"'\u202e</b>`;
  const html = chartHtml(
    chart([{ ...line([0, 1], [1, 2]), name }], {
      title: name,
      summary: name,
      x: { label: name },
      y: { label: name },
      marks: [{ x: 0.5, text: name }],
      guide: { from: [0, 1], to: [1, 2], text: name },
    }),
  );
  expect(html).not.toMatch(/<b>|\u202e/);
  expect(html.match(/&lt;b&gt;&amp;&quot;&#39;\ufffd&lt;\/b&gt;/g)!.length).toBeGreaterThanOrEqual(8);
});

test('a reader who can not see it gets title and text', () => {
  const html = chartHtml(chart([line([0, 1], [1, 2])]));
  expect(html).toContain('role="img" aria-labelledby="any any-text"');
  expect(html).toContain('<h3 id="any">Any</h3>');
  expect(html).toContain('<desc id="any-text">What it shows.</desc>');
});

describe('nothing is drawn at a place that is no number', () => {
  const expectNumbers = (html: string) => {
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
    for (const [, d] of html.matchAll(/ d="([^"]*)"/g)) expect(d).toMatch(/^$|^M[MLHVZ\d.,\s-]*$/);
  };
  test.each<[string, [number, number][]]>([
    ['no points', []],
    ['one point', [[3, 4]]],
    ['one point at 0', [[0, 0]]],
    [
      'points that are the same',
      [
        [1, 2],
        [1, 2],
      ],
    ],
    [
      'no numbers',
      [
        [1, Number.NaN],
        [2, Number.NaN],
      ],
    ],
    [
      'numbers without an end',
      [
        [1, 1],
        [2, Number.POSITIVE_INFINITY],
        [3, Number.NEGATIVE_INFINITY],
      ],
    ],
    [
      'the largest there are',
      [
        [1, -1.7e308],
        [2, 1.7e308],
      ],
    ],
    [
      'the smallest there are',
      [
        [1, 5e-324],
        [2, 5e-324],
      ],
    ],
    [
      'nothing above 0',
      [
        [1, 0],
        [2, -3],
      ],
    ],
  ])('%s', (_, points) => {
    for (const scale of ['linear', 'log'] as const)
      for (const kind of [{}, { dots: true, intervals: points.map(([, y]): [number, number] => [y, y]) }, { filled: true }])
        expectNumbers(chartHtml(chart([{ ...line(...points), ...kind }], { y: { label: 'y', scale } })));
  });

  test('any values', () => {
    const points = fc.array(fc.tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.double()), { maxLength: 30 });
    fc.assert(
      fc.property(points, fc.constantFrom('linear' as const, 'log' as const), (some, scale) =>
        expectNumbers(chartHtml(chart([line(...some)], { y: { label: 'y', scale } }))),
      ),
    );
  });
});
