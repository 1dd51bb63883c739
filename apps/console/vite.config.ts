import { defineConfig } from 'vite';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2023',
    // Nothing inline: the policy of the page allows scripts, styles and images of its own origin only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // `pnpm --filter @clickrelay/console exec vite` while one works on a page: the API answers behind it.
  server: { proxy: { '/v1': process.env['API_URL'] ?? 'http://127.0.0.1:8081' } },
});
