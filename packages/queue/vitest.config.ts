import { defineConfig } from 'vitest/config';
import { guarded } from '../../vitest.shared.ts';

export default defineConfig({
  // As the build does: scripts for Redis are imported as text.
  plugins: [
    {
      name: 'lua-as-text',
      transform: (code, id) =>
        id.endsWith('.lua')
          ? { code: `export default ${JSON.stringify(code)}`, map: null, moduleType: 'js' }
          : undefined,
    },
  ],
  test: {
    ...guarded,
    // Tests that wait for locks to expire wait side by side.
    maxConcurrency: 20,
  },
});
