import {
  createReadyMinutes,
  openCredentialRecords,
  publishReceiver,
  RECEIVER_TELLS_MS,
  type Readiness,
  type RefusalCounter,
  removeReceiver,
  type Store,
} from '@clickrelay/queue';
import type { Config } from './config.ts';
import type { LiveCredentials } from './live-credentials.ts';

export interface TellOptions {
  readonly config: Config;
  /** Undefined: a callback of anyone is accepted. */
  readonly credentials: LiveCredentials | undefined;
  readonly version: string;
  /** Names this process: `host:pid`. */
  readonly process: string;
  readonly server: { readonly host: string; readonly port: number };
  readonly readiness: () => Readiness;
  readonly refusals: Pick<RefusalCounter, 'write'>;
}

/**
 * Publishes what a person needs to connect Clickatell to this receiver, which credentials it accepts and when they were
 * used, and what it refused. Nothing is published while Redis is away.
 */
export const tellFacts = (store: Store, options: TellOptions): { stop(): Promise<void> } => {
  const { config, credentials, version, process, server, readiness, refusals } = options;
  const recorded = openCredentialRecords(store);
  const facts = {
    version,
    startedAt: new Date().toISOString(),
    host: server.host,
    port: server.port,
    pathPrefix: config.CALLBACK_PATH_PREFIX,
    allowIps: config.CALLBACK_ALLOW_IPS.map(([address, bits]) => `${address}/${bits}`),
    integrationIds: [...config.CALLBACK_INTEGRATION_IDS],
    maxBodyBytes: config.MAX_BODY_BYTES,
  };
  const readyMinutes = createReadyMinutes();
  let timer: NodeJS.Timeout | undefined;
  let isTelling = false;
  let hasNews = false;
  const tell = async (): Promise<void> => {
    isTelling = true;
    hasNews = false;
    let isTold = true;
    if (readiness().ready) readyMinutes.note(Date.now());
    try {
      await publishReceiver(store, process, {
        ...facts,
        credentials: credentials?.current().map(({ kind }) => kind) ?? ['none'],
        credentialIds: credentials?.ids() ?? [],
        readiness: readiness(),
      });
      await refusals.write(store);
      await readyMinutes.write(store);
      await recorded.noteUses(credentials?.takeUses() ?? {});
    } catch {
      isTold = false;
    }
    isTelling = false;
    if (timer !== undefined) timer = setTimeout(tell, hasNews ? 0 : isTold ? RECEIVER_TELLS_MS : AGAIN_MS);
  };
  timer = setTimeout(tell, 0);
  // Whoever made or ended one waits until every receiver has told that it knows.
  credentials?.onChange(() => {
    hasNews = true;
    if (timer === undefined || isTelling) return;
    clearTimeout(timer);
    timer = setTimeout(tell, 0);
  });
  return {
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      const uses = credentials?.takeUses() ?? {};
      await Promise.all([removeReceiver(store, process), refusals.write(store), recorded.noteUses(uses)]).catch(
        () => {},
      );
    },
  };
};

/** While Redis is away, in ms: short, because a person who has just started Redis looks at once whether all is well. */
const AGAIN_MS = 250;
