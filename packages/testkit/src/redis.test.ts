import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startRedis } from './redis.ts';

const ask = (port: number, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString());
    });
    socket.once('error', reject);
  });

test('what Redis acknowledged is there after a kill and a restart on the same port', async () => {
  const redis = await startRedis();
  try {
    expect(await ask(redis.port, 'SET key kept')).toBe('+OK\r\n');
    const { pid } = redis;
    await redis.kill('SIGKILL');
    await expect(ask(redis.port, 'PING')).rejects.toThrow('ECONNREFUSED');
    await redis.restart();
    expect(redis.pid).not.toBe(pid);
    expect(await ask(redis.port, 'GET key')).toBe('$4\r\nkept\r\n');
    expect(await ask(redis.port, 'CONFIG GET appendfsync')).toContain('always');
    expect(await ask(redis.port, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
  } finally {
    await redis.stop();
  }
  expect(existsSync(redis.dir)).toBe(false);
});

test('a setting that Redis refuses is told with the end of its log', async () => {
  await expect(startRedis({ args: ['--no-such-setting', 'x'] })).rejects.toThrow(/did not start.*its log ends/s);
});
