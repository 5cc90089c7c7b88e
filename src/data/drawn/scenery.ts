import { landscapes } from './landscapes.ts';
import type { Pen } from './pen.ts';
import { type Colour, canvas, lines, mix, rectangle, svg } from './svg.ts';

/** What is behind a figure takes its leading colour from this one list, whatever the figure. */
export const sceneColours: readonly Colour[] = [
  ...['#2c3444', '#38302c', '#3c4c3c', '#54505c', '#6c5c4c', '#5c7464', '#6c8098', '#8c7c6c'],
  ...['#98a884', '#a08c9c', '#b4a890', '#a4bcc8', '#d4c4a4', '#c8d4c0', '#e0d8d0', '#dce6ec'],
];

/** One wall and one floor, evenly lit. */
export function calm(pen: Pen, colour: Colour): string {
  const floor = mix(colour, pen.pick(['#000000', '#604830', '#ffffff']), pen.between(0.05, 0.25));
  const horizon = pen.between(88, 104);
  return rectangle(0, 0, canvas, canvas, colour) + rectangle(0, horizon, canvas, canvas - horizon, floor);
}

/** Busy scenery over the whole canvas, each about a leading colour. */
export const scenes = { ...landscapes, room, street, patches };

function room(pen: Pen, colour: Colour): string {
  const floor = mix(colour, pen.pick(['#604020', '#302420', '#b09070']), 0.6);
  const horizon = pen.between(78, 108);
  const stripe = mix(colour, pen.pick(['#000000', '#ffffff', '#a04040', '#4060a0']), pen.between(0.1, 0.3));
  const gap = pen.between(9, 20);
  const wallpaper = pen.many(Math.ceil(canvas / gap), (i) => svg`M${(i + 0.3) * gap} 0V${horizon}`);
  return [
    rectangle(0, 0, canvas, canvas, colour),
    pen.chance(0.6) ? lines(wallpaper, stripe, gap / 2) : '',
    pen.many(2, () => framed(pen)),
    rectangle(0, horizon, canvas, canvas - horizon, floor),
    lines(
      pen.many(4, (i) => svg`M0 ${horizon + 4 + i * 10}H128`),
      mix(floor, '#000000', 0.25),
      1.2,
    ),
  ].join('');
}

function street(pen: Pen, colour: Colour): string {
  const horizon = pen.between(84, 108);
  const course = (row: number) => svg`M0 ${row * 12}H128${pen.many(6, (i) => svg`M${i * 24 + (row % 2) * 12} ${row * 12}v12`)}`;
  return [
    rectangle(0, 0, canvas, canvas, colour),
    lines(pen.many(9, course), mix(colour, pen.pick(['#000000', '#ffffff']), 0.3), 1.3),
    framed(pen),
    rectangle(0, horizon, canvas, canvas - horizon, mix(colour, '#505054', 0.7)),
    rectangle(0, horizon, canvas, 4, mix(colour, '#c0c0c0', 0.6)),
  ].join('');
}

/** Ellipses and pointed shapes without a meaning. */
function patches(pen: Pen, colour: Colour): string {
  const patch = () => {
    const fill = mix(colour, pen.pick(sceneColours), pen.between(0.3, 0.9));
    const [x, y, size] = [pen.between(-10, 128), pen.between(-10, 128), pen.between(8, 34)];
    return pen.chance(0.5)
      ? svg`<ellipse cx="${x}" cy="${y}" rx="${size}" ry="${size * pen.between(0.4, 1)}" fill="${fill}"/>`
      : svg`<path d="M${x} ${y}l${pen.between(-size, size)} ${size}l${size} ${pen.between(-size, size)}Z" fill="${fill}"/>`;
  };
  return rectangle(0, 0, canvas, canvas, colour) + pen.many(12, patch);
}

/** A window or a picture on the wall. */
function framed(pen: Pen): string {
  const [x, y, width, height] = [pen.between(0, 100), pen.between(2, 40), pen.between(16, 34), pen.between(16, 34)];
  const [fill, frame] = [pen.pick(sceneColours), pen.pick(['#f0ece4', '#403020', '#907050'])];
  const outline = svg`M${x} ${y}h${width}v${height}h${-width}ZM${x + width / 2} ${y}v${height}`;
  return svg`<path d="${outline}" fill="${fill}" stroke="${frame}" stroke-width="2"/>`;
}
