import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { type RedisServer, redisCommand, startRedis, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { openStore, type Store } from './store.ts';

/*
 * The texts of Redis' refusals change with its versions, and a script wraps them: so each refusal is provoked on a real
 * server, and both a plain command and one inside a script are looked at.
 */

interface Refusal {
  readonly args?: readonly string[];
  readonly login?: string;
  provoke(server: RedisServer, admin: (...args: (string | number)[]) => Promise<string>): Promise<void>;
  readonly does: string;
}

const WRITE = "return redis.call('set', KEYS[1], 'x')";

const REFUSALS: Readonly<Record<string, Refusal>> = {
  OOM: {
    provoke: async (_, admin) => {
      await admin('config', 'set', 'maxmemory', 1);
    },
    does: 'takes no writes, because it is at its maxmemory (OOM)',
  },
  READONLY: {
    provoke: async (_, admin) => {
      await admin('replicaof', '127.0.0.1', 1);
    },
    does: 'takes no writes, because it is a replica (READONLY)',
  },
  NOREPLICAS: {
    provoke: async (_, admin) => {
      await admin('config', 'set', 'min-replicas-to-write', 1);
    },
    does: 'takes no writes, because too few replicas follow it (NOREPLICAS)',
  },
  MISCONF: {
    args: ['--appendonly', 'no', '--save', '3600 1000'],
    provoke: async ({ dir }, admin) => {
      await admin('set', 'something', 'to save');
      await rm(dir, { recursive: true });
      await admin('bgsave');
      await waitUntil(async () => (await admin('info', 'persistence')).includes('rdb_last_bgsave_status:err'));
    },
    does: 'takes no writes, because it cannot write to its disk (MISCONF)',
  },
  LOADING: {
    args: ['--enable-debug-command', 'yes', '--loading-process-events-interval-bytes', '1024'],
    provoke: async ({ port }, admin) => {
      for (let i = 0; i < 20; i++) await admin('set', `key${i}`, randomBytes(2_000).toString('base64'));
      await admin('config', 'set', 'key-load-delay', 500_000);
      // Answered when it has loaded: ten seconds, which nobody waits for.
      const reload = connect(port, '127.0.0.1', () => reload.write('*2\r\n$5\r\ndebug\r\n$6\r\nreload\r\n'));
      reload.on('error', () => {});
      await once(reload, 'connect');
      await waitUntil(() =>
        admin('get', 'key0').then(
          () => false,
          ({ message }) => message.includes('LOADING'),
        ),
      );
    },
    does: 'is loading its data (LOADING)',
  },
  BUSY: {
    args: ['--busy-reply-threshold', '5'],
    provoke: async ({ port }, admin) => {
      const endless = 'while true do end';
      const script = connect(port, '127.0.0.1', () =>
        script.write(`*3\r\n$4\r\neval\r\n$17\r\n${endless}\r\n$1\r\n0\r\n`),
      );
      script.on('error', () => {});
      await once(script, 'connect');
      await waitUntil(() =>
        admin('get', 'x').then(
          () => false,
          ({ message }) => message.includes('BUSY'),
        ),
      );
    },
    does: 'is busy with a script (BUSY)',
  },
  NOPERM: {
    login: 'app:canary@',
    provoke: async (_, admin) => {
      await admin('acl', 'setuser', 'app', 'on', '>canary', '~*', '&*', '+@all', '-set');
    },
    does: 'does not let this user do all that is needed (NOPERM',
  },
};

const refusedWith = async (store: Store, send: () => Promise<unknown>): Promise<string | undefined> => {
  const error = await send().then(
    () => undefined,
    (refused: unknown) => refused,
  );
  const trouble = store.explain(error);
  expect(trouble?.mend).not.toBe('');
  expect(JSON.stringify(trouble)).not.toContain('canary');
  return trouble?.cause;
};

describe('a real Redis that refuses', () => {
  it.each(Object.entries(REFUSALS))('%s is told for what it is, by a command and by a script', async (_, refusal) => {
    const server = await startRedis({ args: [...(refusal.args ?? [])] });
    const admin = (...args: (string | number)[]): Promise<string> => redisCommand(server.port, ...args);
    let store: Store | undefined;
    try {
      if (refusal.login !== undefined) await refusal.provoke(server, admin);
      const redisUrl = `redis://${refusal.login ?? ''}127.0.0.1:${server.port}`;
      store = await openStore({ redisUrl, role: 'producer' });
      const opened = store;
      const { redis } = opened;
      await waitUntil(() => redis.status === 'ready');
      if (refusal.login === undefined) await refusal.provoke(server, admin);
      const told = `the Redis at 127.0.0.1:${server.port} ${refusal.does}`;
      expect(await refusedWith(store, () => redis.set('{x}y', 'x'))).toContain(told);
      // After READONLY the connection is made anew, because the name may lead to the new primary by then.
      expect(await waitUntil(() => refusedWith(opened, () => redis.eval(WRITE, 1, '{x}y')))).toContain(told);
    } finally {
      await store?.close();
      await server.stop();
    }
  });
});
