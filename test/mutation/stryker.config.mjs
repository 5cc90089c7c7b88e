import { places } from './places.mjs';

const name = `reports/mutation-${places.join('-').replaceAll('/', '-')}`;

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: places.map((place) => `src/${place}${place.endsWith('.ts') ? '' : '/**/*.ts'}`),
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'test/mutation/vitest.config.mjs' },
  // what a module does as it loads would need a new process and all tests for each mutant
  ignoreStatic: true,
  concurrency: 1,
  timeoutMS: 30_000,
  tsconfigFile: 'none', // Vitest reads TypeScript as it stands
  ignorePatterns: ['bench', 'coverage', 'runs', 'reports', '/test/mutation/node_modules'],
  reporters: ['clear-text', 'progress-append-only', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `${name}.json` },
  incremental: true,
  incrementalFile: `${name}-before.json`,
};
