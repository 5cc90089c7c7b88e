import { bytesOf, type Embedded, embeddedId } from '../embedded.ts';
import { logitsOfImages, ready, selfTest, selfTestWords } from '../self-test.ts';
import { answersIn } from './answers.ts';
import { breath, part } from './elements.ts';

/** The script of an exported page. Where there is no document, `nn export --check` asks it for what the page would answer. */

/** The logits of the pictures that a page carries. @param json  what is embedded in it */
export async function carriedLogits(json: string): Promise<number[]> {
  const page = await ready(JSON.parse(json) as Embedded);
  return Array.from(logitsOfImages(page, bytesOf(page.embedded.pictures.pixels)));
}

if (typeof document !== 'undefined') start().catch(tellFailure);

async function start(): Promise<void> {
  const page = await ready(JSON.parse(part(embeddedId).textContent) as Embedded);
  const answers = answersIn(page);
  takePictures((files) => void answers.add(files));
  moveThreshold(page.classifier.threshold, answers.judge);
  const carried = page.embedded.pictures;
  part('samples').addEventListener('click', () => {
    answers.addSquares(bytesOf(carried.pixels), (i) => `drawn picture ${i + 1}`);
  });
  part('give').hidden = false;
  document.body.dataset['state'] = 'ready';
  await breath();
  const { passed, words } = selfTestWords(selfTest(page));
  const told = part('self-test');
  told.textContent = words;
  told.dataset['selfTest'] = passed ? 'passed' : 'failed';
  told.classList.toggle('alarm', !passed);
  if (!passed) part('warning').replaceChildren(words);
}

function tellFailure(error: unknown): void {
  document.body.dataset['state'] = 'failed';
  const reason = error instanceof Error ? error.message : String(error);
  part('warning').textContent = `This page can't work here: ${reason}`;
}

/** By a choice, by the camera, dropped anywhere, or pasted. */
function takePictures(take: (files: File[]) => void): void {
  for (const id of ['choose', 'camera']) {
    const input = part<HTMLInputElement>(id);
    input.addEventListener('change', () => {
      take([...(input.files ?? [])]);
      input.value = ''; // so that the same picture can be chosen again
    });
  }
  const drop = part('drop');
  const over = (is: boolean) => drop.classList.toggle('over', is);
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    over(true);
  });
  document.addEventListener('dragleave', (event) => event.relatedTarget === null && over(false));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    take([...(event.dataTransfer?.files ?? [])]);
  });
  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) take(files);
  });
}

/** Steps of the slider from 0 to 1. */
const steps = 1000;

function moveThreshold(own: number, judge: (threshold: number) => void): void {
  const [slider, shown, reset] = [part<HTMLInputElement>('threshold'), part('threshold-shown'), part('threshold-reset')];
  const ownText = shown.textContent;
  slider.value = String(Math.round(own * steps)); // a browser may remember another
  slider.addEventListener('input', () => {
    const wanted = Number(slider.value) / steps;
    shown.textContent = wanted.toFixed(3);
    reset.hidden = false;
    judge(wanted);
  });
  reset.addEventListener('click', () => {
    slider.value = String(Math.round(own * steps));
    shown.textContent = ownText;
    reset.hidden = true;
    slider.focus();
    judge(own);
  });
}
