import { defineConfig } from 'vitest/config';

// Each row starts a whole Clickrelay and breaks it; most of its time is waiting for locks and for what must not happen.
export default defineConfig({ test: { testTimeout: 180_000, maxConcurrency: 4 } });
