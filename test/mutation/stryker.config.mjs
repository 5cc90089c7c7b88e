import { folders } from './folders.mjs';

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: folders.map((folder) => `src/${folder}/**/*.ts`),
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  // what a module does as it loads would need a new process and all tests for each mutant
  ignoreStatic: true,
  concurrency: 1,
  timeoutMS: 30_000,
  tsconfigFile: 'none', // Vitest reads TypeScript as it stands
  ignorePatterns: ['bench', 'coverage', 'runs', 'reports', '/test/mutation/node_modules'],
  reporters: ['clear-text', 'progress-append-only', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `reports/mutation-${folders.join('-')}.json` },
  incremental: true,
  incrementalFile: `reports/mutation-${folders.join('-')}-before.json`,
};
