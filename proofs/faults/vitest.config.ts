import { defineConfig } from 'vitest/config';
import { guarded } from '../../vitest.shared.ts';

// Each row starts a whole Clickrelay and breaks it; most of its time is waiting for locks and for what must not happen.
export default defineConfig({ test: { ...guarded, testTimeout: 900_000, maxConcurrency: 4 } });
