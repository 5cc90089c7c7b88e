import type { ExportCheck, Exported } from '../results/export.ts';
import { byteText, type Lines } from '../text.ts';
import { percent, percentRange, plural, table } from './table.ts';

/** What was written, for people. */
export function exportedText({ out, format, model, bytes, precision, classes, pictures, quality }: Exported): Lines {
  const { positive, negative } = classes;
  return table(
    [
      ['wrote', `${out} (${format}, ${byteText(bytes)}, ${precision})`],
      ['model', `${model}: ${positive} against ${negative}`],
      [
        'accuracy',
        quality === null
          ? 'not known'
          : `${percent(quality.accuracy)} (${percentRange(quality.accuracyInterval)}) on ${plural(quality.pictures, 'picture')} of ${quality.part}`,
      ],
      ['carries', `${plural(pictures, 'picture')} that nn drew, none of yours, with their answers: nn export --check ${out}`],
    ],
    '  ',
    () => false,
  );
}

/** What an exported file answered, for people. */
export function exportCheckText({
  file,
  format,
  pictures,
  largestDifferenceP,
  otherLabels,
  agrees,
  ...logits
}: ExportCheck): Lines {
  const most = logits.largestDifferenceLogit;
  return [
    `${file} (${format}): ${agrees ? 'answers as nn does' : 'answers OTHERWISE than nn'}`,
    `  ${plural(pictures, 'picture')} that nn drew: p differs by at most ${shortNumber(largestDifferenceP)}, the logit by ${shortNumber(most)} (${logits.tolerance === 0 ? 'to the last bit' : `${shortNumber(logits.tolerance)} is rounding`}), ${otherLabels === 0 ? 'no class is another' : `${otherLabels} get another class`}`,
  ];
}

const shortNumber = (value: number) => (value === 0 ? '0' : value.toExponential(1));
