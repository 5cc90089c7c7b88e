import { defineConfig } from 'vitest/config';

/** Tests of functions that keep nothing between calls and replace no module: their files share a process, which saves loading it again for each. */
const functions = ['classifier', 'config', 'evaluation', 'nn', 'report', 'results'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

/** @param setupFiles  what each test file begins with */
export const configWith = (setupFiles: string[]) => {
  const common = { testTimeout: 120_000, hookTimeout: 120_000, pool: 'forks', setupFiles } as const;
  return defineConfig({
    test: {
      // Vitest would leave a core to itself: one process of two on two cores
      maxWorkers: '100%',
      globalSetup: ['test/build.ts'],
      projects: [
        { test: { ...common, name: 'functions', include: functions, isolate: false } },
        { test: { ...common, name: 'others', include: ['test/**/*.test.ts'], exclude: functions } },
      ],
    },
  });
};

export default configWith([]);
