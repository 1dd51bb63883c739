import { publishPart } from '@clickrelay/queue';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { publishReceiver, sampleReceiver } from './sample-receiver.ts';
import { type Api, startApi } from './start-api.ts';

let api: Api;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.stop());

const AT = '2026-03-01T12:00:00.000Z';
const spool = {
  records: 2,
  bytes: 300,
  maxBytes: 1_000,
  bytesPerMinute: null,
  oldestAt: AT,
  setAside: 0,
  refusing: null,
};

it('shows every part that runs, and what each cannot do', async () => {
  await publishReceiver(api.store, {
    disks: [{ of: 'spool', freeBytes: 1, totalBytes: 2, neededBytes: 3 }],
    readiness: { ...sampleReceiver().readiness, spool },
  });
  const { host: _, ...common } = sampleReceiver();
  const worker = { ...common, adapters: ['webhook'], unopened: [{ destinationId: 'crm', code: 'adapter_missing' }] };
  await publishPart(api.store, 'b:2', { ...worker, role: 'worker' }, Date.now());
  const { status, body } = await api.call('GET', '/v1/parts');
  expect(status).toBe(200);
  expect(body.items).toEqual([
    {
      role: 'receiver',
      process: 'a:1',
      at: expect.any(String),
      hostName: 'a',
      version: '1.2.3',
      startedAt: '2026-03-01T12:00:00.000Z',
      storeId: null,
      roundTripMs: 0.4,
      clockOffsetMs: 3,
      clockJumpMs: 0,
      eventLoop: 0.02,
      disks: [{ of: 'spool', freeBytes: 1, totalBytes: 2, neededBytes: 3 }],
      settings: { DURABILITY: 'abc' },
      host: '0.0.0.0',
      port: 8080,
      readiness: { ready: true, mode: 'always', durability: 'always', mayBeLost: 'nothing', problems: [] },
      spool: {
        callbacks: 2,
        bytes: 300,
        maxBytes: 1_000,
        oldestAt: AT,
        setAside: 0,
        refusing: null,
      },
      commitP99Ms: 2.5,
    },
    expect.objectContaining({
      role: 'worker',
      process: 'b:2',
      adapters: ['webhook'],
      unopened: [{ destinationId: 'crm', code: 'adapter_missing' }],
    }),
  ]);
});
