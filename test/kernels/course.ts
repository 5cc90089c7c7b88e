import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Examples } from '../../src/data/examples.ts';
import { loadExamples } from '../../src/data/load.ts';
import { openSource } from '../../src/data/sources/sources.ts';

/** The course's data and golden figures, which lie beside the project or at NN_SHARED, and are no part of it. */
const shared = process.env.NN_SHARED ?? resolve('..', 'shared');
export const courseIsThere = existsSync(join(shared, 'golden/course.json')) && existsSync(join(shared, 'data/course-catvnoncat'));

export interface GoldenRun {
  dims: number[];
  learning_rate: number;
  iterations: number;
  costs: Record<string, number>;
  final_cost: number;
  weight_norms: number[];
}

export function goldenRun(name: string): GoldenRun {
  return JSON.parse(readFileSync(join(shared, 'golden/course.json'), 'utf8')).runs[name];
}

export async function courseExamples(part: 'train' | 'test'): Promise<Examples> {
  const path = join(shared, 'data/course-catvnoncat', `${part}_catvnoncat.h5`);
  const source = await openSource({ type: 'hdf5', path });
  const { examples } = await loadExamples(source, {
    preprocessing: { imageSize: 64, fit: 'cover' },
    positive: undefined,
    strict: true,
  });
  return examples;
}
