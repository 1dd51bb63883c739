import {
  createReadyMinutes,
  hashSettings,
  type Intake,
  openCredentialRecords,
  type ReceiverPart,
  type RefusalCounter,
  type Store,
  type Telling,
  tellPart,
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
  readonly intake: Pick<Intake, 'readiness' | 'commitP99Ms'>;
  readonly refusals: Pick<RefusalCounter, 'write'>;
}

/** In which all receivers must agree. */
const SETTINGS = [
  'DURABILITY',
  'CALLBACK_PATH_PREFIX',
  'CALLBACK_ALLOW_IPS',
  'CALLBACK_INTEGRATION_IDS',
  'MAX_BODY_BYTES',
] as const;

/**
 * Publishes what a person needs to connect Clickatell to this receiver, how it is, which credentials it accepts and when
 * they were used, and what it refused. Nothing is published while Redis is away.
 */
export const tellFacts = (store: Store, options: TellOptions): Telling => {
  const { config, credentials, version, process, server, intake, refusals } = options;
  const recorded = openCredentialRecords(store);
  const { host, port } = server;
  const facts = {
    host,
    port,
    pathPrefix: config.CALLBACK_PATH_PREFIX,
    allowIps: config.CALLBACK_ALLOW_IPS.map(([address, bits]) => `${address}/${bits}`),
    integrationIds: [...config.CALLBACK_INTEGRATION_IDS],
    maxBodyBytes: config.MAX_BODY_BYTES,
  };
  const readyMinutes = createReadyMinutes();
  const spoolMayGrow = (): number => Math.max(config.SPOOL_MAX_BYTES - (intake.readiness().spool?.bytes ?? 0), 0);
  const telling = tellPart<ReceiverPart>(store, {
    role: 'receiver',
    version,
    process,
    settings: hashSettings({ ...config, CALLBACK_ALLOW_IPS: facts.allowIps }, SETTINGS),
    disks: config.SPOOL_DIR === '' ? [] : [{ of: 'spool', dir: config.SPOOL_DIR, neededBytes: spoolMayGrow }],
    onBeat: () => {
      if (intake.readiness().ready) readyMinutes.note(Date.now());
    },
    facts: () => ({
      ...facts,
      credentials: credentials?.current().map(({ kind }) => kind) ?? ['none'],
      credentialIds: credentials?.ids() ?? [],
      readiness: intake.readiness(),
      commitP99Ms: intake.commitP99Ms(),
    }),
    alsoWrite: async () => {
      await refusals.write(store);
      await readyMinutes.write(store);
      await recorded.noteUses(credentials?.takeUses() ?? {});
    },
  });
  // Whoever made or ended one waits until every receiver has told that it knows.
  credentials?.onChange(telling.tellNow);
  return telling;
};
