import type { Random } from '../../src/random.ts';
import { mutate, oneIn, pick } from './mutations.ts';

/** SVG that reaches out: to files, to the network, to what takes for ever. */

/** The name of a picture that no SVG may show; `missing` is a name of the same length that leads nowhere. */
export const outside = { present: 'outside-canary.png', missing: 'outside-nobody.png' } as const;

const references = (folder: string) => [
  outside.present,
  `./${outside.present}`,
  `../${outside.present}`,
  `${folder}/${outside.present}`,
  `file://${folder}/${outside.present}`,
  `file:${folder}/${outside.present}`,
  `http://127.0.0.1:9/${outside.present}`,
  `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'%3E%3Cimage href='file://${folder}/${outside.present}' width='9' height='9'/%3E%3C/svg%3E`,
];

/** Elements that name something, in the place of @. */
const elements = [
  '<image href="@" width="16" height="16"/>',
  '<image xlink:href="@" width="16" height="16"/>',
  '<use href="@#a"/>',
  '<use xlink:href="@"/>',
  '<style>@import url("@");rect{fill:url("@#a")}</style>',
  '<xi:include href="@" parse="text"/>',
  '<xi:include href="@"/>',
  '<filter id="f"><feImage href="@"/></filter><rect width="16" height="16" filter="url(#f)"/>',
  '<pattern id="p" href="@#a" width="9" height="9"/><rect width="16" height="16" fill="url(#p)"/>',
  '<linearGradient id="g" href="@#a"/><rect width="16" height="16" fill="url(@#a)"/>',
  '<mask id="m"><image href="@" width="16" height="16"/></mask><rect width="16" height="16" mask="url(#m)"/>',
  '<script href="@"/><script>document.documentElement.setAttribute("width", "999")</script>',
  '<foreignObject width="16" height="16"><img xmlns="http://www.w3.org/1999/xhtml" src="@"/></foreignObject>',
  '<text font-family="x" style="src:url(@)">&e;</text>',
  '<a href="@"><rect width="4" height="4" fill="green"/></a>',
  '<rect width="16" height="16" fill="url(#r)"/><pattern id="r" width="1" height="1"><rect fill="url(#r)" width="1" height="1"/></pattern>',
  '<filter id="t"><feTurbulence baseFrequency="0.05" numOctaves="99999"/></filter><rect width="16" height="16" filter="url(#t)"/>',
  '<g id="a"><use href="#b"/><use href="#b"/></g><g id="b"><use href="#a"/><rect width="1" height="1"/></g>',
  '<path d="M0 0L1e9 1e9" stroke="red" stroke-dasharray="0.01"/>',
];

const prologs = [
  '',
  '',
  '<!DOCTYPE svg [<!ENTITY e SYSTEM "@">]>',
  '<!DOCTYPE svg SYSTEM "@">',
  '<!DOCTYPE svg [<!ENTITY % e SYSTEM "@">%e;]>',
  '<?xml-stylesheet href="@"?>',
];
const sides = ['16', '16', '16', '8', '7', '1e9', '0', '-5', '100%', '400', '1e-9', 'NaN'];

/** @param folder  where the picture lies that must not be seen */
export function hostileSvg(random: Random, folder: string, seeds: readonly Uint8Array[]): Buffer {
  if (oneIn(random, 4)) return mutate(random, pick(random, seeds), seeds);
  const reference = pick(random, references(folder));
  const some = Array.from({ length: 1 + random.integer(3) }, () => pick(random, elements)).join('');
  const nested = oneIn(random, 10) ? `${'<g opacity="0.9">'.repeat(200)}${some}${'</g>'.repeat(200)}` : some;
  const namespaces =
    'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xi="http://www.w3.org/2001/XInclude"';
  const svg = `${pick(random, prologs)}<svg ${namespaces} width="${pick(random, sides)}" height="${pick(random, sides)}">${nested}</svg>`;
  const bytes = Buffer.from(svg.replaceAll('@import', '\u0000').replaceAll('@', reference).replaceAll('\u0000', '@import'));
  return oneIn(random, 4) ? mutate(random, bytes, seeds) : bytes;
}
