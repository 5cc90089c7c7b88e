import { Z } from '../evaluation/statistics.ts';

/** What a report's page does beyond showing: a threshold to drag, values under the pointer, commands to copy. Without it the page is whole. */

/** Steps of the threshold's slider from 0 to 1. */
export const thresholdSteps = 1000;

/** Figures of `[data-threshold]`, which holds how many of each class lie above each step; they stand in elements with `data-figure`. */
const threshold = `
for (const box of document.querySelectorAll('[data-threshold]')) {
  const { tp: above, fp: wrong, positives, negatives, own } = JSON.parse(box.dataset.threshold);
  const slider = box.querySelector('input'), shown = box.querySelector('output'), reset = box.querySelector('button'), ownText = shown.textContent;
  const first = new Map([...box.querySelectorAll('[data-figure]')].map((cell) => [cell, cell.textContent]));
  const percent = (share) => (share * 100).toFixed(1) + '%';
  const digits = (value) => (Number.isFinite(value) ? value.toFixed(4) : 'not defined');
  const wilson = (k, n) => {
    const share = k / n, square = ${Z ** 2} / n, middle = share + square / 2;
    const half = ${Z} * Math.sqrt((share * (1 - share)) / n + square / (4 * n));
    return percent(k === 0 ? 0 : Math.max(0, (middle - half) / (1 + square))) + ' to ' + percent(k === n ? 1 : Math.min(1, (middle + half) / (1 + square)));
  };
  const mark = document.querySelector('[data-chart="histogram"] .mark');
  const move = (value) => {
    if (!mark) return;
    const [, low, high, from, to] = JSON.parse(mark.closest('svg').dataset.x);
    const x = from + ((value - low) / (high - low)) * (to - from);
    mark.setAttribute('transform', 'translate(' + (x - Number(mark.dataset.at)) + ' 0)');
  };
  const show = () => {
    const step = Number(slider.value), tp = above[step], fp = wrong[step], fn = positives - tp, tn = negatives - fp, n = positives + negatives;
    const figures = {
      tp, fp, fn, tn, accuracy: percent((tp + tn) / n), accuracyInterval: wilson(tp + tn, n), precision: digits(tp / (tp + fp)),
      recall: digits(tp / positives), specificity: digits(tn / negatives), f1: digits((2 * tp) / (2 * tp + fp + fn)),
    };
    for (const cell of first.keys()) cell.textContent = figures[cell.dataset.figure];
    shown.textContent = (step / ${thresholdSteps}).toFixed(3);
    move(step / ${thresholdSteps});
  };
  slider.addEventListener('input', show);
  reset.addEventListener('click', () => {
    slider.value = own * ${thresholdSteps};
    for (const [cell, text] of first) cell.textContent = text;
    shown.textContent = ownText;
    move(own);
  });
  slider.closest('[hidden]').hidden = false;
}`;

/** The values of a chart's lines at the pointer. */
const pointer = `
for (const svg of document.querySelectorAll('.chart svg')) {
  const lines = [...svg.querySelectorAll('path.line')].map((path) => ({
    name: path.dataset.name, points: path.getAttribute('d').slice(1).split('L').map((pair) => pair.split(',').map(Number)),
  })).filter(({ points }) => points.length > 1);
  if (lines.length === 0) continue;
  const value = (axis, place) => {
    const [kind, low, high, from, to] = axis, share = (place - from) / (to - from);
    return kind === 'log' ? low * (high / low) ** share : low + share * (high - low);
  };
  const x = JSON.parse(svg.dataset.x), y = JSON.parse(svg.dataset.y);
  const text = (axis, number) => (axis[5] === 'percent' ? (number * 100).toFixed(1) + '%' : axis[5] === 'whole' ? String(Math.round(number)) : Number(number.toPrecision(4)).toString());
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  svg.parentElement.append(tip);
  svg.addEventListener('pointerleave', () => { tip.hidden = true; });
  svg.addEventListener('pointermove', (event) => {
    const box = svg.getBoundingClientRect(), place = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    const near = lines.map(({ name, points }) => ({ name, point: points.reduce((a, b) => (Math.abs(b[0] - place) < Math.abs(a[0] - place) ? b : a)) }));
    const at = near.reduce((a, b) => (Math.abs(b.point[0] - place) < Math.abs(a.point[0] - place) ? b : a)).point[0];
    tip.textContent = [x[6] + ' ' + text(x, value(x, at)), ...near.map(({ name, point }) => name + ' ' + text(y, value(y, point[1])))].join('\\n');
    tip.hidden = false;
    const left = event.clientX - svg.parentElement.getBoundingClientRect().left;
    tip.style.left = Math.max(0, left > box.width / 2 ? left - tip.offsetWidth - 12 : left + 12) + 'px';
    tip.style.top = event.clientY - svg.parentElement.getBoundingClientRect().top + 12 + 'px';
  });
}`;

const copying = `
for (const block of document.querySelectorAll('pre[data-copy]')) {
  const button = document.createElement('button');
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    const range = document.createRange();
    range.selectNodeContents(block);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    try { await navigator.clipboard.writeText(block.textContent); button.textContent = 'Copied'; } catch { button.textContent = 'Selected: copy it with the keyboard'; }
  });
  block.after(button);
}`;

export const pageScript = [threshold, pointer, copying].join('\n');

/** A page of what is still going on asks for its next state. @param seconds  until then */
export const reloading = (seconds: number) => `setTimeout(() => { if (!document.hidden) location.reload(); }, ${seconds * 1000});
document.addEventListener('visibilitychange', () => { if (!document.hidden) location.reload(); });`;
