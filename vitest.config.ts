import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      'packages/*',
      'apps/*',
      'faults',
      { test: { name: 'docs', include: ['scripts/*.test.ts'], testTimeout: 180_000 } },
    ],
    // Many tests start a Redis, a receiver or the whole of Clickrelay: leave them the machine.
    maxWorkers: 2,
    reporters: ['default', './scripts/closing-line.ts'],
  },
});
