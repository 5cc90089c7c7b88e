import { defineConfig } from 'vitest/config';
import { folders } from './places.mjs';

export default defineConfig({
  test: { include: folders.map((folder) => `test/${folder}/**/*.test.ts`), testTimeout: 120_000 },
});
