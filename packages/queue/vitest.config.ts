import { defineConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

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
    ...shared,
    // Tests that wait for locks to expire wait side by side.
    maxConcurrency: 20,
  },
});
