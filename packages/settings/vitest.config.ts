import { defineConfig } from 'vitest/config';

// Tests that wait for locks to expire wait side by side.
export default defineConfig({ test: { testTimeout: 30_000, hookTimeout: 30_000, maxConcurrency: 20 } });
