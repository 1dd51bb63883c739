import { defineConfig } from 'tsdown';

/**
 * Removes two things that n8n's scanner refuses in a bundle: the Function constructor, which zod uses only for speed, and a
 * configuration shared through `globalThis`, which zod uses only to find itself when it is loaded twice.
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

// n8n loads CommonJS, and a verified package may have no dependencies, so core and its dependencies are bundled.
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
