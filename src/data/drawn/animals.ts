import { lying, sitting, standing, tails } from './bodies.ts';
import { type Coat, furred } from './coat.ts';
import { bearHead, dogHead, mouseHead, rabbitHead, roundEyes } from './heads.ts';
import type { Pen } from './pen.ts';
import { bothSides, placed, svg } from './svg.ts';

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
