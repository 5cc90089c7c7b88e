import { describe, expect, test } from 'vitest';
import { positiveHint } from '../../src/data/classes.ts';

const ready = (name: string) => `"positive": ${JSON.stringify(name)}`;

describe('the hint for two classes offers both as ready words', () => {
  test.each([
    ['0', '1'],
    ['no', 'yes'],
    ['No', 'YES'],
    ['n', 'y'],
    ['False', 'True'],
    ['negative', 'positive'],
    ['neg', 'pos'],
    ['NORMAL', 'PNEUMONIA'],
    ['normal', 'abnormal'],
    ['0_normal', '1_pneumonia'],
    ['normal-cells', 'cancer cells'],
    ['healthy', 'unhealthy'],
    ['healthy', 'leaf rust'],
    ['background', 'cup'],
    ['benign', 'malignant'],
    ['other', 'zebra'],
    ['none', 'crack'],
    ['no_fire', 'fire'],
    ['no fire', 'fire'],
    ['nofire', 'fire'],
    ['non-dog', 'dog'],
    ['nondog', 'Dog'],
    ['NORUST', 'RUST'],
    ['not hotdog', 'hotdog'],
    ['not_hot_dog', 'hot_dog'],
    ['uninfected', 'infected'],
    ['without_mask', 'with_mask'],
  ])('%s before %s', (negative, positive) => {
    for (const names of [
      [negative, positive],
      [positive, negative],
    ]) {
      const hint = positiveHint(names);
      expect(hint).toBe(`Name the class that counts as 1, probably ${ready(positive)}; or else ${ready(negative)}.`);
    }
  });

  test.each([
    ['cats', 'dogs'],
    ['apple', 'pear'],
    ['zero', 'one'],
    ['night', 'day'],
    ['notebook', 'book pile'],
    ['2', '3'],
    ['north', 'south'],
    ['猫', '犬'],
    ['–', '+'],
  ])('and leaves it to the user where nothing tells: %s, %s', (a, b) => {
    expect(positiveHint([a, b])).toBe(`Name the class that counts as 1: ${ready(a)} or ${ready(b)}.`);
  });

  test('a name that is wrong in its case alone is mended', () => {
    expect(positiveHint(['cat', 'dog'], 'Dog')).toBe(`Did you mean ${ready('dog')}?`);
    expect(positiveHint(['Dog', 'dog'], 'DOG')).toBe(`Name the class that counts as 1: ${ready('Dog')} or ${ready('dog')}.`);
  });
});

describe('the hint for more classes offers one against the others', () => {
  test('a cat where there is one, else the first two', () => {
    expect(positiveHint(['bird', 'Cat', 'dog'])).toContain(`write ${ready('Cat')} in the source`);
    expect(positiveHint(['ant', 'bee', 'cow'])).toContain(`write ${ready('ant')}, ${ready('bee')} or another in the source`);
    expect(positiveHint(['ant', 'bee', 'cow'], 'BEE')).toBe(`Did you mean ${ready('bee')}?`);
  });
});
