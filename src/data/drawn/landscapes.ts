import type { Pen } from './pen.ts';
import { type Colour, canvas, lines, mix, rectangle, svg } from './svg.ts';

/** Outdoors, over the whole canvas, each about a leading colour. */
export const landscapes = { meadow, forest, shore };

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
