import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Tests that wait for locks to expire wait side by side.
    maxConcurrency: 20,
    maxWorkers: 2,
  },
});
