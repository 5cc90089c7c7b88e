import type { ExampleSet } from '../data/examples.ts';
import { fewImages } from '../data/pixels.ts';
import type { AnsweredImage, Judged, ShownImages } from './judged.ts';
import { pngUrl } from './png.ts';

/** How many pictures of each kind a report shows. */
const most = { wrong: 12, unsure: 8, right: 4 } as const;

interface Choice {
  errors: number;
  wrong: number[];
  unsure: number[];
  right: number[];
}

/** Which pictures of a part are worth looking at: indices, the most telling first. */
export function chooseImages({ answers: { p, labels }, threshold }: Pick<Judged, 'answers' | 'threshold'>): Choice {
  const indices = Array.from(p.keys());
  const isWrong = (i: number) => p[i]! > threshold !== (labels[i] === 1);
  const confidence = (i: number) => (p[i]! > threshold ? p[i]! : 1 - p[i]!);
  const surest = (a: number, b: number) => confidence(b) - confidence(a);
  const wrong = indices.filter(isWrong).sort(surest);
  const nearest = (a: number, b: number) => Math.abs(p[a]! - threshold) - Math.abs(p[b]! - threshold);
  const rightOf = (label: number) =>
    indices
      .filter((i) => labels[i] === label && !isWrong(i))
      .sort(surest)
      .slice(0, most.right);
  const shown = wrong.slice(0, most.wrong);
  const others = indices.filter((i) => !shown.includes(i));
  return {
    errors: wrong.length,
    wrong: shown,
    unsure: others.sort(nearest).slice(0, most.unsure),
    right: [...rightOf(1), ...rightOf(0)],
  };
}

/** Reads those pictures, and makes squares of them.
 *  @param hrefOf  the place of a picture by its name, for a link; null where it is no file */
export async function shownImages(
  examples: ExampleSet,
  judged: Judged,
  { classes, hrefOf }: { classes: { positive: string; negative: string }; hrefOf: (name: string) => Promise<string | null> },
): Promise<ShownImages> {
  const { errors, ...chosen } = chooseImages(judged);
  const { features, names, labels, pixels } = examples;
  const side = Math.round(Math.sqrt(features / 3));
  const nameOf = (label: boolean) => (label ? classes.positive : classes.negative);
  const imageOf = async (i: number): Promise<AnsweredImage> => {
    const [name] = await names.slice(i, i + 1);
    const p = judged.answers.p[i]!;
    return {
      name: name!,
      source: pngUrl(fewImages(pixels, Int32Array.of(i), features), side),
      href: await hrefOf(name!),
      truth: nameOf(labels[i] === 1),
      label: nameOf(p > judged.threshold),
      p,
    };
  };
  const all = (indices: readonly number[]) => Promise.all(indices.map(imageOf));
  return { errors, wrong: await all(chosen.wrong), unsure: await all(chosen.unsure), right: await all(chosen.right) };
}
