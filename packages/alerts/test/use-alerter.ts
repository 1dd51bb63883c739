import { openAlertRecords, openStore, type Store } from '@clickrelay/queue';
import {
  type Destination,
  type DestinationAnswer,
  type RedisServer,
  startDestination,
  startRedis,
} from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { Alerter, type AlerterOptions, type AlertLine } from '../src/alerter.ts';
import type { Channel } from '../src/channel.ts';
import type { Clock } from '../src/send.ts';
import type { ChannelState } from '../src/state.ts';
import { channel, START } from './verdicts.ts';

/** A clock whose waits are over at once. */
const fakeClock = (): Clock & { readonly slept: number[] } => {
  const slept: number[] = [];
  let nowMs = START;
  return {
    slept,
    now: () => nowMs,
    sleep: async (ms) => {
      slept.push(ms);
      nowMs += ms;
    },
  };
};

/** One Redis for all tests of a file, emptied before each, and receivers on this machine. */
export const useAlerter = () => {
  let redis: RedisServer;
  const stores: Store[] = [];
  const atEnd: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    await (await openConnection()).redis.flushall();
  });
  afterEach(async () => {
    for (const end of atEnd.splice(0).reverse()) await end();
    for (const store of stores.splice(0)) await store.close();
  });
  afterAll(() => redis.stop());

  const openConnection = async (): Promise<Store> => {
    const store = await openStore({ redisUrl: redis.url, role: 'producer' });
    stores.push(store);
    await store.ready();
    return store;
  };
  const openRecords = async () => openAlertRecords<Channel, ChannelState>(await openConnection());

  return {
    openConnection,
    openRecords,
    listen: async (answer: DestinationAnswer = 200): Promise<Destination> => {
      const receiver = await startDestination({ answer });
      atEnd.push(receiver.close);
      return receiver;
    },
    add: async (settings: Record<string, unknown>, id = 'ops'): Promise<Channel> => {
      const added = channel(settings, id);
      await (await openRecords()).change(id, () => added);
      return added;
    },
    /** As an API would open it. */
    open: async (options: Partial<AlerterOptions> = {}) => {
      const lines: AlertLine[] = [];
      const errors: unknown[] = [];
      const clock = fakeClock();
      const records = await openRecords();
      const alerter = new Alerter({
        records,
        userAgent: 'Clickrelay/1.2.3',
        egressAllow: ['127.0.0.1/32'],
        onSent: (line) => void lines.push(line),
        onError: (error) => void errors.push(error),
        clock,
        ...options,
      });
      atEnd.push(() => alerter.close());
      return { alerter, clock, lines, errors, records };
    },
  };
};
