import type { Examples } from '../../src/data/examples.ts';
import { loadExamples } from '../../src/data/load.ts';
import { openSource } from '../../src/data/sources/sources.ts';
import { sharedData } from '../shared.ts';

/** The course's pictures, which lie beside the project and are no part of it. */
export async function courseExamples(part: 'train' | 'test'): Promise<Examples> {
  const source = await openSource({ type: 'hdf5', path: `${sharedData}/course-catvnoncat/${part}_catvnoncat.h5` });
  const preprocessing = { imageSize: 64, fit: 'cover' } as const;
  const { examples } = await loadExamples(source, { preprocessing, positive: undefined, strict: true });
  return examples;
}
