import {
  publishReceiver,
  RECEIVER_TELLS_MS,
  type Readiness,
  type RefusalCounter,
  removeReceiver,
  type Store,
} from '@clickrelay/queue';
import type { Config } from './config.ts';

export interface TellOptions {
  readonly config: Config;
  readonly version: string;
  /** Names this process: `host:pid`. */
  readonly process: string;
  readonly server: { readonly host: string; readonly port: number };
  readonly readiness: () => Readiness;
  readonly refusals: Pick<RefusalCounter, 'write'>;
}

/**
 * Publishes what a person needs to connect Clickatell to this receiver, and what it refused. Nothing is published while
 * Redis is away.
 */
export const tellFacts = (store: Store, options: TellOptions): { stop(): Promise<void> } => {
  const { config, version, process, server, readiness, refusals } = options;
  const { CALLBACK_AUTH: auth } = config;
  const facts = {
    version,
    startedAt: new Date().toISOString(),
    host: server.host,
    port: server.port,
    pathPrefix: config.CALLBACK_PATH_PREFIX,
    credentials: auth === 'none' ? ['none'] : auth.map(({ kind }) => kind),
    allowIps: config.CALLBACK_ALLOW_IPS.map(([address, bits]) => `${address}/${bits}`),
    integrationIds: [...config.CALLBACK_INTEGRATION_IDS],
    maxBodyBytes: config.MAX_BODY_BYTES,
  };
  let timer: NodeJS.Timeout | undefined;
  const tell = async (): Promise<void> => {
    let isTold = true;
    try {
      await publishReceiver(store, process, { ...facts, readiness: readiness() });
      await refusals.write(store);
    } catch {
      isTold = false;
    }
    if (timer !== undefined) timer = setTimeout(tell, isTold ? RECEIVER_TELLS_MS : AGAIN_MS);
  };
  timer = setTimeout(tell, 0);
  return {
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      await Promise.all([removeReceiver(store, process), refusals.write(store)]).catch(() => {});
    },
  };
};

/** While Redis is away, in ms: short, because a person who has just started Redis looks at once whether all is well. */
const AGAIN_MS = 250;
