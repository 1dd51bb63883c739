import { defineConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

export default defineConfig({
  test: {
    ...shared,
    // Tests that wait for locks to expire wait side by side.
    maxConcurrency: 20,
  },
});
