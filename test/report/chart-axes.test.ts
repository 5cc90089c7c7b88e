import { expect, test } from 'vitest';
import { type Chart, chartHtml } from '../../src/report/charts.ts';

const chart = (part: Partial<Chart>): string =>
  chartHtml({ name: 'c', title: 't', summary: 's', x: { label: 'x' }, y: { label: 'y' }, series: [], ...part });
const labelled = (page: string) =>
  [...page.matchAll(/<text x="([\d.]+)" y="[\d.]+" class="mid">([^<]*)<\/text>/g)].map(([, x, text]) => ({
    x: Number(x),
    text: text!,
  }));

test('choices stand at even distances under their points, as text', () => {
  const categories = ['relu', '<b>"tanh"', 'sigmoid'];
  const page = chart({
    x: { label: 'x', categories },
    series: [{ name: 'a', style: 1, dots: true, points: categories.map((_, i) => [i, i]) }],
  });
  const labels = labelled(page);
  expect(labels.map(({ text }) => text)).toEqual(['relu', '&lt;b&gt;&quot;tanh&quot;', 'sigmoid']);
  expect(labels[1]!.x - labels[0]!.x).toBeCloseTo(labels[2]!.x - labels[1]!.x, 1);
  const places = [...page.matchAll(/<circle[^>]*cx="([\d.]+)"/g)].map(([, x]) => Number(x));
  expect(places).toEqual(labels.map(({ x }) => x));
});

test.each([1, 2, 8, 40, 500])('%i long names do not overlap', (n) => {
  const categories = Array.from({ length: n }, (_, i) => `a very long name ${i}`.repeat(4));
  const labels = labelled(chart({ x: { label: 'x', categories } }));
  expect(labels.length).toBeGreaterThan(0);
  // digits of 13.5 pixels are at most 8 wide in the fonts of systems, letters less on average
  for (const [i, { x, text }] of labels.entries())
    if (i > 0) expect(labels[i - 1]!.x + ((labels[i - 1]!.text.length + text.length) / 2) * 7.8).toBeLessThanOrEqual(x + 0.5);
});

test('points of each style have a shape of their own', () => {
  const shapes = ([1, 2, 3, 4] as const).map((style) => {
    const [, shape] = /(<circle|<path class="point[^>]* d="[^"]*")/.exec(
      chart({ series: [{ name: 'a', style, dots: true, points: [[1, 1]] }] }),
    )!;
    return shape!.replace(/ transform="[^"]*"|class="[^"]*"/g, '');
  });
  expect(new Set(shapes).size).toBe(4);
});

test('a line to compare with is within the axis', () => {
  const page = chart({
    series: [
      {
        name: 'a',
        style: 1,
        points: [
          [0, 1],
          [1, 2],
        ],
      },
    ],
    guide: { from: [0, 9], to: [1, 9], text: 'far' },
  });
  const [, y] = /class="guide" d="M[\d.]+ ([\d.]+)L/.exec(page)!;
  expect(Number(y)).toBeGreaterThanOrEqual(34 - 0.01); // the frame's top
});
