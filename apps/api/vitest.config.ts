import { defineConfig } from 'vitest/config';
import { guarded } from '../../vitest.shared.ts';

export default defineConfig({ test: guarded });
