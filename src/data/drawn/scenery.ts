import { numpyRandom } from '../../random.ts';
import { coatOf, furColours } from './coat.ts';
import { type Colour, canvas, lines, mix, type Pen, placed, rectangle, svg } from './pen.ts';
import { things } from './things.ts';

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

/** Outdoors, over the whole canvas, each about a leading colour. */
export const landscapes = { meadow, forest, shore };

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

function meadow(pen: Pen, colour: Colour): string {
  const sky = mix(colour, '#a8c8e8', pen.between(0.2, 0.6));
  const grass = mix(colour, pen.pick(['#507838', '#78703c', '#406848']), pen.between(0.4, 0.8));
  const horizon = pen.between(40, 90);
  const cloud = mix(sky, '#ffffff', 0.5);
  const blades = () =>
    pen.many(
      15,
      () => svg`M${pen.between(0, 128)} ${pen.between(horizon + 6, 128)}l${pen.between(-3, 3)} ${pen.between(-9, -4)}`,
    );
  return [
    rectangle(0, 0, canvas, canvas, sky),
    pen.many(3, () => {
      const [x, y] = [pen.between(0, 128), pen.between(5, 40)];
      return svg`<ellipse cx="${x}" cy="${y}" rx="${pen.between(10, 28)}" ry="${pen.between(4, 9)}" fill="${cloud}"/>`;
    }),
    hill(pen, horizon - 8, mix(grass, sky, 0.4)),
    hill(pen, horizon, grass),
    lines(blades(), mix(grass, '#000000', 0.3), 1.6),
    lines(blades(), mix(grass, '#ffffa0', 0.3), 1.6),
  ].join('');
}

function forest(pen: Pen, colour: Colour): string {
  const dark = mix(colour, '#182818', 0.4);
  const trunk = () => {
    const bark = mix(dark, '#604830', pen.between(0, 0.6));
    return rectangle(pen.between(-5, 125), 0, pen.between(4, 12), pen.between(70, 100), bark);
  };
  const crown = () => {
    const leaves = mix(dark, '#688040', pen.between(0, 0.7));
    return svg`<circle cx="${pen.between(0, 128)}" cy="${pen.between(0, 40)}" r="${pen.between(7, 18)}" fill="${leaves}"/>`;
  };
  return [
    rectangle(0, 0, canvas, canvas, colour),
    pen.many(6, trunk),
    pen.many(10, crown),
    hill(pen, pen.between(84, 100), mix(dark, '#706040', 0.4)),
  ].join('');
}

function shore(pen: Pen, colour: Colour): string {
  const sea = mix(colour, '#386890', 0.5);
  const horizon = pen.between(36, 64);
  const wave = () => svg`M${pen.between(0, 120)} ${pen.between(horizon, horizon + 36)}q4-3 8 0t8 0`;
  const sun = mix(colour, '#fff0b0', 0.7);
  return [
    rectangle(0, 0, canvas, canvas, mix(colour, '#e8d8c0', 0.4)),
    svg`<circle cx="${pen.between(10, 118)}" cy="${pen.between(10, 34)}" r="${pen.between(6, 12)}" fill="${sun}"/>`,
    rectangle(0, horizon, canvas, 50, sea),
    lines(pen.many(10, wave), mix(sea, '#ffffff', 0.4), 1.5),
    hill(pen, pen.between(82, 104), mix(colour, '#c8a878', 0.6)),
  ].join('');
}

/** Ground up to a wavy line at about y. */
function hill(pen: Pen, y: number, fill: Colour): string {
  const [left, rise, dip, right] = [pen.between(-5, 5), pen.between(-16, 10), pen.between(-10, 14), pen.between(-14, 8)];
  return svg`<path d="M0 ${y + left}C30 ${y + rise} 50 ${y + dip} 70 ${y}S110 ${y + right} 128 ${y}V128H0Z" fill="${fill}"/>`;
}

/** A veil of light or shadow over the whole picture.
 *  @param strength  of the strongest veil, in [0, 1] */
export function veil(pen: Pen, strength: number): string {
  const id = pen.name();
  const [from, to] = pen.pick([
    ['#000000', '#000000'],
    ['#fff4d8', '#000010'],
    ['#ffd090', '#302040'],
    ['#c0d8ff', '#101820'],
  ] as const);
  const stops = svg`<stop stop-color="${from}" stop-opacity="${pen.between(0, strength)}"/><stop offset="1" stop-color="${to}" stop-opacity="${pen.between(0, strength)}"/>`;
  const gradient = pen.chance(0.5)
    ? svg`<linearGradient id="${id}" x1="${pen.between(0, 1)}" y1="0" x2="${pen.between(0, 1)}" y2="1">${stops}</linearGradient>`
    : svg`<radialGradient id="${id}" cx="${pen.between(0.2, 0.8)}" cy="${pen.between(0.1, 0.7)}" r="${pen.between(0.5, 0.9)}">${stops}</radialGradient>`;
  return svg`${gradient}<rect width="${canvas}" height="${canvas}" fill="url(#${id})"/>`;
}

/** The grain of a camera: bytes with noise added, each channel for itself.
 *  @param pixels  changed in place
 *  @param deviation  standard deviation of the noise, in bytes */
export function addGrain(pixels: Uint8Array, { seed, deviation }: { seed: number; deviation: number }): Uint8Array {
  if (deviation === 0) return pixels;
  const { uint32 } = numpyRandom(seed);
  for (let i = 0; i < pixels.length; i++) {
    const word = uint32();
    // the sum of four uniform bytes is nearly normal, with mean 510 and deviation 147.8, and costs one draw
    const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
    const noisy = Math.round(pixels[i]! + ((sum - 510) / 147.8) * deviation);
    pixels[i] = Math.max(0, Math.min(255, noisy));
  }
  return pixels;
}

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
