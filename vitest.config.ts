import { defineConfig } from 'vitest/config';
import { shared } from './vitest.shared.ts';

export default defineConfig({
  test: {
    projects: [
      'packages/*',
      'apps/*',
      'proofs/faults',
      { test: { name: 'house', include: ['scripts/*.test.ts'], ...shared } },
    ],
    maxWorkers: shared.maxWorkers,
    reporters: ['default', './scripts/closing-line.ts'],
  },
});
