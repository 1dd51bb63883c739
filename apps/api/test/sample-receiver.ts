import { publishPart, type ReceiverPart, type Store } from '@clickrelay/queue';

/** What a receiver publishes of itself. */
export const sampleReceiver = (own: Partial<ReceiverPart> = {}): ReceiverPart => ({
  role: 'receiver',
  hostName: 'a',
  version: '1.2.3',
  startedAt: '2026-03-01T12:00:00.000Z',
  storeId: null,
  roundTripMs: 0.4,
  clockOffsetMs: 3,
  clockJumpMs: 0,
  eventLoop: 0.02,
  disks: [],
  settings: { DURABILITY: 'abc' },
  host: '0.0.0.0',
  port: 8080,
  pathPrefix: '/in',
  credentials: ['query', 'basic'],
  credentialIds: [],
  allowIps: [],
  integrationIds: [],
  maxBodyBytes: 1_000,
  readiness: { ready: true, mode: 'always', durability: 'always', mayBeLost: 'nothing', problems: [] },
  commitP99Ms: 2.5,
  ...own,
});

export const publishReceiver = (store: Store, own: Partial<ReceiverPart> = {}): Promise<void> =>
  publishPart(store, 'a:1', sampleReceiver(own), Date.now());
