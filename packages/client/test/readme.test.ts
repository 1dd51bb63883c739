import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startDestination } from '@clickrelay/testkit';
import { expect, it } from 'vitest';

it('the example of the README prints what the README says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, code = '', output] = /```ts\n(.*?)```\s+```text\n(.*?)```/s.exec(readme) ?? [];
  const [deliveryId = '', ...error] = (output ?? '').trim().split(' ');
  const letters = { items: [{ deliveryId, error: error.join(' ') }], next: null };
  const api = await startDestination({
    answer: ({ method }) => ({ status: 200, body: JSON.stringify(method === 'GET' ? letters : {}) }),
  });
  const folder = mkdtempSync(join(tmpdir(), 'readme-'));
  try {
    const file = join(folder, 'example.ts');
    const here = code
      .replace('@clickrelay/client', new URL('../src/index.ts', import.meta.url).href)
      .replace('127.0.0.1:8081', `127.0.0.1:${api.port}`);
    writeFileSync(file, here);
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    expect(stdout).toBe(output);
    expect(api.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v1/dead-letters?destination=crm',
      `POST /v1/deliveries/${deliveryId}/replay`,
    ]);
  } finally {
    rmSync(folder, { recursive: true });
    await api.close();
  }
});
