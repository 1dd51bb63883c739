import { freePort } from '@clickrelay/service/machine';
import { expect, test } from 'vitest';
import { startProgram } from './processes.ts';
import { waitUntil } from './wait-until.ts';

test('a program is ready when it prints or answers what was asked for, and is stopped by its pid', async () => {
  const port = await freePort();
  const script = `
    process.on('SIGTERM', () => process.exit(3));
    process.on('disconnect', () => console.log('orphan'));
    process.send('ready');
    require('node:http').createServer((_, r) => r.end('ok')).listen(${port}, () => console.log('listening on', ${port}));`;
  const program = await startProgram({
    args: ['-e', script],
    ipc: true,
    readyOutput: /listening on (\d+)/,
    readyUrl: `http://127.0.0.1:${port}`,
  });
  expect(program.stdout()).toBe(`listening on ${port}\n`);
  expect(program.messages).toEqual(['ready']);
  program.disconnect();
  await program.waitForOutput(/orphan/);
  expect(await program.stop()).toEqual({ code: 3, signal: null });
});

test('a program that ends before it is ready is told with its output', async () => {
  await expect(
    startProgram({ args: ['-e', 'console.error("boom"); process.exit(1)'], readyOutput: /up/ }),
  ).rejects.toThrow(/it ended before \/up\/; its output:\nboom/);
});

test('waiting for what never comes ends with what was seen last', async () => {
  await expect(waitUntil(() => 0, { timeoutMs: 10, what: 'a one' })).rejects.toThrow(
    'waited 10 ms for a one; last seen: 0',
  );
});
