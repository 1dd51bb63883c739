import { defineConfig } from 'vitest/config';

// Not among the projects of ../vitest.config.ts: it takes minutes and needs an n8n. `./test n8n` runs it.
export default defineConfig({
  test: {
    name: 'n8n',
    globalSetup: ['src/global-setup.ts'],
    // One n8n at a time: it takes a core by itself, and some cases measure how long something takes.
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['verbose', '../../scripts/closing-line.ts'],
  },
});
