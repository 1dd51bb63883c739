import { defineConfig } from 'vitest/config';

// As ../../vitest.shared.ts. n8n-workflow and the linters take seconds to load on a small machine.
export default defineConfig({
  test: { include: ['test/**/*.test.mts'], testTimeout: 180_000, hookTimeout: 180_000, maxWorkers: 2 },
});
