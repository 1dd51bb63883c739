import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('the example of the README prints what the README says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, code = '', output] = /```ts\n(.*?)```\s+```text\n(.*?)```/s.exec(readme) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'readme-'));
  try {
    const file = join(folder, 'example.ts');
    const here = code
      .replace('@clickrelay/simulator', new URL('../src/index.ts', import.meta.url).href)
      .replaceAll('3000', String(await findPort()));
    writeFileSync(file, here);
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    expect(stdout).toBe(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const findPort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};
