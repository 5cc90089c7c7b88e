import { describe, expect, test } from 'vitest';
import { type Explained, explanationText, limitsOf } from '../../src/report/explanation.ts';
import { colourBound, colourOf, mapSquare, overlaySquare, speaksAgainst, speaksFor } from '../../src/report/explanation-map.ts';
import { drawExplanation } from '../../src/report/explanation-picture.ts';
import { linesOf } from '../../src/text.ts';

describe('colours', () => {
  test('0 is white, the bound and all beyond it the full colour, and as much for as against is as far from white', () => {
    expect(colourOf(0, 2)).toEqual([255, 255, 255]);
    expect(colourOf(2, 2)).toEqual(speaksFor);
    expect(colourOf(5, 2)).toEqual(speaksFor);
    expect(colourOf(-9, 2)).toEqual(speaksAgainst);
    const half = (colour: readonly number[]) => colour.map((value) => (255 + value) / 2);
    expect(colourOf(1, 2)).toEqual(half(speaksFor));
    expect(colourOf(-1, 2)).toEqual(half(speaksAgainst));
  });

  test('the bound passes over one value in a hundred, and is never 0', () => {
    const values = Float64Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? i : -i) / 1000);
    expect(colourBound(values)).toBe(0.989);
    expect(colourBound(new Float64Array(1000))).toBe(1);
    expect(colourBound(new Float64Array(1000).with(3, -4))).toBe(4);
  });

  test('a square has the colour of each value in its place; over a picture, what is 0 is its grey, from 100 for black to 255', () => {
    const map = Float64Array.of(1, 0, -1, 0);
    expect(Array.from(mapSquare(map))).toEqual([...speaksFor, 255, 255, 255, ...speaksAgainst, 255, 255, 255]);
    const pixels = Uint8Array.of(10, 10, 10, 0, 0, 0, 200, 200, 200, 255, 0, 0);
    const overlay = Array.from(overlaySquare(pixels, map));
    expect(overlay.slice(3, 6)).toEqual([100, 100, 100]);
    expect(overlay.slice(9)).toEqual([146, 146, 146]); // 100 + 155 · 0.299
    expect(overlay[0]).toBeGreaterThan(overlay[2]!);
    expect(overlay[6]).toBeLessThan(overlay[8]!);
  });
});

test('the picture has the panels side by side, enlarged by a whole factor', () => {
  const side = 100;
  const pixels = Uint8Array.from({ length: side * side * 3 }, (_, k) => (k * 7) % 251);
  const map = Float64Array.from({ length: side * side }, (_, k) => Math.sin(k));
  const about = { name: '<b>.png', label: 'cat', p: 0.75, positive: 'cat', method: 'occlusion', limits: ['one', 'two'] };
  const { canvas, texts } = drawExplanation({ ...about, pixels, map });
  const [panel, left, gap, top] = [300, 24, 16, 96];
  expect(canvas.width).toBe(3 * panel + 2 * gap + 2 * left);
  expect(canvas.pixels).toHaveLength(canvas.width * canvas.height * 3);
  for (const [i, square] of [pixels, mapSquare(map), overlaySquare(pixels, map)].entries()) {
    for (const [y, x] of [
      [0, 0],
      [299, 299],
      [137, 42],
    ] as const) {
      const at = ((top + y) * canvas.width + left + i * (panel + gap) + x) * 3;
      const from = (Math.floor(y / 3) * side + Math.floor(x / 3)) * 3;
      expect(canvas.pixels.slice(at, at + 3)).toEqual(square.slice(from, from + 3));
    }
  }
  expect(texts).toContain('&lt;b&gt;.png');
  expect(texts).toContain('cat, P(cat) = 0.7500');
  for (const limit of about.limits) expect(texts).toContain(limit);
});

describe('in words', () => {
  const row: Explained = {
    ...{
      file: 'a.png',
      label: 'cat',
      p: 0.9,
      logit: 2.2,
      threshold: 0.5,
      model: 'm',
      method: 'gradient',
      out: null,
      error: null,
    },
    ...{ map: [], parts: 2, bias: 0.25, remainder: -0.05, occlusion: null },
  };
  const text = (changes: Partial<Explained>) =>
    linesOf(explanationText({ ...row, ...changes }, { positive: 'cat', style: (_, words) => words }));
  /** 24 × 24 pixels, by a function of where they are. */
  const mapOf = (value: (y: number, x: number) => number) =>
    Array.from({ length: 24 }, (_, y) => Array.from({ length: 24 }, (_, x) => value(y, x)));

  test('the strongest thirds of the picture are named with their share', () => {
    const map = mapOf((y, x) => (y < 8 && x < 8 ? 3 : y >= 16 && x >= 8 && x < 16 ? 1 : y >= 8 && y < 16 && x >= 16 ? -1 : 0));
    const lines = text({ map });
    expect(lines).toContain('  for cat: upper left 75%, lower middle 25%; against: middle right 100%');
    const drawn = lines.filter((line) => /^ {2}[#+=.-]( [#+=.-]){11}$/.test(line));
    expect(drawn).toHaveLength(12);
    expect(drawn[0]).toBe('  # # # # . . . . . . . .');
    expect(drawn[5]).toBe('  . . . . . . . . - - - -');
    expect(drawn[11]).toBe('  . . . . + + + + . . . .');
  });

  test('a map of nothing, and one of fewer pixels than cells', () => {
    expect(text({ map: mapOf(() => 0) })).toContain('  for cat: nothing; against: nothing');
    expect(text({ map: [[-1]] })).toContain('  =');
    expect(
      text({
        map: [
          [1, -1],
          [0, 0],
        ],
      }),
    ).toContain('  # =');
  });

  test('what the parts add up to; a remainder only where there is one', () => {
    expect(text({ map: [[1]] }).join()).toContain(
      'logit +2.2000 = parts +2.0000, bias +0.2500, remainder −0.0500: the network is not linear',
    );
    expect(text({ map: [[1]], remainder: 1e-7 }).join()).not.toContain('remainder');
  });

  test('how much covering does, and that P may hide what the logit shows', () => {
    const of = (differences: number[][]) => {
      const occlusion = { square: 8, starts: [0, 4], fill: 'black', differences, logitDifferences: [[0]] } as const;
      return text({ map: [[1]], occlusion: { ...occlusion, starts: [0, 4], logitDifferences: [[0]] } }).join();
    };
    expect(
      of([
        [0.3, -0.1],
        [0, 0.2],
      ]),
    ).toContain('covering 8 × 8 pixels with black lowers P by 0.3000 at most, and raises it by 0.1000');
    expect(of([[0.3, -0.1]])).not.toContain('hardly');
    expect(of([[0.001]])).toContain('hardly anything, the logits in --json show more');
  });

  test.each(['gradient', 'occlusion'] as const)('the limits of %s are said', (method) => {
    expect(limitsOf(method, 'dog')).toHaveLength(3);
    expect(limitsOf(method, 'dog')[0]).toContain('dog');
  });
});
