import { PERSON_KEY, type RedisServer, startRedis } from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { openStore, type Store, type StoreOptions } from '../src/redis/store.ts';

/** What `startRedis`, `startRedisCluster` and `startRedisSentinels` of the testkit resolve with. */
interface TestServer {
  readonly url: string;
  stop(): Promise<void>;
}

export interface UseStoreOptions<Server extends TestServer> extends Partial<Omit<StoreOptions, 'redisUrl'>> {
  /**
   * What every test gets anew: a Redis of its own, an empty one with a new store, or nothing, which is what tests that
   * run side by side need.
   * @default 'store'
   */
  readonly freshPerTest?: 'redis' | 'store' | 'nothing';
  /** Starts the server: `() => startRedisCluster()`, `() => startRedis({ args: […] })`. @default startRedis */
  readonly start?: () => Promise<Server>;
}

export interface TestStore<Server extends TestServer> {
  /** The running server. Hooks and tests may use it, the body of a `describe` may not. */
  readonly redis: Server;
  /**
   * The store of the running test: ready, and unless told otherwise over an empty Redis. In the next test it is another
   * one: what must outlive a test, or die with its connection, takes one of `openStore`.
   */
  readonly store: Store;
  /** Opens another store, with the same options unless told otherwise. It closes by itself, when `store` does. */
  openStore(options?: Partial<StoreOptions>): Promise<Store>;
}

/**
 * Gives a test file a real Redis and a store, and closes both. Call it at the top of the file: hooks that follow find the
 * store open, before each test and after.
 */
export const useStore = <Server extends TestServer = RedisServer>({
  freshPerTest = 'store',
  start = startRedis as () => Promise<TestServer> as () => Promise<Server>,
  ...storeOptions
}: UseStoreOptions<Server> = {}): TestStore<Server> => {
  let redis: Server | undefined;
  let store: Store | undefined;
  const opened: Store[] = [];

  const openAnother = async (options: Partial<StoreOptions> = {}): Promise<Store> => {
    const redisUrl = options.redisUrl ?? present(redis, 'Redis').url;
    const another = await openStore({ role: 'consumer', personKey: PERSON_KEY, ...storeOptions, ...options, redisUrl });
    opened.push(another);
    return another;
  };
  const startServer = async (): Promise<void> => {
    redis = await start();
  };
  const stopServer = async (): Promise<void> => {
    await redis?.stop();
    redis = undefined;
  };
  const open = async (): Promise<void> => {
    store = await openAnother();
    await store.ready();
  };
  const openEmpty = async (): Promise<void> => {
    await open();
    await Promise.all(
      present(store, 'store')
        .servers()
        .map((server) => server.flushall()),
    );
  };
  const closeAll = async (): Promise<void> => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
    store = undefined;
  };

  const [beforeServer, afterServer] = freshPerTest === 'redis' ? [beforeEach, afterEach] : [beforeAll, afterAll];
  beforeServer(startServer);
  afterServer(stopServer);
  const [beforeStore, afterStore] = freshPerTest === 'nothing' ? [beforeAll, afterAll] : [beforeEach, afterEach];
  beforeStore(freshPerTest === 'store' ? openEmpty : open);
  afterStore(closeAll);

  return {
    redis: standIn(() => present(redis, 'Redis')),
    store: standIn(() => present(store, 'store')),
    openStore: openAnother,
  };
};

const present = <T>(value: T | undefined, name: string): T => {
  if (value === undefined) throw new Error(`the ${name} of this file is open in hooks and tests only`);
  return value;
};

/** Stands for an object that a hook makes later, and for the next one after that. */
const standIn = <T extends object>(current: () => T): T =>
  new Proxy({} as T, { get: (_, property) => Reflect.get(current(), property) });
