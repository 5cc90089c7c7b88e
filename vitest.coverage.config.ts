import { mergeConfig } from 'vitest/config';
import { configWith } from './vitest.config.ts';

/** All tests with their line coverage: `npm run coverage`. scripts/coverage.mjs adds the processes that tests start. */
export default mergeConfig(configWith(['test/cover-processes.ts']), {
  test: {
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/kernels/simd/assembly/**'],
      reportOnFailure: true,
      reporter: [['json', { file: 'in-process.json' }]],
    },
  },
});
