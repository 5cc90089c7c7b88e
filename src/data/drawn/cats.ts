import { fromBehind, lying, sitting, standing, tails } from './bodies.ts';
import type { Coat } from './coat.ts';
import { catEars, catHead } from './heads.ts';
import type { Pen } from './pen.ts';
import { placed } from './svg.ts';

export const cats = {
  'cat face': (pen: Pen, coat: Coat) => placed(catHead(pen, coat), { x: 0, y: 10, turn: pen.between(-5, 5) }),
  'cat sitting': (pen: Pen, coat: Coat) => sitting(pen, coat, { head: catHead, tail: tails.curling }),
  'cat walking': (pen: Pen, coat: Coat) => standing(pen, coat, { head: catHead, tail: tails.curling }),
  'cat lying': (pen: Pen, coat: Coat) => lying(pen, coat, { head: catHead, tail: tails.low }),
  'cat from behind': (pen: Pen, coat: Coat) =>
    fromBehind(pen, coat, { ears: catEars(pen, { ...coat, skin: coat.dark }), tail: pen.pick([tails.curling, tails.low]) }),
};
