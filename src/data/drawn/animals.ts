import { type Coat, furred, limb } from './coat.ts';
import { bearHead, catEars, catHead, dogHead, headRadius, mouseHead, rabbitHead, roundEyes } from './heads.ts';
import { bothSides, type Pen, placed, svg } from './pen.ts';

export const cats = {
  'cat face': (pen: Pen, coat: Coat) => placed(catHead(pen, coat), { x: 0, y: 10, turn: pen.between(-5, 5) }),
  'cat sitting': (pen: Pen, coat: Coat) => sitting(pen, coat, { head: catHead, tail: tails.curling }),
  'cat walking': (pen: Pen, coat: Coat) => standing(pen, coat, { head: catHead, tail: tails.curling }),
  'cat lying': (pen: Pen, coat: Coat) => lying(pen, coat, { head: catHead, tail: tails.low }),
  'cat from behind': (pen: Pen, coat: Coat) =>
    fromBehind(pen, coat, { ears: catEars(pen, { ...coat, skin: coat.dark }), tail: pen.pick([tails.curling, tails.low]) }),
};

/** Animals that are no cats, in the box −50 … 50. */
export const animals = {
  'dog face': (pen: Pen, coat: Coat) => placed(dogHead(pen, coat), { x: 0, y: 2, scale: 1.1, turn: pen.between(-5, 5) }),
  'dog sitting': (pen: Pen, coat: Coat) => sitting(pen, coat, { head: dogHead, tail: tails.wagging }),
  'dog walking': (pen: Pen, coat: Coat) => standing(pen, coat, { head: dogHead, tail: pen.pick([tails.wagging, tails.curling]) }),
  'dog lying': (pen: Pen, coat: Coat) => lying(pen, coat, { head: dogHead, tail: tails.low }),
  'rabbit face': (pen: Pen, coat: Coat) => placed(rabbitHead(pen, coat), { x: 0, y: 15, scale: 0.95, turn: pen.between(-5, 5) }),
  'rabbit sitting': (pen: Pen, coat: Coat) => sitting(pen, coat, { head: rabbitHead, tail: tails.tuft, radius: 23 }),
  'bear face': (pen: Pen, coat: Coat) => placed(bearHead(pen, coat), { x: 0, y: 4, scale: 1.1, turn: pen.between(-5, 5) }),
  'bear sitting': (pen: Pen, coat: Coat) => sitting(pen, coat, { head: bearHead, tail: tails.none }),
  'bear walking': (pen: Pen, coat: Coat) => standing(pen, coat, { head: bearHead, tail: tails.none, radius: 19 }),
  mouse: (pen: Pen, coat: Coat) => sitting(pen, coat, { head: mouseHead, tail: tails.thin, radius: 22 }),
  bird,
  owl,
  fish,
};

/** From the side, the beak at the left. */
function bird(pen: Pen, coat: Coat): string {
  const bill = pen.between(8, 16);
  const rise = pen.between(-12, 6);
  const beak = pen.pick(['#e0a030', '#d06030', '#504840']);
  return [
    svg`<path d="M26 6L50 ${rise}L46 ${rise + 12}L28 20Z" fill="${coat.dark}"/>`,
    svg`<path d="M-2 28v18m-5 0h9M10 28v18m-5 0h9" fill="none" stroke="${beak}" stroke-width="2.2"/>`,
    svg`<path d="M-38-19L${-38 - bill}-13L-36-11Z" fill="${beak}"/>`,
    furred(pen, coat, 'M-40-18C-40-32-18-36-14-18C-8-10 18-10 34 8C24 34-10 36-24 20C-32 8-30-4-34-8C-38-10-40-14-40-18Z', {
      x: -36,
      y: -20,
      width: 66,
      height: 50,
    }),
    svg`<path d="M-12 4C2-8 22 0 36 14C22 24-4 26-12 4Z" fill="${coat.dark}"/>`,
    svg`<circle cx="-28" cy="-20" r="3.2" fill="#1c1614"/><circle cx="-29" cy="-21" r="1" fill="#fff" stroke="none"/>`,
  ].join('');
}

/** From the front; its feather tufts are nearly cat's ears. */
function owl(pen: Pen, coat: Coat): string {
  const tuft = pen.between(40, 48);
  return [
    bothSides((side) => svg`<path d="M${side * 28}-20L${side * 27} ${-tuft}L${side * 6}-34Z" fill="${coat.fill}"/>`),
    furred(pen, coat, 'M0-38C24-38 32-20 30 4C32 30 18 44 0 44S-32 30-30 4C-32-20-24-38 0-38Z', {
      x: -22,
      y: -4,
      width: 44,
      height: 46,
    }),
    bothSides(
      (side) =>
        svg`<path d="M${side * 29}-8C${side * 44} 8 ${side * 36} 34 ${side * 22} 38C${side * 26} 20 ${side * 26} 8 ${side * 29}-8Z" fill="${coat.dark}"/>`,
    ),
    bothSides(
      (side) =>
        svg`<circle cx="${side * 13}" cy="-18" r="13" fill="${coat.light}"/><circle cx="${side * 13}" cy="-18" r="8" fill="${coat.eye}"/>`,
    ),
    roundEyes(13, -18, 4.6),
    svg`<path d="M-4-12H4L0-2Z" fill="#d8a030"/><path d="M-12 43v4m5-4v4m14-4v4m5-4v4" stroke="#d8a030" stroke-width="3"/>`,
  ].join('');
}

/** From the side, swimming to the left. */
function fish(pen: Pen, coat: Coat): string {
  const tall = pen.between(18, 28);
  const fork = pen.between(16, 24);
  const body = svg`M-44 2C-30 ${-tall} 6 ${-tall - 4} 28 0C6 ${tall + 4}-30 ${tall}-44 2Z`;
  return [
    svg`<path d="M22 0L48 ${-fork}Q40 0 48 ${fork}Z" fill="${coat.dark}"/>`,
    svg`<path d="M-18 ${-tall * 0.7}Q0 ${-tall - 20} 16 ${-tall * 0.5}Z" fill="${coat.dark}"/><path d="M-8 ${tall * 0.7}Q4 ${tall + 14} 10 ${tall * 0.5}Z" fill="${coat.dark}"/>`,
    furred(pen, coat, body, { x: -24, y: -tall, width: 50, height: 2 * tall }),
    svg`<path d="M-22 ${-tall * 0.6}Q-14 0-22 ${tall * 0.6}" fill="none"/><path d="M-10 2q10-4 14 4q-8 6-14-4Z" fill="${coat.dark}"/>`,
    svg`<circle cx="-31" cy="-3" r="4.4" fill="#fff"/><circle cx="-32" cy="-3" r="2.4" fill="#1c1614" stroke="none"/>`,
  ].join('');
}

/** Four-footed bodies with the ground at y = 46, in the box −50 … 50. What an animal is, its head and tail say. */
export interface Parts {
  head: (pen: Pen, coat: Coat) => string;
  tail: (pen: Pen, coat: Coat) => string;
  /** of the head, in the units of the figure */
  radius?: number;
}

/** From the front, on its haunches. */
export function sitting(pen: Pen, coat: Coat, { head, tail, radius = 21 }: Parts): string {
  const wide = pen.between(21, 27);
  const body = svg`M0-14C-17-12${-wide} 16${-wide} 34C${-wide} 48-12 46 0 46S${wide} 48 ${wide} 34C${wide} 16 17-12 0-14Z`;
  return [
    placed(tail(pen, coat), { x: wide - 5, y: 40 }),
    furred(pen, coat, body, { x: -wide, y: -14, width: 2 * wide, height: 60 }),
    svg`<ellipse cy="8" rx="9" ry="14" fill="${coat.light}" stroke="none"/>`,
    bothSides((side) => svg`<ellipse cx="${side * (wide - 3)}" cy="36" rx="8" ry="10" fill="${coat.fill}"/>`),
    bothSides(
      (side) =>
        svg`<path d="M${side * 7 - 5} 14L${side * 7 - 5} 42Q${side * 7} 49 ${side * 7 + 5} 42L${side * 7 + 5} 14" fill="${coat.fill}"/>`,
    ),
    placed(head(pen, coat), { x: pen.between(-3, 3), y: -22, scale: radius / headRadius, turn: pen.between(-8, 8) }),
  ].join('');
}

/** From behind, looking away: only ears, back and tail. */
export function fromBehind(pen: Pen, coat: Coat, { ears, tail }: { ears: string; tail: Parts['tail'] }): string {
  const wide = pen.between(24, 29);
  const back: Coat = { ...coat, markings: coat.markings === 'bibbed' ? 'plain' : coat.markings };
  const body = svg`M0-16C-17-14${-wide} 14${-wide} 32C${-wide} 48-12 46 0 46S${wide} 48 ${wide} 32C${wide} 14 17-14 0-16Z`;
  const skull = svg`${ears}${furred(pen, back, 'M-38 2C-38-22-20-31 0-31S38-22 38 2C38 20 20 33 0 33S-38 20-38 2Z', { x: -38, y: -31, width: 76, height: 64 })}`;
  return [
    furred(pen, back, body, { x: -wide, y: -16, width: 2 * wide, height: 60 }),
    placed(skull, { x: 0, y: -21, scale: 0.52, turn: pen.between(-10, 10) }),
    placed(tail(pen, coat), { x: pen.between(-4, 4), y: 40, flip: pen.pick([-1, 1]) }),
  ].join('');
}

/** From the side on four legs, the head at the left. */
export function standing(pen: Pen, coat: Coat, { head, tail, radius = 17 }: Parts): string {
  const belly = pen.between(11, 18);
  const stride = pen.between(-6, 6);
  const body = svg`M-39-6C-37-17-26-18-14-15C0-12 14-14 25-16C38-18 43-6 41 6C39 16 30 18 24 14C14 10 2 ${belly}-10 ${belly + 1}C-26 ${belly + 2}-37 10-39-6Z`;
  return [
    placed(tail(pen, coat), { x: 36, y: -6 }),
    leg(-20, stride, coat.dark) + leg(24, -stride, coat.dark),
    leg(-28, -stride, coat.fill) + leg(32, stride, coat.fill),
    furred(pen, coat, body, { x: -36, y: -16, width: 76, height: 32 }),
    placed(head(pen, coat), { x: -32, y: -21, scale: radius / headRadius, turn: pen.between(-10, 10) }),
  ].join('');
}

/** From the belly at x down to a paw that is `stride` to the right of it and points to the left. */
function leg(x: number, stride: number, fill: string): string {
  const foot = x + stride;
  const front = svg`M${x - 7} 4C${x - 6} 20 ${foot - 5} 26 ${foot - 4} 41C${foot - 9} 42 ${foot - 9} 47 ${foot - 5} 47`;
  const back = svg`H${foot + 4}V40C${foot + 4} 27 ${x + 8} 22 ${x + 8} 4Z`;
  return svg`<path d="${front}${back}" fill="${fill}"/>`;
}

/** On its belly, the head at the left, the paws under it. */
export function lying(pen: Pen, coat: Coat, { head, tail, radius = 20 }: Parts): string {
  const back = pen.between(-2, 8);
  const body = svg`M-36 46C-44 14-16 ${back} 8 ${back}C36 ${back} 48 24 46 46Z`;
  return [
    furred(pen, coat, body, { x: -38, y: back, width: 82, height: 46 - back }),
    svg`<path d="M20 46C14 28 24 18 36 20C44 24 47 36 46 46Z" fill="${coat.fill}"/>`,
    placed(tail(pen, coat), { x: 38, y: 41, flip: -1, turn: 0 }),
    bothSides((side) => svg`<ellipse cx="${-24 + side * 9}" cy="42.5" rx="9" ry="4.8" fill="${coat.fill}"/>`),
    placed(head(pen, coat), { x: -22, y: pen.between(8, 16), scale: radius / headRadius, turn: pen.between(-14, 14) }),
  ].join('');
}

/** Tails that begin at (0, 0) and go to the right. */
export const tails = {
  none: () => '',
  /** long and curling upwards */
  curling: (pen: Pen, coat: Coat) => {
    const height = pen.between(26, 44);
    return limb(
      svg`M0 0C${pen.between(12, 22)} 4 ${pen.between(6, 20)} ${-height * 0.6} ${pen.between(4, 14)} ${-height * 0.8}S${pen.between(-4, 2)} ${-height} ${pen.between(-2, 4)} ${-height}`,
      pen.between(5, 7),
      coat.base,
      coat.line,
    );
  },
  /** long and low along the ground */
  low: (pen: Pen, coat: Coat) =>
    limb(
      svg`M0 0C8 ${pen.between(4, 7)} 18 5 ${pen.between(22, 30)} ${pen.between(-4, 2)}`,
      pen.between(5, 7),
      coat.base,
      coat.line,
    ),
  /** short, upright */
  wagging: (pen: Pen, coat: Coat) =>
    limb(
      svg`M0 0Q${pen.between(6, 12)}-4 ${pen.between(8, 14)} ${pen.between(-18, -10)}`,
      pen.between(5, 7),
      coat.base,
      coat.line,
    ),
  tuft: (_pen: Pen, coat: Coat) => svg`<circle cx="4" cy="-2" r="6.5" fill="${coat.light}"/>`,
  /** thin and bare */
  thin: (pen: Pen, coat: Coat) =>
    limb(svg`M0 0C14 4 20-10 ${pen.between(18, 28)} ${pen.between(-24, -8)}`, 1.8, coat.skin, coat.line),
} satisfies Record<string, (pen: Pen, coat: Coat) => string>;
