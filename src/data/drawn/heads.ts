import { type Coat, furred } from './coat.ts';
import { bothSides, brightness, type Pen, svg } from './pen.ts';

/** Heads seen from the front, about (0, 0), some 40 units to each side. Bodies scale them down. */
export const headRadius = 40;

/** Two upright pointed ears, slit eyes, small nose, whiskers. */
export function catHead(pen: Pen, coat: Coat): string {
  const ears = catEars(pen, coat);
  const wide = pen.between(36, 40);
  const face = svg`M${-wide} 2C${-wide} -22 -20 -31 0 -31S${wide} -22 ${wide} 2L${wide + 3} 12L${wide - 4} 14C28 27 14 33 0 33S-28 27 ${4 - wide} 14L${-3 - wide} 12Z`;
  return [
    ears,
    furred(pen, { ...coat, markings: coat.markings === 'striped' ? 'plain' : coat.markings }, face, {
      x: -38,
      y: -31,
      width: 76,
      height: 64,
    }),
    coat.markings === 'striped' ? foreheadStripes(coat) : '',
    bothSides((side) => svg`<ellipse cx="${side * 7}" cy="16" rx="8.5" ry="7" fill="${coat.light}" stroke="none"/>`),
    catEyes(pen, coat),
    svg`<path d="M-4.5 7H4.5L0 12.5Z" fill="${coat.skin}"/><path d="M0 12v4q-4 6-9 3M0 16q4 6 9 3" fill="none"/>`,
    whiskers(pen, coat, 14, 46),
  ].join('');
}

/** The two pointed ears alone, as they stand on a head at (0, 0). */
export function catEars(pen: Pen, coat: Coat): string {
  const height = pen.between(50, 62);
  const tip = pen.between(30, 38);
  return bothSides(
    (side) =>
      svg`<path d="M${side * 37} -6Q${side * (tip + 6)} -34 ${side * tip} ${-height}Q${side * 16} -44 ${side * 5} -28Z" fill="${coat.fill}"/>` +
      svg`<path d="M${side * 32} -16Q${side * (tip + 2)} -34 ${side * (tip - 1)} ${8 - height}Q${side * 20} -40 ${side * 12} -28Z" fill="${coat.skin}" stroke="none"/>`,
  );
}

/** Hanging ears, long muzzle, big dark nose, round eyes, now and then the tongue. */
export function dogHead(pen: Pen, coat: Coat): string {
  const hang = pen.between(18, 34);
  const out = pen.between(40, 46);
  const ears = bothSides(
    (side) =>
      svg`<path d="M${side * 14} -31C${side * 34} -36 ${side * out} -18 ${side * out} ${hang - 12}C${side * out} ${hang + 8} ${side * 28} ${hang + 6} ${side * 26} ${hang - 12}Z" fill="${coat.dark}"/>`,
  );
  const face = 'M-28-8C-28-26-16-33 0-33S28-26 28-8C28 6 24 14 20 24C16 36 8 39 0 39S-16 36-20 24C-24 14-28 6-28-8Z';
  const tongue = svg`<path d="M-6 27v9a6 6 0 0 0 12 0v-9Z" fill="${coat.skin}"/>`;
  return [
    furred(pen, coat, face, { x: -28, y: -33, width: 56, height: 60 }),
    ears,
    pen.chance(0.4) ? tongue : '',
    svg`<path d="M0 0C12 0 19 10 19 18S9 30 0 30S-19 26-19 18S-12 0 0 0Z" fill="${coat.light}" stroke="none"/>`,
    svg`<ellipse cy="10" rx="8" ry="6" fill="#1c1818"/><path d="M0 16v7q-6 6-13 2M0 23q6 6 13 2" fill="none"/>`,
    roundEyes(13, -9, 4.8),
  ].join('');
}

/** Round head, small round ears. */
export function bearHead(pen: Pen, coat: Coat): string {
  const apart = pen.between(25, 29);
  const ears = bothSides(
    (side) =>
      svg`<circle cx="${side * apart}" cy="-25" r="13" fill="${coat.fill}"/><circle cx="${side * apart}" cy="-24" r="7" fill="${coat.light}" stroke="none"/>`,
  );
  return [
    ears,
    furred(pen, { ...coat, markings: 'plain' }, 'M-37 3C-37-21-21-34 0-34S37-21 37 3C37 24 20 34 0 34S-37 24-37 3Z', {
      x: -37,
      y: -34,
      width: 74,
      height: 68,
    }),
    svg`<ellipse cy="15" rx="17" ry="13.5" fill="${coat.light}" stroke="none"/>`,
    svg`<ellipse cy="9" rx="7" ry="5" fill="#1c1818"/><path d="M0 14v5q-4 5-9 2M0 19q4 5 9 2" fill="none"/>`,
    roundEyes(pen.between(13, 16), -6, 3.8),
  ].join('');
}

/** Two long ears, of which one may hang; front teeth. */
export function rabbitHead(pen: Pen, coat: Coat): string {
  const spread = pen.between(5, 16);
  const hanging = pen.chance(0.25) ? pen.pick([-1, 1]) : 0;
  const ears = bothSides((side) => {
    const turn = side * (side === hanging ? 75 : spread);
    return svg`<g transform="translate(${side * 12} -14)rotate(${turn})"><ellipse cy="-27" rx="9" ry="29" fill="${coat.fill}"/><ellipse cy="-25" rx="4.5" ry="22" fill="${coat.skin}" stroke="none"/></g>`;
  });
  return [
    ears,
    furred(pen, coat, 'M-29 10C-29-8-18-20 0-20S29-8 29 10C29 28 16 36 0 36S-29 28-29 10Z', {
      x: -29,
      y: -20,
      width: 58,
      height: 56,
    }),
    bothSides((side) => svg`<ellipse cx="${side * 7}" cy="20" rx="8" ry="6.5" fill="${coat.light}" stroke="none"/>`),
    svg`<path d="M-3 25h6v7h-6Z" fill="#fff" stroke-width="0.8"/><path d="M-3.5 13h7l-3.5 4Z" fill="${coat.skin}"/>`,
    roundEyes(14, 3, 5),
    whiskers(pen, coat, 18, 36),
  ].join('');
}

/** Two very large round ears at the sides, a pointed face. */
export function mouseHead(pen: Pen, coat: Coat): string {
  const size = pen.between(18, 22);
  return [
    bothSides(
      (side) =>
        svg`<circle cx="${side * 28}" cy="-20" r="${size}" fill="${coat.fill}"/><circle cx="${side * 28}" cy="-19" r="${size * 0.65}" fill="${coat.skin}" stroke="none"/>`,
    ),
    svg`<path d="M-26-4C-26-20-14-26 0-26S26-20 26-4C24 14 8 34 0 36C-8 34-24 14-26-4Z" fill="${coat.fill}"/>`,
    roundEyes(11, -2, 4.5),
    svg`<circle cy="32" r="5" fill="${coat.skin}"/>`,
    whiskers(pen, coat, 26, 32),
  ].join('');
}

/** Two dark round eyes with a glint. */
export function roundEyes(apart: number, y: number, radius: number): string {
  return bothSides(
    (side) =>
      svg`<circle cx="${side * apart}" cy="${y}" r="${radius}" fill="#1c1614"/><circle cx="${side * apart + radius * 0.3}" cy="${y - radius * 0.35}" r="${radius * 0.32}" fill="#fff" stroke="none"/>`,
  );
}

function catEyes(pen: Pen, coat: Coat): string {
  if (pen.chance(0.15)) {
    return bothSides((side) => svg`<path d="M${side * 16 - 7}-2q7 6 14 0" fill="none" stroke-width="2"/>`);
  }
  const slit = pen.between(1.8, 4.2);
  return bothSides(
    (side) =>
      svg`<path d="M${side * 16 - 8.5} ${-1 + side}Q${side * 16}-14 ${side * 16 + 8.5} ${-1 - side}Q${side * 16} 7 ${side * 16 - 8.5} ${-1 + side}Z" fill="${coat.eye}"/>` +
      svg`<ellipse cx="${side * 16}" cy="-3.5" rx="${slit}" ry="5.2" fill="#141012" stroke="none"/><circle cx="${side * 16 + 2}" cy="-6" r="1.5" fill="#fff" stroke="none"/>`,
  );
}

function foreheadStripes(coat: Coat): string {
  const stripe = (d: string) => svg`<path d="${d}" fill="none" stroke="${coat.mark}" stroke-width="3.4" stroke-linecap="round"/>`;
  return [
    stripe('M0-30v12'),
    bothSides(
      (side) =>
        stripe(svg`M${side * 10}-29l${-side * 2} 11`) +
        stripe(svg`M${side * 37} 2l${-side * 10} 1M${side * 35} 11l${-side * 9}-1`),
    ),
  ].join('');
}

function whiskers(pen: Pen, coat: Coat, y: number, reach: number): string {
  const colour = brightness(coat.base) < 120 ? '#f4f0ea' : '#3a302c';
  const lift = pen.between(-4, 4);
  return bothSides((side) =>
    [-7, 0, 7]
      .map(
        (slope) =>
          svg`<path d="M${side * 13} ${y + slope / 3}Q${side * (reach * 0.6)} ${y + slope / 2} ${side * reach} ${y + slope + lift}" fill="none" stroke="${colour}" stroke-width="1.1"/>`,
      )
      .join(''),
  );
}
