import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Vitest would leave a core to itself: one process of two on two cores
    maxWorkers: '100%',
    globalSetup: ['test/build.ts'],
  },
});
