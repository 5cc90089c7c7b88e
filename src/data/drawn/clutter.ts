import { coatOf, furColours } from './coat.ts';
import type { Pen } from './pen.ts';
import { type Colour, canvas, lines, mix, placed, rectangle, svg } from './svg.ts';
import { things } from './things.ts';

const brightColours: readonly Colour[] = [
  ...['#b84040', '#4068b0', '#d0a030', '#508850', '#884890', '#e0e0dc', '#303038', '#a07048'],
];

/** Small things that stand about a figure. */
export function distractors(pen: Pen, count: number): string {
  return pen.many(count, () => {
    const coat = coatOf(pen, pen.pick(pen.chance(0.5) ? brightColours : furColours));
    const kind = pen.pick([things.tree, things.fir, things.house, things.cup, things.car, things.flower, ball, books]);
    const place = { x: pen.between(2, 126), y: pen.between(50, 120), scale: pen.between(0.15, 0.36), flip: pen.pick([-1, 1]) };
    return svg`${coat.definition}<g stroke="${coat.line}" stroke-width="2">${placed(kind(pen, coat), place)}</g>`;
  });
}

/** What stands before a figure and hides a part of it. */
export const occluders = { grass, fence, leaves, box, curtain };

/** Lines at random: what a child does to a wall. */
export function scribbles(pen: Pen, count: number): string {
  const point = () => svg`${pen.between(4, 124)} ${pen.between(4, 124)}`;
  return pen.many(count, () => {
    const curve = svg`M${point()}C${point()} ${point()} ${point()}${pen.many(pen.whole(1, 4), () => svg`S${point()} ${point()}`)}`;
    return lines(curve, pen.pick(pen.chance(0.5) ? brightColours : furColours), pen.between(1.5, 6));
  });
}

function grass(pen: Pen): string {
  const green = pen.pick(['#486830', '#607838', '#807840', '#385038']);
  const blade = (i: number) =>
    svg`M${i * 15 + pen.between(-5, 9)} 130q${pen.between(-3, 3)}-12 ${pen.between(-7, 7)} ${pen.between(-36, -14)}`;
  return [0, 0.15, 0.3].map((shade) => lines(pen.many(9, blade), mix(green, '#000000', shade), 2.4)).join('');
}

function fence(pen: Pen): string {
  const [gap, top, colour] = [pen.between(22, 36), pen.between(74, 94), pen.pick(['#e8e4dc', '#786048', '#504844'])];
  const shift = pen.between(0, gap);
  const pales = pen.many(Math.ceil(canvas / gap) + 1, (i) => svg`M${i * gap - shift} 130V${top + 3}l3-4l3 4V130Z`);
  return lines(svg`M0 ${top + 10}H128M0 118H128`, mix(colour, '#000000', 0.15), 4) + svg`<path d="${pales}" fill="${colour}"/>`;
}

function leaves(pen: Pen): string {
  const [x, green] = [pen.pick([-4, 132]), pen.pick(['#3c6034', '#587040', '#786c38'])];
  return pen.many(6, () => {
    const blade = svg`<path d="M0 0q14-14 ${pen.between(32, 48)} 0q-20 14-46 0Z" fill="${mix(green, '#000000', pen.between(0, 0.3))}"/>`;
    return placed(blade, { x, y: pen.between(64, 128), turn: (x < 0 ? 0 : 180) + pen.between(-50, 50) });
  });
}

function box(pen: Pen): string {
  const [x, y, width] = [pen.between(-20, 90), pen.between(94, 110), pen.between(36, 64)];
  const colour = pen.pick(['#b08c5c', '#8c6c48', '#5c6c80', '#a45048']);
  return rectangle(x, y, width, 50, colour) + lines(svg`M${x} ${y}h${width}m0 8h${-width}`, mix(colour, '#000000', 0.35), 1.4);
}

function curtain(pen: Pen): string {
  const [width, colour] = [pen.between(16, 34), pen.pick(brightColours)];
  const x = pen.pick([0, canvas - width]);
  const folds = pen.many(3, (i) => svg`M${x + ((i + 0.7) * width) / 3.4} 0q-3 64 1 128`);
  return rectangle(x, 0, width, canvas, colour) + lines(folds, mix(colour, '#000000', 0.3), 2.5);
}

function ball(_pen: Pen, { fill, light }: { fill: string; light: Colour }): string {
  return svg`<circle cy="20" r="26" fill="${fill}"/><path d="M-24 12Q0 28 24 12" fill="none" stroke="${light}" stroke-width="5"/>`;
}

function books(pen: Pen): string {
  const book = (i: number) => svg`<path d="M${i * 14 - 28} 46V${pen.between(-16, 4)}h13V46Z" fill="${pen.pick(brightColours)}"/>`;
  return pen.many(4, book);
}
