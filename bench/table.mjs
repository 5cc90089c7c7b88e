// What a run prints.
import { rateOf } from './figures.mjs';

export function jobLines({ name, title, note, bytes, rows }) {
  const width = Math.max(0, ...rows.map(({ label }) => label.length)) + 2;
  const lines = rows.map((row) => `  ${row.label.padEnd(width)}${row.reason ?? figuresOf(row, bytes)}`);
  return [`${name}: ${title}`, ...(note ? [`  (${note})`] : []), ...lines, ''].join('\n');
}

function figuresOf({ median, least, most, note }, bytes) {
  const figures = [median, least, most].map((value) => value.toPrecision(3).padStart(9)).join('');
  const rate = bytes === undefined ? '' : `  ${rateOf(bytes, median).toFixed(1)} GB/s`;
  return `${figures} ms (median, least, most)${rate}${note ? `  ${note}` : ''}`;
}

export function barLines(judged) {
  const marks = { true: 'holds', false: 'FAILS', null: '  -  ' };
  return ['What must hold (medians of this run):', ...judged.map(({ holds, text }) => `  ${marks[holds]}  ${text}`), ''].join(
    '\n',
  );
}
