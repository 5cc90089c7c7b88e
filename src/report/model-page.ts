import type { Classifier } from '../classifier/classifier.ts';
import { fits } from '../data/image.ts';
import { layerSizes, weightedLayers } from '../nn/build.ts';
import { parameterCount } from '../nn/network.ts';
import type { ModelQuality } from '../results/export.ts';
import { byteText } from '../text.ts';
import { escapeHtml, htmlPage } from './html.ts';
import { count, percent, percentRange, plural } from './table.ts';

/** The page that `nn export` writes: what is there before its script (src/page) runs, which finds elements by their ids. */

/** By which a page is told from other files. */
export const pageKind = 'cat-nn export';

export interface ModelPage {
  classifier: Classifier;
  quality: ModelQuality | null;
  /** of nn */
  version: string;
  /** of the model file within */
  modelBytes: number;
  /** for the script */
  data: { id: string; json: string };
  script: string;
}

export function modelPage({ classifier, quality, version, modelBytes, data, script }: ModelPage): string {
  const { positive, negative } = classifier.classes;
  const title = `${positive} or ${negative}?`;
  const threshold = Number(classifier.threshold.toPrecision(4));
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p>Give this page pictures, and it says for each whether it shows <b>${escapeHtml(positive)}</b> or <b>${escapeHtml(negative)}</b>, and how sure it is. They stay on this device: the page needs no network, and could not send anything.</p>`,
    '<noscript><p class="alarm">It needs JavaScript, which is off in this browser.</p></noscript>',
    '<p id="warning" class="alarm" role="alert"></p>',
    '<div id="give" hidden>',
    '<div id="drop">',
    '<label class="action"><input id="choose" type="file" accept="image/*" multiple>Choose pictures</label>',
    '<label class="action second"><input id="camera" type="file" accept="image/*" capture="environment">Take a photograph</label>',
    '<p class="soft mouse">or drop them anywhere on this page, or paste one</p>',
    '</div>',
    '<div class="threshold">',
    `<label for="threshold">Threshold: p above <output id="threshold-shown">${threshold}</output> is called ${escapeHtml(positive)}</label>`,
    `<input id="threshold" type="range" min="0" max="1000" value="${Math.round(classifier.threshold * 1000)}">`,
    `<button id="threshold-reset" type="button" hidden>Back to the model’s ${threshold}</button>`,
    '</div>',
    '<div class="told"><p id="summary" role="status"></p><button id="clear" type="button" hidden>Remove all</button></div>',
    '<ul id="answers"></ul>',
    '<p><button id="samples" type="button">No picture at hand? Try drawn ones</button></p>',
    '</div>',
    '<h2>How good it is</h2>',
    qualityHtml(quality, classifier.classes),
    `<p class="soft">It knows two classes, and pictures like those that it was trained on: whatever else it is shown is called one of the two as well.</p>`,
    '<h2>What it is</h2>',
    factsHtml(classifier, { version, modelBytes }),
    '<h2>Self-test</h2>',
    '<p id="self-test" data-self-test="running">Not run yet: that takes a script.</p>',
  ];
  return htmlPage(title, body, script, { kind: pageKind, style, data, computes: true });
}

function qualityHtml(quality: ModelQuality | null, { positive }: Classifier['classes']): string {
  if (quality === null) return '<p>Not known: no summary of its training was beside the model.</p>';
  const { part, pictures, accuracy, accuracyInterval, trainedOn } = quality;
  return [
    `<p><b class="large">${percent(accuracy)}</b> right, on ${plural(pictures, 'picture')} that it was not trained on (its ${part} part). `,
    `On others like them it is right on ${percentRange(accuracyInterval)} (95% interval).</p>`,
    `<p>It was trained on ${plural(trainedOn.total, 'picture')}, ${count(trainedOn.positive)} of them ${escapeHtml(positive)}.</p>`,
  ].join('');
}

function factsHtml(classifier: Classifier, { version, modelBytes }: Pick<ModelPage, 'version' | 'modelBytes'>): string {
  const { network, preprocessing, precision, classes, averageMirrored, temperature } = classifier;
  const { imageSize, fit } = preprocessing;
  const kinds = [...new Set(weightedLayers(network).map(({ type = 'dense' }) => type))];
  const facts = [
    ['p', `the probability of ${classes.positive}, as the network has it; confidence is that of the answer`],
    ['it sees', `${imageSize} × ${imageSize} pixels: ${fits[fit]}`],
    [
      'network',
      `${layerSizes(network).map(count).join(' → ')} (${kinds.join(', ')}), ${count(parameterCount(network))} parameters in ${precision}`,
    ],
    ...(averageMirrored ? [['answers', 'the mean of p of a picture and of its mirror image']] : []),
    ...(temperature === undefined ? [] : [['calibrated', `p = σ(z / ${Number(temperature.toPrecision(4))})`]]),
    ['made by', `nn ${version}`],
    ['size', `the model takes ${byteText(modelBytes)}, as base64 ${byteText(Math.ceil(modelBytes / 3) * 4)} of this page`],
  ] as [string, string][];
  return `<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`;
}

const style = `
.hidden,.action input{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
#drop{border:2px dashed var(--line);border-radius:12px;padding:1.6rem 1rem 1rem;text-align:center;margin:1rem 0}
#drop.over{border-color:var(--s1);background:var(--card)}
#drop p{margin:.8rem auto 0}
.action{display:inline-block;position:relative;margin:.25rem;padding:.65rem 1.2rem;border-radius:8px;font-weight:600;cursor:pointer;background:var(--s1);color:var(--on1);border:2px solid var(--s1)}
.action.second{background:none;color:var(--s1)}
.action:focus-within,button:focus-visible,summary:focus-visible,select:focus-visible{outline:3px solid var(--s2);outline-offset:2px}
#warning:empty{display:none}
@media not all and (any-pointer:coarse){.action.second{display:none}}@media not all and (any-hover:hover){#drop .mouse{display:none}}
.threshold{display:flex;flex-wrap:wrap;align-items:center;gap:.2rem 1rem;padding:.5rem .8rem;margin:.6rem 0}.threshold input{flex:1 1 14rem;width:auto;margin:.2rem 0}
.threshold button,.told button,#samples{min-height:2.2rem}
.told{display:flex;flex-wrap:wrap;gap:.3rem 1rem;align-items:center}
.told p{margin:0;font-weight:600}
#answers{list-style:none;padding:0;margin:.8rem 0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,16rem),1fr));gap:1rem;align-items:start}
.card{position:relative;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.7rem;min-width:0}
.card:has(details[open]){grid-column:1/-1}
.card p{margin:.15rem 0}
.card:has(details[open]) .views{justify-content:flex-start;gap:.8rem}.card:has(details[open]) .views .seen{position:static;width:auto;height:100%;aspect-ratio:1;border:0}.card:has(details[open]) .bar{max-width:40rem}
.views{position:relative;height:11rem;display:flex;justify-content:center;margin-bottom:.4rem}
.views canvas{max-width:100%;max-height:100%;object-fit:contain;border-radius:6px}
.views .seen{image-rendering:pixelated}
.views:not(.alone) .seen{position:absolute;right:0;bottom:0;width:4rem;height:4rem;border:2px solid var(--card);border-radius:8px}
.views.alone .seen{width:11rem;height:11rem}
.name{font-size:.85rem;color:var(--soft);overflow-wrap:anywhere;padding-right:1.6rem}
.label{font-size:1.35rem;font-weight:700;overflow-wrap:anywhere}
[data-kind=positive] .label{color:var(--s1)}[data-kind=negative] .label{color:var(--s2)}
.bar{position:relative;height:.7rem;border-radius:4px;background:var(--grid);overflow:hidden}
.fill{position:absolute;inset:0 auto 0 0;background:var(--soft)}
[data-kind=positive] .fill{background:var(--s1)}[data-kind=negative] .fill{background:var(--s2)}
.tick{position:absolute;top:0;bottom:0;width:3px;margin-left:-1.5px;background:var(--text);outline:1px solid var(--ground)}
.figures{font-variant-numeric:tabular-nums;font-size:.9rem}
.remove{position:absolute;top:.35rem;right:.35rem;width:1.9rem;height:1.9rem;font-size:1.1rem;line-height:1;padding:0;z-index:1}
details select{font:inherit;font-size:.9rem;max-width:100%;padding:.25rem;border:1px solid var(--line);border-radius:4px;background:var(--ground);color:var(--text)}
.maps{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,8rem),1fr));gap:.8rem;margin:.6rem 0;max-width:40rem}
.maps figure{width:auto}
.maps canvas{width:100%;height:auto;image-rendering:pixelated;border-radius:6px;display:block;border:1px solid var(--line)}
.scale{max-width:40rem}.colours{height:.7rem;border-radius:4px;border:1px solid var(--line)}
.scale .ends{display:flex;justify-content:space-between;gap:1rem;font-size:.8rem;color:var(--soft);max-width:none;margin:.2rem 0 .6rem}
.limits{font-size:.85rem;padding-left:1.1rem;max-width:46rem}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem 1.2rem;margin:.4rem 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.large{font-size:1.35rem}
@media (max-width:34rem){#answers{grid-template-columns:repeat(auto-fill,minmax(min(100%,9.5rem),1fr));gap:.6rem}.views{height:8rem}.views.alone .seen{width:8rem;height:8rem}#drop:has(.second){display:flex;gap:.6rem;padding:.6rem;border:0}.action{flex:1;margin:0;padding:.65rem .4rem}}
@media print{#give>:not(#answers):not(.told),.remove{display:none}}
`.replaceAll('\n', '');
