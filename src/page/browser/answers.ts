import { predictLabel, probability } from '../../classifier/classifier.ts';
import { oneLine } from '../../text.ts';
import { squareOf } from '../resize.ts';
import { logitsOfImages, type Ready } from '../self-test.ts';
import { decode } from './decode.ts';
import { breath, canvasOf, element, part } from './elements.ts';
import { explanationOf } from './explanation.ts';

/** Pictures with what the network says of them: a card each. */
export interface Answers {
  /** Answers for files, one after another. */
  add(files: Iterable<File>): Promise<void>;
  /** Answers for pictures of the network's own size. @param pixels  (m, side · side · 3) bytes */
  addSquares(pixels: Uint8Array, name: (i: number) => string): void;
  /** Says all labels again, for another threshold. */
  judge(threshold: number): void;
}

/** A picture that was answered for. */
interface Card {
  item: HTMLElement;
  /** null where it could not be read, or is not read yet */
  p: number | null;
}

export function answersIn(page: Ready): Answers {
  const { classifier } = page;
  const [list, clear] = [part('answers'), part<HTMLButtonElement>('clear')];
  let cards: Card[] = [];
  let { threshold } = classifier;

  const tell = () => {
    part('summary').textContent = summaryOf(cards, classifier.classes, threshold);
    clear.hidden = cards.length === 0;
    part('samples').hidden = cards.length > 0;
  };
  const remove = (card: Card) => {
    cards = cards.filter((one) => one !== card);
    card.item.remove();
    tell();
    part('choose').focus();
  };
  clear.addEventListener('click', () => {
    for (const { item } of cards) item.remove();
    cards = [];
    tell();
    part('choose').focus();
  });

  function newCard(name: string): Card {
    const shown = oneLine(name);
    const item = element('li', { class: 'card', 'data-state': 'reading' }, element('p', { class: 'name' }, shown));
    const card: Card = { item, p: null };
    const button = element('button', { type: 'button', class: 'remove', 'aria-label': `Remove ${shown}` }, '×');
    button.addEventListener('click', () => remove(card));
    item.append(element('p', { class: 'soft reading' }, 'reading …'), button);
    list.append(item);
    cards.push(card);
    return card;
  }

  function fail(card: Card, error: unknown): void {
    card.item.dataset['state'] = 'failed';
    const reason = error instanceof Error ? error.message : String(error);
    card.item.querySelector('.reading')!.replaceWith(element('p', { class: 'alarm' }, oneLine(reason)));
  }

  /** @param whole  what the reader gave; null where the network sees the whole of it */
  function answer(card: Card, pixels: Uint8Array, whole: HTMLCanvasElement | null): void {
    const { item } = card;
    const logit = logitsOfImages(page, pixels)[0]!;
    card.p = probability(logit);
    const name = item.querySelector('.name')!.textContent;
    const seen = canvasOf(pixels, `${name}, as the network sees it`);
    seen.className = 'seen';
    const views = element('div', { class: whole === null ? 'views alone' : 'views' }, ...(whole === null ? [] : [whole]), seen);
    item
      .querySelector('.reading')!
      .replaceWith(
        element('p', { class: 'label' }),
        element(
          'div',
          { class: 'bar', 'aria-hidden': 'true' },
          element('span', { class: 'fill' }),
          element('span', { class: 'tick' }),
        ),
        element('p', { class: 'figures' }),
      );
    item.prepend(views);
    item.append(explanationOf(page, { pixels, name }));
    item.dataset['state'] = 'answered';
    item.dataset['p'] = String(card.p);
    item.dataset['logit'] = String(logit);
    label(card);
  }

  function label({ item, p }: Card): void {
    if (p === null) return;
    const { label: likelier, confidence } = predictLabel(classifier, p, threshold);
    const label = confidence < (classifier.abstention?.confidence ?? 0) ? notSure : likelier;
    item.dataset['label'] = label;
    item.dataset['kind'] = kindOf(label, classifier.classes);
    item.querySelector('.label')!.textContent = oneLine(label);
    item.querySelector('.figures')!.textContent = `p ${p.toFixed(4)} · confidence ${percent(confidence)}`;
    item.querySelector<HTMLElement>('.fill')!.style.width = `${100 * p}%`;
    item.querySelector<HTMLElement>('.tick')!.style.left = `${100 * threshold}%`;
  }

  async function answerFile(card: Card, file: File): Promise<void> {
    try {
      const decoded = await decode(file, oneLine(file.name));
      try {
        answer(card, squareOf(decoded, decoded.format, classifier.preprocessing), decoded.thumbnail);
      } finally {
        decoded.close();
      }
    } catch (error) {
      fail(card, error);
    }
  }

  return {
    async add(files) {
      const pending = Array.from(files, (file) => ({ file, card: newCard(file.name || 'picture') }));
      tell();
      for (const { file, card } of pending) {
        if (!cards.includes(card)) continue; // removed before its turn
        await answerFile(card, file);
        tell();
        await breath();
      }
    },
    addSquares(pixels, name) {
      const { inputs } = classifier.network;
      for (let i = 0; i < pixels.length / inputs; i++) answer(newCard(name(i)), pixels.slice(i * inputs, (i + 1) * inputs), null);
      tell();
    },
    judge(wanted) {
      threshold = wanted;
      for (const card of cards) label(card);
      tell();
    },
  };
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

/** What is said below the confidence from which the model is right often enough, where it knows that (`nn predict --abstain`). */
const notSure = 'not sure';

/** How a label is coloured: one that is neither class means that the model is not sure. */
function kindOf(label: string, { positive, negative }: { positive: string; negative: string }): string {
  return label === positive ? 'positive' : label === negative ? 'negative' : 'unsure';
}

function summaryOf(
  cards: readonly Card[],
  { positive, negative }: { positive: string; negative: string },
  threshold: number,
): string {
  if (cards.length === 0) return '';
  const count = (is: (card: Card) => boolean) => cards.filter(is).length;
  const labels = [...new Set([positive, negative, ...cards.flatMap(({ item }) => item.dataset['label'] ?? [])])];
  const of = labels.map((label) => `${count(({ item }) => item.dataset['label'] === label)} ${oneLine(label)}`);
  const failed = count(({ item }) => item.dataset['state'] === 'failed');
  const reading = count(({ item }) => item.dataset['state'] === 'reading');
  const rest = [...(failed > 0 ? [`${failed} could not be read`] : []), ...(reading > 0 ? [`${reading} to come`] : [])];
  const pictures = cards.length === 1 ? '1 picture' : `${cards.length} pictures`;
  return `${pictures} at threshold ${Number(threshold.toPrecision(4))}: ${[...of, ...rest].join(', ')}.`;
}
