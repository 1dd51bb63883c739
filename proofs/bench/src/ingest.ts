import { fileURLToPath } from 'node:url';
import { freePort } from '@clickrelay/service/machine';
import type { RedisServer } from '@clickrelay/testkit';
import { flood, type LoadResult, type LoadTarget } from './load.ts';
import { cpuMicros, startServer, stopServer } from './processes.ts';

const SECONDS = 2;
const WARM_UP_SECONDS = 1.2;

export interface IngestResult extends LoadResult {
  readonly nodeMicros: number;
  readonly redisMicros: number;
}

const SECRET = 'bench-secret-of-some-length';

const RECEIVERS = {
  limit: { file: new URL('./servers/limit.js', import.meta.url), path: '/' },
  batched: { file: new URL('./servers/limit.js', import.meta.url), path: '/' },
  everyone: { file: new URL('./servers/plain-receiver.js', import.meta.url), path: '/' },
  clickrelay: {
    file: new URL(import.meta.resolve('@clickrelay/receiver/main')),
    path: `/client-callback/one-api-reply?token=${SECRET}`,
  },
} as const;

export type Receiver = keyof typeof RECEIVERS;

export const startReceiver = async (receiver: Receiver, redis: RedisServer) => {
  const port = await freePort();
  const { file, path } = RECEIVERS[receiver];
  const child = await startServer(
    fileURLToPath(file),
    {
      PORT: String(port),
      HOST: '127.0.0.1',
      REDIS_URL: redis.url,
      CALLBACK_AUTH: `query:${SECRET}`,
      BATCH: receiver === 'batched' ? '1' : '',
      LOG_LEVEL: 'warn',
    },
    receiver === 'clickrelay' ? `http://127.0.0.1:${port}/readyz` : undefined,
  );
  return { child, target: { port, path } satisfies LoadTarget };
};

/** Measures how many callbacks a second one receiver process accepts and commits. */
export const measureIngest = async (receiver: Receiver, redis: RedisServer): Promise<IngestResult> => {
  const { child, target } = await startReceiver(receiver, redis);
  try {
    await flood(target, { seconds: WARM_UP_SECONDS });
    const nodeBefore = cpuMicros(child.pid as number);
    const redisBefore = cpuMicros(redis.pid);
    const result = await flood(target, { seconds: SECONDS });
    return {
      ...result,
      nodeMicros: (cpuMicros(child.pid as number) - nodeBefore) / result.requests,
      redisMicros: (cpuMicros(redis.pid) - redisBefore) / result.requests,
    };
  } finally {
    await stopServer(child);
  }
};
