import type { Classifier } from '../../classifier/classifier.ts';
import { type Explanation, type ExplanationMethod, explanationMethods, neutralName } from '../../classifier/explain.ts';
import { explanationWords, limitsOf, methodTitles } from '../../report/explanation.ts';
import { colourBound, colourOf, mapSquare, overlaySquare } from '../../report/explanation-map.ts';
import { oneLine } from '../../text.ts';
import type { Ready } from '../self-test.ts';
import { breath, canvasOf, element } from './elements.ts';

/** The map of `nn explain`, made when the reader asks for it. */

/** What covering does comes first: it is about the answer itself. */
const methods: readonly ExplanationMethod[] = ['occlusion', 'gradient'];

interface Explained {
  /** (1, side · side · 3) bytes */
  pixels: Uint8Array;
  name: string;
}

export function explanationOf(page: Ready, of: Explained): HTMLElement {
  const body = element('div');
  const details = element('details', {}, element('summary', {}, 'Why? ', element('span', { class: 'hidden' }, of.name)), body);
  details.addEventListener('toggle', () => {
    if (details.open && body.childElementCount === 0) fill(body, page, of);
  });
  return details;
}

function fill(body: HTMLElement, page: Ready, of: Explained): void {
  const shown = element('div', { 'aria-live': 'polite' });
  const choice = element('select', { 'aria-label': `How the map of ${of.name} is made` });
  for (const method of methods) choice.append(element('option', { value: method }, methodTitles[method]));
  const show = () => void draw(shown, page, of, choice.value as ExplanationMethod);
  choice.addEventListener('change', show);
  body.append(choice, shown);
  show();
}

/** How often a map was asked for in a place: the one that was asked for last is shown. */
const turns = new WeakMap<HTMLElement, number>();

async function draw(shown: HTMLElement, page: Ready, { pixels, name }: Explained, method: ExplanationMethod): Promise<void> {
  const turn = (turns.get(shown) ?? 0) + 1;
  turns.set(shown, turn);
  const { classifier, kernelsFor } = page;
  delete shown.dataset['method'];
  try {
    const steps = explanationMethods[method].explain(classifier, pixels, kernelsFor);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return finish(shown, classifier, { pixels, name, method, explanation: value });
      shown.textContent = `looking … ${Math.round(100 * value)}%`;
      await breath();
      if (turns.get(shown) !== turn || !shown.isConnected) return; // nobody waits for it any more
    }
  } catch (error) {
    shown.replaceChildren(element('p', { class: 'alarm' }, oneLine(error instanceof Error ? error.message : String(error))));
  }
}

function finish(
  shown: HTMLElement,
  classifier: Classifier,
  { pixels, name, method, explanation }: Explained & { method: ExplanationMethod; explanation: Explanation },
): void {
  const { map, logit, sum, occlusion } = explanation;
  const positive = oneLine(classifier.classes.positive);
  const bound = colourBound(map);
  const figure = (square: Uint8Array, title: string) =>
    element('figure', {}, canvasOf(square, `${name}: ${title}`), element('figcaption', {}, title));
  const words = explanationWords({
    logit,
    parts: sum?.parts ?? null,
    bias: sum?.bias ?? null,
    remainder: sum?.remainder ?? null,
    occlusion: occlusion && {
      square: occlusion.square,
      fill: neutralName(classifier.scaling),
      differences: [Array.from(occlusion.differences)],
    },
  });
  shown.replaceChildren(
    element(
      'div',
      { class: 'maps' },
      figure(overlaySquare(pixels, map, bound), 'on the picture'),
      figure(mapSquare(map, bound), 'the map'),
    ),
    scale(bound, positive),
    element('p', {}, `${words.charAt(0).toUpperCase()}${words.slice(1)}.`),
    element('ul', { class: 'limits soft' }, ...limitsOf(method, positive).map((text) => element('li', {}, text))),
  );
  shown.dataset['method'] = method;
  shown.dataset['most'] = String(Math.max(...Array.from(occlusion?.differences ?? map)));
}

/** Which colour means what. */
function scale(bound: number, positive: string): HTMLElement {
  const colour = (share: number) =>
    `rgb(${colourOf(bound * share, bound)
      .map(Math.round)
      .join(' ')})`;
  const bar = element('div', { class: 'colours', 'aria-hidden': 'true' });
  bar.style.background = `linear-gradient(to right, ${[-1, -0.5, 0, 0.5, 1].map(colour).join(', ')})`;
  const end = bound.toPrecision(2);
  return element(
    'div',
    { class: 'scale' },
    bar,
    element(
      'p',
      { class: 'ends' },
      element('span', {}, `blue: against ${positive} (−${end})`),
      element('span', {}, `orange: for it (${end})`),
    ),
  );
}
