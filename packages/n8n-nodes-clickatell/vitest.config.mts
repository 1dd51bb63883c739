import { defineConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

// n8n-workflow's modules import each other without extensions, which Node.js does not resolve.
const server = { deps: { ...shared.server.deps, inline: [/\/n8n-workflow\//] } };

export default defineConfig({
  test: { ...shared, server, include: ['test/**/*.test.mts'] },
});
