import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CutMoment } from './fault-connection.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { createCommandSplitter } from './resp-commands.ts';
import { waitUntil } from './wait-until.ts';

const encode = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;

let redis: RedisServer;
let proxy: FaultProxy;
const clients: Client[] = [];

interface Client {
  readonly socket: Socket;
  readonly got: () => string;
  readonly isClosed: () => boolean;
}

beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(async () => {
  proxy = await startFaultProxy(redis.port);
  await ask('FLUSHALL');
});
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await proxy.close();
});
afterAll(() => redis.stop());

const open = async (port = proxy.port): Promise<Client> => {
  let got = '';
  let closed = false;
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1').on('data', (text: string) => {
    got += text;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  await once(socket, 'connect').catch(() => {});
  const client = { socket, got: () => got, isClosed: () => closed };
  clients.push(client);
  return client;
};

/** Past the proxy. */
const ask = async (...words: string[]): Promise<string> => {
  const client = await open(redis.port);
  client.socket.write(encode(...words));
  return waitUntil(() => client.got());
};

describe('a fault proxy', () => {
  it('passes commands and answers on and names the commands', async () => {
    const { socket, got } = await open();
    socket.write(encode('set', 'a', '1') + encode('GET', 'a'));
    await waitUntil(() => got() === '+OK\r\n$1\r\n1\r\n');
    expect(proxy.commands).toEqual(['SET', 'GET']);
  });

  it.each<[CutMoment, string]>([
    ['before', '1'],
    ['inside', '1'],
    ['after', '2'],
  ])('cuts %s a command, and Redis has carried out what it should: %s', async (moment, value) => {
    const client = await open();
    const cut = proxy.cutAt({ command: 2, moment });
    client.socket.write(['1', '2', '3'].map((n) => encode('INCR', `n${'x'.repeat(n.length)}`)).join(''));
    await waitUntil(() => client.isClosed());
    expect(cut.happened).toBe(true);
    expect(client.got()).toBe('');
    expect(await ask('GET', 'nx')).toBe(`$1\r\n${value}\r\n`);

    const next = await open();
    next.socket.write(encode('PING'));
    await waitUntil(() => next.got() === '+PONG\r\n');
  });

  it('has one command refused, however it was cut into chunks, and everything around it carried out', async () => {
    const stream = Buffer.from(['a', 'b', 'c'].map((name) => encode('INCR', name)).join(''));
    for (let size = 1; size <= stream.length; size += 3) {
      await ask('FLUSHALL');
      const client = await open();
      const refusal = proxy.cutAt({ command: 2, moment: 'refused' });
      for (let at = 0; at < stream.length; at += size) {
        client.socket.write(stream.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await waitUntil(() => client.got().split('\r\n').length === 4);
      expect(client.got()).toMatch(/^:1\r\n-ERR unknown command .*\r\n:1\r\n$/);
      expect([refusal.happened, await ask('MGET', 'a', 'b', 'c')]).toEqual([
        true,
        '*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n1\r\n',
      ]);
    }
  });

  it('refuses nothing that had begun before, and holds nothing back when it is healed', async () => {
    const client = await open();
    const stream = Buffer.from(encode('INCR', 'a') + encode('INCR', 'b'));
    client.socket.write(stream.subarray(0, 10));
    await sleep(20);
    const refusal = proxy.cutAt({ command: 2, moment: 'refused' });
    client.socket.write(stream.subarray(10, -5));
    await waitUntil(() => client.got() === ':1\r\n');
    proxy.heal();
    client.socket.write(stream.subarray(-5));
    await waitUntil(() => client.got() === ':1\r\n:1\r\n');
    expect(refusal.happened).toBe(false);
  });

  it('counts only the commands that it was told to, over all connections', async () => {
    const [one, two] = [await open(), await open()];
    const cut = proxy.cutAt({ command: 2, moment: 'after', names: ['SET'] });
    one.socket.write(encode('GET', 'a') + encode('SET', 'a', '1') + encode('GET', 'a'));
    await waitUntil(() => one.got() === '$-1\r\n+OK\r\n$1\r\n1\r\n');
    two.socket.write(encode('SET', 'a', '2'));
    await waitUntil(() => two.isClosed());
    expect(cut.happened).toBe(true);
    expect(one.isClosed()).toBe(false);
    expect(await ask('GET', 'a')).toBe('$1\r\n2\r\n');
  });

  it('stays away after a cut when told to', async () => {
    const [one, two] = [await open(), await open()];
    proxy.cutAt({ command: 1, moment: 'after', refuse: true });
    one.socket.write(encode('SET', 'a', '1'));
    await waitUntil(() => one.isClosed() && two.isClosed());
    expect(await ask('GET', 'a')).toBe('$1\r\n1\r\n');
    const refused = await open();
    await waitUntil(() => refused.isClosed());
    proxy.heal();
    const next = await open();
    next.socket.write(encode('PING'));
    await waitUntil(() => next.got() === '+PONG\r\n');
  });

  it('keeps the answers of the connections of now to itself, and serves later ones', async () => {
    const client = await open();
    client.socket.write(encode('PING'));
    await waitUntil(() => client.got() === '+PONG\r\n');
    proxy.withholdReplies();
    client.socket.write(encode('SET', 'a', 'x'));
    await waitUntil(async () => (await ask('GET', 'a')) === '$1\r\nx\r\n');
    expect([client.got(), client.isClosed()]).toEqual(['+PONG\r\n', false]);
    const next = await open();
    next.socket.write(encode('GET', 'a'));
    await waitUntil(() => next.got() === '$1\r\nx\r\n');
  });

  it('holds everything back while frozen', async () => {
    const client = await open();
    proxy.freeze();
    client.socket.write(encode('SET', 'a', 'x'));
    await sleep(100);
    expect(await ask('GET', 'a')).toBe('$-1\r\n');
    proxy.heal();
    await waitUntil(() => client.got() === '+OK\r\n');
  });

  it('refuses connections until it is healed', async () => {
    const client = await open();
    proxy.refuse();
    await waitUntil(() => client.isClosed());
    const refused = await open();
    await waitUntil(() => refused.isClosed());
    proxy.heal();
    const next = await open();
    next.socket.write(encode('PING'));
    await waitUntil(() => next.got() === '+PONG\r\n');
  });

  it('delays both directions and keeps their order', async () => {
    const client = await open();
    proxy.delay(50);
    const startedAt = performance.now();
    client.socket.write(encode('SET', 'a', '1'));
    await sleep(10);
    client.socket.write(encode('GET', 'a'));
    await waitUntil(() => client.got() === '+OK\r\n$1\r\n1\r\n');
    expect(performance.now() - startedAt).toBeGreaterThan(95);
  });
});

describe('a command splitter', () => {
  it('finds the same commands however the stream is cut into chunks', () => {
    const stream = Buffer.from(
      `${encode('SET', 'k', 'a\r\n*1\r\n')}${encode('EVALSHA', 'ab', '0')}PING hello\r\n${encode('GET', 'é')}`,
    );
    for (let size = 1; size <= stream.length; size++) {
      const splitter = createCommandSplitter();
      const names: string[] = [];
      for (let at = 0; at < stream.length; at += size) {
        names.push(...splitter.push(stream.subarray(at, at + size)).map(({ name }) => name));
      }
      expect([size, names, splitter.pendingBytes]).toEqual([size, ['SET', 'EVALSHA', 'PING', 'GET'], 0]);
    }
  });

  it('reads a large command without joining it again with each chunk', () => {
    const splitter = createCommandSplitter();
    const stream = Buffer.from(encode('SET', 'k', 'x'.repeat(32 * 1024 * 1024)));
    const before = process.threadCpuUsage();
    let found = 0;
    for (let at = 0; at < stream.length; at += 4096) found += splitter.push(stream.subarray(at, at + 4096)).length;
    expect(found).toBe(1);
    expect(process.threadCpuUsage(before).user).toBeLessThan(5_000_000);
  });
});
