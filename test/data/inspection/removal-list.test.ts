import { expect, test } from 'vitest';
import type { Finding, Picture } from '../../../src/data/inspection/findings.ts';
import { removalRows } from '../../../src/data/inspection/removal-list.ts';
import { decodesAtOnce } from '../../../src/data/load.ts';

test('of the pictures on a list no more are read at once than of those that are decoded', async () => {
  const pictures = Array.from({ length: 5 * decodesAtOnce() }, (_, index): Picture => {
    return { name: `${index}.png`, label: 'cat', part: null, source: 0, index };
  });
  const blank: Finding = { kind: 'blank', groups: pictures.map((picture) => ({ pictures: [picture], why: 'one colour' })) };
  let [reading, most] = [0, 0];
  const rows = await removalRows([blank], async ({ index }) => {
    most = Math.max(most, ++reading);
    await new Promise((resolve) => setTimeout(resolve, index % 3)); // the order of the ends is not that of the beginnings
    reading--;
    return `hash of ${index}`;
  });
  expect(most).toBe(decodesAtOnce());
  expect(rows.map(({ file, hash }) => [file, hash])).toEqual(pictures.map(({ name, index }) => [name, `hash of ${index}`]));
});
