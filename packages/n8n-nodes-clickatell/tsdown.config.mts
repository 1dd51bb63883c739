import { defineConfig } from 'tsdown';

/**
 * What n8n's scanner refuses in a bundle, and zod only uses for speed and to find itself when it is loaded twice: the
 * Function constructor, and a configuration shared by way of `globalThis`.
 */
const zodForN8n = {
  name: 'zod-for-n8n',
  transform(code: string, id: string): string | undefined {
    if (!id.includes('/zod/v4/core/')) return undefined;
    const uses = code.includes('globalThis.__zod') || code.includes('(_a = globalThis)');
    const own = uses ? `const ownGlobals = {};\n${code.replaceAll('globalThis', 'ownGlobals')}` : code;
    return own.replace('new F("")', 'throw new Error("not in n8n")');
  },
};

// n8n loads CommonJS, and a verified package has no dependencies: core and what it needs are bundled.
export default defineConfig({
  entry: ['nodes/*/*.node.ts', 'credentials/*.credentials.ts'],
  root: '.',
  format: 'cjs',
  platform: 'node',
  target: 'node22',
  dts: false,
  fixedExtension: false,
  deps: { onlyBundle: false, neverBundle: ['n8n-workflow'], alwaysBundle: [/^@clickrelay\//, /^zod/] },
  plugins: [zodForN8n],
  outputOptions: { chunkFileNames: 'shared/[name].js' },
  copy: [
    { from: 'icons', to: 'dist' },
    { from: 'nodes/**/*.node.json', to: 'dist/nodes', flatten: false },
  ],
});
