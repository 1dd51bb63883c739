import { defineConfig } from 'vitest/config';

// Tests that wait for locks to expire wait side by side.
export default defineConfig({ test: { testTimeout: 180_000, hookTimeout: 180_000, maxConcurrency: 20 } });
