import type { Coat } from './coat.ts';
import { catEars } from './heads.ts';
import { bothSides, mix, type Pen, placed, svg } from './pen.ts';

/** Things and plants, in the box −50 … 50. */
export const things = { tree, fir, house, cup, car, flower, 'thing with ears': thingWithEars };

function tree(pen: Pen, coat: Coat): string {
  const trunk = mix('#5a4030', coat.dark, 0.4);
  const puff = (x: number, y: number, r: number) => svg`<circle cx="${x}" cy="${y}" r="${r}" fill="${coat.fill}"/>`;
  const crown = [
    puff(-20, -8, pen.between(15, 20)),
    puff(20, -8, pen.between(15, 20)),
    puff(pen.between(-8, 8), -26, pen.between(18, 22)),
  ];
  return [
    svg`<path d="M-6 46L-4 6L-14-6M4 46L6 46L5 6L14-6M-6 46H6" fill="none" stroke-width="3" stroke="${trunk}"/>`,
    svg`<path d="M-7 47L-4 0H4L7 47Z" fill="${trunk}"/>`,
    ...crown,
    svg`<circle cy="-8" r="19" fill="${coat.base}" stroke="none"/>`,
    pen.many(
      5,
      () =>
        svg`<circle cx="${pen.between(-26, 26)}" cy="${pen.between(-34, 4)}" r="${pen.between(2, 5)}" fill="${pen.pick([coat.dark, coat.light])}" stroke="none"/>`,
    ),
  ].join('');
}

function fir(pen: Pen, coat: Coat): string {
  const wide = pen.between(26, 36);
  const tier = (top: number, bottom: number, half: number) =>
    svg`<path d="M0 ${top}L${half} ${bottom}Q0 ${bottom - 7} ${-half} ${bottom}Z" fill="${coat.fill}"/>`;
  return [
    svg`<path d="M-5 47V30H5V47Z" fill="#5a4030"/>`,
    tier(-6, 36, wide),
    tier(-28, 14, wide * 0.78),
    tier(-48, -8, wide * 0.55),
  ].join('');
}

function house(pen: Pen, coat: Coat): string {
  const [half, eaves] = [pen.between(28, 38), pen.between(-8, 2)];
  const pane = pen.pick(['#f4e8a0', '#a8c8e0', '#38404c']);
  const door = pen.between(-half + 12, half - 12);
  return [
    pen.chance(0.6) ? svg`<path d="M${half * 0.4} ${eaves - 12}V-42h9V${eaves}Z" fill="${coat.dark}"/>` : '',
    svg`<path d="M${-half} ${eaves}H${half}V46H${-half}Z" fill="${coat.fill}"/>`,
    svg`<path d="M${-half - 7} ${eaves}L0 ${eaves - pen.between(26, 38)}L${half + 7} ${eaves}Z" fill="${coat.mark}"/>`,
    bothSides(
      (side) =>
        svg`<path d="M${side * half * 0.55 - 6} ${eaves + 8}h12v12h-12ZM${side * half * 0.55} ${eaves + 8}v12" fill="${pane}"/>`,
    ),
    svg`<path d="M${door - 6} 46V26H${door + 6}V46Z" fill="${coat.dark}"/>`,
  ].join('');
}

function cup(pen: Pen, coat: Coat): string {
  const [top, foot] = [pen.between(26, 32), pen.between(18, 28)];
  const steam = svg`<path d="M-10-28q-6-8 0-14M4-28q-6-8 0-14" fill="none" stroke="#f4f4f4" stroke-width="3" stroke-linecap="round" opacity="0.7"/>`;
  return [
    svg`<path d="M${top - 4}-8C${top + 24}-12 ${top + 20} 28 ${foot} 26" fill="none" stroke="${coat.line}" stroke-width="9"/>`,
    svg`<path d="M${top - 4}-8C${top + 24}-12 ${top + 20} 28 ${foot} 26" fill="none" stroke="${coat.base}" stroke-width="6.5"/>`,
    svg`<path d="M${-top}-18L${-foot} 38Q0 48 ${foot} 38L${top}-18Z" fill="${coat.fill}"/>`,
    svg`<ellipse cy="-18" rx="${top}" ry="7" fill="${coat.light}"/><ellipse cy="-16.5" rx="${top - 4}" ry="4.5" fill="#4a3020" stroke="none"/>`,
    pen.chance(0.5)
      ? svg`<path d="M${-top + 2} 2Q0 12 ${top - 2} 2L${top - 4} 14Q0 24 ${4 - top} 14Z" fill="${coat.mark}" stroke="none"/>`
      : '',
    pen.chance(0.5) ? steam : '',
  ].join('');
}

function car(pen: Pen, coat: Coat): string {
  const roof = pen.between(-22, -14);
  const glass = pen.pick(['#a8c8e0', '#d8e4ea', '#38404c']);
  return [
    svg`<path d="M-26 6L-16 ${roof}H14L28 6Z" fill="${coat.fill}"/>`,
    svg`<path d="M-20 6L-13 ${roof + 5}H-2V6ZM2 6V${roof + 5}H12L22 6Z" fill="${glass}"/>`,
    svg`<path d="M-48 28V14Q-46 6-34 5H30Q46 6 48 16V28Q0 34-48 28Z" fill="${coat.fill}"/>`,
    bothSides(
      (side) =>
        svg`<circle cx="${side * 27}" cy="30" r="11" fill="#26262a"/><circle cx="${side * 27}" cy="30" r="5" fill="#b8bcc0"/>`,
    ),
    svg`<path d="M-48 14h6v6h-6Z" fill="#f8f0b0"/><path d="M2 8V26" fill="none"/>`,
  ].join('');
}

function flower(pen: Pen, coat: Coat): string {
  const petals = pen.whole(5, 9);
  const y = pen.between(-18, -10);
  return [
    svg`<path d="M0 46Q${pen.between(-6, 6)} 20 0 ${y}" fill="none" stroke="#4a7038" stroke-width="4"/><path d="M0 34Q20 34 26 16Q6 14 0 34ZM0 40Q-18 40-24 24Q-4 22 0 40Z" fill="#5a8444"/>`,
    pen.many(
      petals,
      (i) =>
        svg`<ellipse cx="0" cy="${y - 19}" rx="${90 / petals - 1}" ry="14" fill="${coat.fill}" transform="rotate(${(i * 360) / petals} 0 ${y})"/>`,
    ),
    svg`<circle cy="${y}" r="10" fill="${coat.mark}"/>`,
  ].join('');
}

/** Faceless things that somebody has put cat's ears on. */
function thingWithEars(pen: Pen, coat: Coat): string {
  const ears = catEars(pen, coat);
  const ball = svg`<circle cy="4" r="37" fill="${coat.fill}"/><path d="M-36 4Q0 18 36 4M0-33Q14 4 0 41" fill="none" stroke="${coat.light}" stroke-width="11"/>`;
  const box = svg`<path d="M-38-24H38V40H-38Z" fill="${coat.fill}"/><path d="M-38-8H38M-6-24V40M6-24V40" fill="none" stroke="${coat.mark}" stroke-width="3"/>`;
  const mug = placed(cup(pen, coat), { x: 0, y: 0, scale: 1.2 });
  const cushion = svg`<path d="M-38-26Q0-34 38-26Q46 6 38 38Q0 46-38 38Q-46 6-38-26Z" fill="${coat.fill}"/><path d="M-30-20L30 32M30-20L-30 32" fill="none" stroke="${coat.mark}" stroke-width="3"/>`;
  return placed(ears + pen.pick([ball, box, mug, cushion]), { x: 0, y: 10, scale: 0.9 });
}
