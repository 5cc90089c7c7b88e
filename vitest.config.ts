import { readFileSync } from 'node:fs';
import { globSync } from 'tinyglobby';
import { defineConfig } from 'vitest/config';

/** Tests that replace modules, or change or measure their process, have one of their own. All others share one for each worker: to begin one takes half a second. */
const changesProcess =
  /\bvi\.(mock|stub|useFake|spyOn)|\bprocess\.(chdir|env\[.*\] =|umask)|delete process\.env|setFlagsFromString|\bglobalThis\.|\bkernelMemory\b/;
const files = 'test/**/*.test.ts';
const alone = globSync(files, { cwd: import.meta.dirname }).filter((file) =>
  changesProcess.test(readFileSync(new URL(file, import.meta.url), 'utf8')),
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
        { test: { ...common, name: 'together', include: [files], exclude: alone, isolate: false } },
        { test: { ...common, name: 'alone', include: alone } },
      ],
    },
  });
};

export default configWith([]);
